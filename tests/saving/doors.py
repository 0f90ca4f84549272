"""Every way into the readers, for the tests of hostile files."""

import contextlib
import io
import json
import os
import pickle
import sys
import warnings
import zipfile
import zlib
from pathlib import Path

import h5py  # noqa: F401 (its import starts a process, which is nothing that a file does)

from saving.mutations import trained, unzipped

#: What a reader may raise for a file that it refuses.
REFUSED = (ValueError, TypeError, pickle.UnpicklingError)


SOURCE = Path(__file__).parents[2] / "src"
FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.remove", "os.rename")
FORBIDDEN += (
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.truncate",
    "shutil.",
    "ftplib.",
    "urllib.",
)


#: What folders of TensorFlow hold.
FILES = {f"{name}{end}" for name in ("weights", "variables/variables") for end in (".index", ".data-00000-of-00001")}
FILES |= {"checkpoint", "saved_model.pb", "keras_metadata.pb"}
KEPT = "-kept"  # what a file's name ends in becomes the folder that keeps it as a training's checkpoint
PATHS = {"os.rename": 2, "os.link": 2, "os.symlink": 2}  # how many of an event's arguments are paths


class Watch:
    """What the readers do beside reading, seen by Python's audit events."""

    def __init__(self, file: Path) -> None:
        self.file, self.active, self.seen = str(file), False, []
        # Code is read where an error's lines are shown.
        places = (sys.prefix, sys.base_prefix, SOURCE, SOURCE.parent / "tests", SOURCE.parent / "scripts")
        packages = [place for place in sys.path if place.endswith("-packages")]
        self.allowed = tuple({str(Path(place).resolve()) for place in (*places, *packages)})
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.active:
            return
        if event == "open" and str(arguments[0]).endswith(("-cache", "-atime")):  # JAX's own compiled programs
            return
        if arguments and all(str(one).startswith(f"{self.file}{KEPT}") for one in arguments[: PATHS.get(event, 1)]):
            return
        if event == "open":
            name, mode, flags = str(arguments[0]), arguments[1], arguments[2]
            written = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) or any(c in str(mode) for c in "wax+")
            # Python looks for the line of a syntax error in its file, which for a text it takes to be "<string>".
            known = name in (self.file, "<string>") or name.startswith((*self.allowed, "/proc/", "/sys/", "/usr/lib"))
            if (written and name != os.devnull) or not known:
                self.seen.append(f"{event} {arguments}")
        elif event.startswith(FORBIDDEN):
            self.seen.append(f"{event} {arguments}")


def inspect(path):
    """Read a file as ``cornu inspect`` does, and print it; ValueError with its line where it is refused."""
    from cornu.cli import inspect

    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = inspect.command(str(path), as_json=False)
    said = output.getvalue() + errors.getvalue()
    assert all(character.isprintable() or character == "\n" for character in said)
    if code:
        assert said.startswith("cornu: "), said
        assert said.count("\n") == 1, said
        assert not output.getvalue()
        raise ValueError(said)


def load_model(path):
    from cornu.models import load_model

    return load_model(path)


def loader_of(model):
    """Return the way ``load_weights`` into a model; no weight of it may change where the file is refused."""

    def load_weights(path):
        before = [variable.value for variable in model.variables]
        try:
            model.load_weights(path)
        except ValueError:
            assert all(one is two.value for one, two in zip(before, model.variables, strict=True))
            raise
        for variable, value in zip(model.variables, before, strict=True):
            variable.assign(value)

    return load_weights


def model_from_json(path):
    from cornu.models import model_from_json

    return model_from_json(path.read_bytes().decode("utf-8", "replace"))


def _parsed(path):
    """Read JSON as a program would that calls from_config itself; what it costs is the program's affair."""
    if path.stat().st_size > 4 << 20:
        raise ValueError("A program reads no such file.")
    try:
        return json.loads(path.read_bytes())
    except RecursionError:
        raise ValueError("Python does not read this.") from None


