import json
import subprocess
import sys

import pytest

from cornu import __version__
from cornu.cli.main import _parser, main


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"cornu {__version__} (python ")
    main(["--version", "--json"])
    assert json.loads(capsys.readouterr().out)["cornu"] == __version__


def test_help_has_examples(capsys):
    assert main([]) == 0
    assert "cornu train mnist-mlp" in capsys.readouterr().out


def test_every_command_has_examples_and_exit_codes_are_said(capsys):
    [commands] = [action.choices for action in _parser()._actions if action.dest == "command"]
    assert len(commands) >= 11
    for name in commands:
        with pytest.raises(SystemExit) as caught:
            main([name, "--help"])
        assert caught.value.code == 0
        assert f"cornu {name}" in capsys.readouterr().out.partition("examples:")[2], name
    main([])
    assert "exit codes: 0 " in capsys.readouterr().out


def test_an_unknown_command_gets_the_nearest(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["cornu", "trian"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "Did you mean 'train'?" in capsys.readouterr().err


def test_starting_loads_neither_jax_nor_numpy():
    code = "import sys; from cornu.cli.main import main; main([]); sys.exit(bool({'jax', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0
