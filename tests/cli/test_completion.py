import shutil
import subprocess

import pytest

from cornu.cli.main import main


def script(shell, capsys):
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "current", "expected"),
    [
        (["cornu"], "ev", "evaluate"),
        (["cornu", "predict", "m.keras"], "--sh", "--show"),
        (["cornu", "completion"], "fi", "fish"),
        (["cornu", "train"], "--no", "--no-report"),
        (["cornu", "predict"], "model.k", "model.keras"),
    ],
)
def test_bash_completes(words, current, expected, capsys, tmp_path):
    (tmp_path / "model.keras").touch()
    line = " ".join([*words, current])
    code = f'{script("bash", capsys)}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _cornu; echo "${{COMPREPLY[@]}}"'
    run = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert run.stdout.strip() == expected
    assert not run.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_read_their_scripts(shell, capsys):
    text = script(shell, capsys)
    assert "find-lr" in text
    assert "show-trainable" in text
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True)


def test_an_unknown_shell_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["completion", "tcsh"])
    assert caught.value.code == 2


@pytest.mark.parametrize("name", ["evaluate", "predict", "summary", "plot", "find-lr", "completion"])
def test_help_has_examples(name, capsys):
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    assert f"cornu {name}" in capsys.readouterr().out.partition("examples:")[2]
