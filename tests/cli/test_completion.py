import os
import select
import shlex
import shutil
import signal
import subprocess
import time

import pytest

from cornu.cli.main import main


def script(shell, capsys):
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def printed(command, folder):
    """Return what a shell prints in a folder with a model's file; it has nothing to complain of."""
    (folder / "model.keras").touch()
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True, timeout=60)
    assert not run.stderr
    return run.stdout.strip()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "current", "expected"),
    [
        (["cornu"], "ev", "evaluate"),
        (["cornu", "predict", "m.keras"], "--sh", "--show"),
        (["cornu", "completion"], "fi", "fish"),
        (["cornu", "train"], "--no-r", "--no-report"),
        (["cornu", "train"], "mnist-c", "mnist-cnn"),
        (["cornu", "predict"], "model.k", "model.keras"),
    ],
)
def test_bash_completes(words, current, expected, capsys, tmp_path):
    line = " ".join([*words, current])
    code = f'{script("bash", capsys)}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _cornu; echo "${{COMPREPLY[@]}}"'
    assert printed(["bash", "-c", code], tmp_path) == expected


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cornu eva", "evaluate\tevaluate a trained model"),
        ("cornu predict m.keras --sh", "--show\tdraw what the model sees"),
        ("cornu completion fi", "fish"),
        ("cornu predict model.k", "model.keras"),
    ],
)
def test_fish_completes(line, expected, capsys, tmp_path):
    code = f"{script('fish', capsys)}\ncomplete -C {shlex.quote(line)}"
    assert printed(["fish", "--no-config", "-c", code], tmp_path) == expected


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cornu eva", "cornu evaluate"),
        ("cornu predict m.keras --sh", "cornu predict m.keras --show"),
        ("cornu predict model.k", "cornu predict model.keras"),
        ("cornu completion fi", "cornu completion fish"),
    ],
)
def test_zsh_completes(line, expected, capsys, tmp_path):
    """zsh completes only on a terminal: one is made for it, and a tab is typed."""
    pty = pytest.importorskip("pty")
    (tmp_path / "model.keras").touch()
    (tmp_path / "script").write_text(script("zsh", capsys))
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(tmp_path)
        os.environ.update(TERM="dumb", PS1="ready> ", HOME=str(tmp_path), ZDOTDIR=str(tmp_path))
        os.execvp("zsh", ["zsh", "-f", "-i"])
    try:
        _read_until(terminal, "ready> ")
        os.write(terminal, b"source ./script; zstyle ':completion:*' insert-tab false; echo lo''aded\n")
        assert "loaded\r\n" in _read_until(terminal, "loaded\r\n")
        _read_until(terminal, "ready> ")
        os.write(terminal, line.encode() + b"\t")
        assert expected in _read_until(terminal, expected)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)


def _read_until(terminal, expected, seconds=60):
    """Return what a terminal shows, up to what is expected; echoed keys and bells are in it."""
    shown, end = "", time.monotonic() + seconds
    while expected not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace").replace("\x07", "")
    return shown


def test_an_unknown_shell_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["completion", "tcsh"])
    assert caught.value.code == 2
