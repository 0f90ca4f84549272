"""``cornu watch`` and ``cornu train --watch``: trainings on a web page."""

import subprocess
import sys
import urllib.request

import pytest

from cornu.callbacks.dashboard.run_files import Follower, RunFile
from cornu.cli.main import main


def test_a_folder_that_is_not_there_is_said(capsys):
    assert main(["watch", "nowhere"]) == 2
    assert capsys.readouterr().err == "cornu: there is no folder 'nowhere'\n"


@pytest.mark.parametrize("port", ["70000", "-1", "x", "\u0665"])
def test_a_port_that_is_none_is_said(port, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["watch", "--port", port])
    assert caught.value.code == 2
    assert "port" in capsys.readouterr().err


def test_the_page_is_there_until_it_is_ended(tmp_path):
    RunFile(tmp_path, "earlier").record("begin", name="earlier")
    command = [sys.executable, "-u", "-m", "cornu", "watch", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        try:
            assert line.startswith("The runs are at http://127.0.0.1:")
            with urllib.request.urlopen(line.split()[4], timeout=30) as answer:
                assert b"EventSource" in answer.read()
        finally:
            process.kill()


@pytest.mark.usefixtures("few_images")
def test_a_watched_training_tells_its_epochs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("cornu.callbacks.dashboard.callback.runs_folder", lambda: tmp_path / "runs")
    monkeypatch.setattr("cornu.callbacks.dashboard.callback.Server.start", lambda self: None)
    out = tmp_path / "model.keras"
    assert main(["train", "mnist-adam", "--watch", "--epochs", "2", "--no-report", "--out", str(out)]) == 0
    assert "Watch the training at http://127.0.0.1:8642/" in capsys.readouterr().out
    kinds = [line["kind"] for line in Follower(tmp_path / "runs").news()]
    assert [kind for kind in kinds if kind != "progress"] == ["begin", "epoch", "epoch", "end"]
