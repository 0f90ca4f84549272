"""docs/serving.md is true: its requests are answered, its limits are the limits, its options are there."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

import cornu as keras
from cornu import layers
from cornu.cli.main import main
from cornu.serve.application import Service
from cornu.serve.limits import Limits
from cornu.serve.served_model import SIZES, ServedModel

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(command)
    for block in re.findall(r"^```sh\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
    for command in re.split(r"\n(?=\S)", block.strip())
    if command.startswith("curl")
]


@pytest.fixture(scope="module")
def prices():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    with TestClient(Service([ServedModel("prices", model, sizes=(2,))]).application) as found:
        yield found


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[1])
def test_its_requests_are_answered(prices, command):
    path = command[1].removeprefix("http://127.0.0.1:8000")
    body = command[command.index("-d") + 1] if "-d" in command else None
    answer = prices.get(path) if body is None else prices.post(path, content=body)
    assert answer.status_code == 200, answer.text
    assert np.isfinite(json.loads(answer.content).get("predictions", 0)).all()


def test_its_limits_are_the_limits():
    limits = Limits()
    for said in (
        f"{limits.body >> 20} MB", f"{limits.rows} rows", f"{limits.queue} rows", f"{limits.bodies >> 20} MB",
        f"{limits.seconds:.0f} s", f"{limits.receiving:.0f} s", f"{limits.gather * 1000:.0f} ms",
        f"{', '.join(map(str, SIZES[:-1]))} or {SIZES[-1]} rows",
    ):  # fmt: skip
        assert said in GUIDE, said


def test_its_options_are_there_with_the_limits_as_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for option in re.findall(r"`(--[a-z-]+)", GUIDE):
        assert f" {option} " in said, option
    limits = Limits()
    for default in (limits.body >> 20, limits.rows, limits.queue, limits.seconds, limits.gather * 1000):
        assert f"({default:g})" in said
