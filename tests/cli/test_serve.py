import sys

import pytest

from cornu.cli.main import main
from cornu.cli.serve import named


def run(capsys, *arguments):
    try:
        code = main(["serve", *arguments])
    except SystemExit as ended:
        code = ended.code
    return code, capsys.readouterr().err


def test_models_are_named_by_their_files_or_as_told(tmp_path):
    assert named(["a/b.keras", "x=c.h5"]) == {"b": "a/b.keras", "x": "c.h5"}
    assert named(["my model (2).keras"]) == {"my-model-2": "my model (2).keras"}
    odd = tmp_path / "a=b.keras"
    odd.touch()
    assert named([str(odd)]) == {"a-b": str(odd)}
    with pytest.raises(ValueError, match="Two models are named 'b'"):
        named(["a/b.keras", "c/b.h5"])
    with pytest.raises(ValueError, match=r"letters, digits"):
        named(["a/b=c.keras"])


def test_what_cannot_be_served_is_said_in_one_line(capsys, tmp_path):
    pytest.importorskip("uvicorn")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"not a model")
    for path in (tmp_path / "missing.keras", broken, tmp_path):
        code, said = run(capsys, str(path))
        assert code == 2
        assert said.startswith("cornu: ")
        assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["m.keras", "--port", "70000"], "expected a port from 0 to 65535, got '70000'"),
        (["m.keras", "--max-rows", "0"], "expected an integer of at least 1, got '0'"),
        (["m.keras", "--timeout", "nan"], "expected a number above 0, got 'nan'"),
        (["m.keras", "--gather", "x"], "expected a number above 0, got 'x'"),
        ([], "MODEL"),
    ],
)
def test_arguments_that_are_wrong(capsys, arguments, said):
    code, text = run(capsys, *arguments)
    assert code == 2
    assert said in text


def test_without_the_extra_its_pip_command_is_said(capsys, monkeypatch):
    for module in [name for name in sys.modules if name.startswith("cornu.serve")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    code, said = run(capsys, "m.keras")
    assert code == 2
    assert said == "cornu: serving needs the package 'uvicorn': pip install 'cornu[serve]'\n"


def test_ctrl_c_before_it_serves_is_said_in_one_line(capsys, monkeypatch):
    pytest.importorskip("uvicorn")

    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("cornu.cli.serve.load_model", interrupted)
    assert run(capsys, "m.keras") == (130, "cornu: interrupted\n")
