"""Models as programs in .stablehlo files: they compute what the model does, without its code; refusals in words."""

import json
import random
import signal
import subprocess
import sys
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export as jax_export

import cornu
from contract.table import COMPILED, call
from cornu import layers
from cornu.core.graph import SymbolicTensor
from cornu.export import load
from export.models import MODELS, data_for, rows_of
from saving.mutations import changed_bytes


@pytest.mark.parametrize("name", MODELS)
def test_a_program_computes_what_the_model_does(tmp_path, name):
    model, x = MODELS[name](), data_for(name)
    expected = model.predict(x, verbose=0)
    model.export(tmp_path / "m.stablehlo")
    again = load(tmp_path / "m.stablehlo", trusted=True)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), again.predict(x, batch_size=3), expected
    )
    one = jax.tree.map(lambda leaf: leaf[:1], expected)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), again(rows_of(x, 1)), one)
    assert [path.name for path in tmp_path.iterdir()] == ["m.stablehlo"]


@pytest.mark.parametrize("name", COMPILED)
def test_every_layer_has_a_program_for_every_platform(tmp_path, name):
    entry = COMPILED[name]
    inputs = jax.tree.map(
        lambda t: cornu.Input(t.shape[1:], dtype=t.dtype),
        entry.symbolic(),
        is_leaf=lambda t: isinstance(t, SymbolicTensor),
    )
    model = cornu.Model(jax.tree.leaves(inputs), call(entry.make(layers), inputs))
    model.export(tmp_path / "m.stablehlo")
    again = load(tmp_path / "m.stablehlo", trusted=True)
    assert again.platforms == ("cpu", "cuda", "tpu")
    assert [tuple(argument["shape"]) for argument in again.inputs] == [tuple(t.shape) for t in model.inputs]


def small(tmp_path):
    model = cornu.Sequential([cornu.Input((3,), name="rows"), layers.Dense(2, kernel_initializer="ones")], name="small")
    model.export(tmp_path / "m.stablehlo")
    return tmp_path / "m.stablehlo"


def test_it_runs_in_a_process_that_has_none_of_the_models_code(tmp_path):
    path = small(tmp_path)
    program = (
        f"import numpy as np; from cornu.export import load; m = load({str(path)!r});"
        "print(m.predict(np.ones((5, 3))).tolist()[4], m)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("[3.0, 3.0] <ExportedModel 'small': ['rows'] -> ['dense")


def test_no_path_of_this_machine_is_in_the_file(tmp_path):
    content = small(tmp_path).read_bytes()
    assert b".py" not in content
    assert b"dense" in content  # the names of layers are


def test_inputs_have_clear_errors(tmp_path):
    model = load(small(tmp_path), trusted=True)
    assert model({"rows": np.ones((2, 3), "int32")}).dtype == "float32"
    with pytest.raises(ValueError, match=r"input 'rows' of the model 'small' has shape \(None, 3\).* got \(2, 4"):
        model(np.ones((2, 4)))
    with pytest.raises(ValueError, match="expects 1 inputs"):
        model([np.ones((2, 3)), np.ones((2, 3))])


def change(path, **changes):
    """Write a file again with some members changed by functions."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", changes.pop("packing", zipfile.ZIP_STORED)) as archive:
        for name, content in members.items():
            archive.writestr(name, changes.get(name.partition(".")[0], lambda same: same)(content))
    return path


def edit(**values):
    return lambda content: json.dumps(json.loads(content) | values).encode()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"metadata": edit(version=2)}, "was written by a later Cornu"),
        ({"metadata": edit(format="other")}, "not the metadata of an exported model"),
        ({"metadata": edit(version="1")}, "not the metadata of an exported model"),
        ({"metadata": edit(inputs={})}, "no 'inputs' of the right type"),
        ({"metadata": edit(inputs=[])}, "inputs and outputs that the file states"),
        ({"metadata": edit(inputs=[3])}, "inputs and outputs that the file states"),
        ({"metadata": edit(outputs=[0, 1])}, "inputs and outputs that the file states"),
        ({"metadata": edit(outputs=["a"])}, "inputs and outputs that the file states"),
        ({"metadata": lambda content: content[:-1]}, "cannot be read as JSON"),
        ({"program": lambda content: content[:-1]}, "does not match the file's checksum"),
        ({"weights": lambda content: content[:-1]}, "refused"),
        ({"weights": lambda content: content.replace(b'"0:', b'"7:')}, "Cornu.s names"),
        ({"packing": zipfile.ZIP_DEFLATED}, "compressed or flagged"),
    ],
)
def test_files_that_were_changed(tmp_path, changes, match):
    with pytest.raises(ValueError, match=match):
        load(change(small(tmp_path), **changes), trusted=True)


def test_other_files(tmp_path):
    (tmp_path / "text").write_text("no program")
    with pytest.raises(ValueError, match=r"was not written by model\.export"):
        load(tmp_path / "text")
    cornu.Sequential([cornu.Input((3,)), layers.Dense(2)]).save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="It is a saved model"):
        load(tmp_path / "m.keras")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")
    with pytest.raises(ValueError, match="contains the member"):
        cornu.models.load_model(small(tmp_path))


def with_program(path, content):
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    return change(path, program=lambda _: content, metadata=edit(sha256=digest))


def test_a_program_that_calls_out_is_refused(tmp_path):
    call = jax.ffi.ffi_call("some_function", jax.ShapeDtypeStruct((2, 2), "float32"))
    checks = [jax_export.DisabledSafetyCheck.custom_call("some_function")]
    exported = jax_export.export(jax.jit(lambda k, b, x: call(k)), disabled_checks=checks)(
        jnp.ones((3, 2)), jnp.ones(2), jnp.ones((1, 3))
    )
    for trusted in (True, False):
        with pytest.raises(ValueError, match=r"The program in 'm.stablehlo' calls some_function: refused"):
            load(with_program(small(tmp_path), bytes(exported.serialize())), trusted=trusted)


def test_a_forged_program_does_not_end_this_process(tmp_path):
    """With the versions of this writing it lets jaxlib's reader run out of its stack: a type that refers to itself."""
    with zipfile.ZipFile(small(tmp_path)) as archive:
        content = archive.read("program.stablehlo")
    forged = changed_bytes(content, random.Random(137))
    with pytest.raises(ValueError, match=r"The program in 'm.stablehlo' (cannot be read|.*crashed the process that)"):
        load(with_program(tmp_path / "m.stablehlo", forged))


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            subprocess.CompletedProcess([], -signal.SIGSEGV, b""),
            r"crashed the process that tried to read it \(SIGSEGV\)",
        ),
        (subprocess.CompletedProcess([], 3, b""), r"crashed the process that tried to read it \(code 3\)"),
        (subprocess.TimeoutExpired([], 1), "could not be read in 120 s"),
    ],
)
def test_a_program_that_the_process_which_tries_it_does_not_survive(tmp_path, monkeypatch, outcome, words):
    def run(*_, **__):
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    path = small(tmp_path)
    monkeypatch.setattr("cornu.export.trial.subprocess.run", run)
    with pytest.raises(ValueError, match=words):
        load(path)
    assert load(path, trusted=True).input_names == ["rows"]


def test_damaged_programs_are_refused(tmp_path):
    path = small(tmp_path)
    with zipfile.ZipFile(path) as archive:
        content = archive.read("program.stablehlo")
    for wrong in (b"", b"\0" * 100, content[:200]):
        with pytest.raises(ValueError, match=r"The program in 'm.stablehlo'"):
            load(with_program(path, wrong))
