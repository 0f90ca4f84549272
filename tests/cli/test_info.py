"""`cornu info`."""

import json
import tomllib
from pathlib import Path

import jax

from cornu.cli import info
from cornu.cli.main import main
from cornu.core.compilation_cache import cache_folder

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def test_it_says_device_versions_cache_and_extras(capsys):
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    assert f"1 x {jax.devices()[0].device_kind}" in said
    assert jax.__version__ in said
    for word in ("cornu", "python", "cache", "kernels", "extras", "missing"):
        assert f"\n{word} " in f"\n{said}"


def test_as_json(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(info, "setting", lambda name: str(tmp_path))
    (tmp_path / "program").write_bytes(bytes(1234))
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["device"]["platform"] == jax.devices()[0].platform
    assert found["cache"] == {"folder": str(tmp_path), "bytes": 1234}
    assert found["versions"]["numpy"]
    assert found["extras"]["plot"] in (True, False)


def test_a_cache_that_is_off(capsys, monkeypatch):
    monkeypatch.setattr(info, "setting", lambda name: None)
    monkeypatch.setenv("CORNU_CACHE_DIR", "off")
    assert cache_folder() is None
    assert main(["info"]) == 0
    assert "cache     off" in capsys.readouterr().out


def test_no_device_is_said(capsys, monkeypatch):
    def refuse():
        raise RuntimeError("JAX finds no such device.")

    monkeypatch.setattr(info, "check_device", refuse)
    assert main(["info"]) == 1
    assert "JAX finds no such device." in capsys.readouterr().out


def test_the_extras_are_those_of_the_project():
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(info.EXTRAS) == {name for name in extras if not name.startswith("test")}