def deserialize(path):
    from cornu.saving import deserialize_keras_object

    return deserialize_keras_object(_parsed(path))


def from_config(path):
    from cornu.models import Model, Sequential

    config = _parsed(path)
    if not isinstance(config, dict) or "config" not in config:
        raise ValueError("This is none.")
    is_graph = isinstance(config, dict) and config.get("class_name") not in ("Sequential",)
    return (Model if is_graph else Sequential).from_config(config["config"])


def unpacked(way):
    """Return a way in for a folder that is given as one file: its files are laid out beside it."""

    def laid_out(path):
        folder = emptied(path)
        try:
            files = unzipped(path.read_bytes())
        except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error, RuntimeError):
            raise ValueError("It is no archive.") from None
        for name, content in files.items():
            if name in FILES:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
        return way(folder)

    laid_out.__name__ = way.__name__
    return laid_out


def emptied(path):
    """Return the folder that a file's name stands for, without any files in it."""
    folder = Path(f"{path}{KEPT}")
    for left in sorted(folder.rglob("*"), reverse=True):
        left.rmdir() if left.is_dir() else left.unlink()
    folder.mkdir(exist_ok=True)
    return folder


def unpack(path):
    """Extract a file as `get_file` does."""
    from cornu.utils import archives

    folder = emptied(path)
    try:
        if not archives.extract(path, folder, ("tar", "zip")):
            raise ValueError("It is no archive.")
        assert not any(one.is_symlink() for one in folder.rglob("*"))
    finally:
        emptied(path)


def follow(path):
    """Read a run's file as `cornu watch` does."""
    from cornu.callbacks.dashboard.run_files import Follower

    folder = emptied(path)
    (folder / "1.jsonl").write_bytes(path.read_bytes())
    said = json.dumps(list(Follower(folder).news()), ensure_ascii=False)
    assert said.isprintable() or "\n" in said


def predict(path):
    """Make the model of a file, and call it on one row if its inputs are small."""
    import numpy as np

    from cornu.models import load_model

    made = load_model(path, compile=False) if path.read_bytes()[:2] == b"PK" else model_from_json(path)
    shapes = [tuple(1 if size is None else size for size in tensor.shape) for tensor in made.inputs or ()]
    if shapes and sum(map(np.prod, shapes)) <= 100_000:
        rows = [np.zeros(shape, tensor.dtype) for shape, tensor in zip(shapes, made.inputs, strict=True)]
        made.predict(rows if len(rows) > 1 else rows[0], verbose=0)


def load_npz(path):
    from cornu.datasets.arrays import load_npz

    return load_npz(path)


def resume_of(model):
    """Return the way into a training that was kept: the file as the checkpoint of its folder."""

    def resume(path):
        folder = emptied(path)
        (folder / "checkpoint-0").write_bytes(path.read_bytes())
        variables = [*model.variables, *model.optimizer.variables]
        before, numbers = [variable.numpy() for variable in variables], dict(model.optimizer._numbers)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                trained(model, folder)
        finally:  # the next file meets the same model
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)
            model.optimizer._numbers.clear()
            model.optimizer._numbers.update(numbers)
        if any("starts from scratch" in str(warning.message) for warning in caught):
            raise ValueError("It was left aside, with a warning.")

    return resume


def ways_in(name: str, kind: str, model) -> list:
    """Return the ways into which a file of a kind is put; `model` takes the weights."""
    alone = {"npz": load_npz, "archive": unpack, "runs": follow}
    if kind in alone:
        return [alone[kind]]
    if kind == "checkpoint":
        return [resume_of(model)]
    if kind == "json":
        return [inspect, model_from_json, deserialize, from_config]
    weights = loader_of(model)
    if kind in ("ckpt", "savedmodel"):
        return [unpacked(way) for way in (inspect, load_model, weights)]
    return (
        [inspect, weights]
        if "weights" in name or "_old" in name or kind == "safetensors"
        else [inspect, load_model, weights]
    )


@contextlib.contextmanager
def silent():
    """Let warnings pass inside a ``with`` block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
