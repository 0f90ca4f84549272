"""``cornu train NAME``, ``cornu train --images FOLDER``: train, evaluate and save an example or your own classifier."""

import argparse
import ast
import contextlib
import importlib.util
import itertools
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cornu
from cornu.callbacks import Callback, Dashboard
from cornu.cli import train_images
from cornu.cli.common import UserError, refused
from cornu.core import settings
from cornu.core.error_bars import deviation_of
from cornu.core.errors import did_you_mean


def command(options: argparse.Namespace) -> int:
    """Train what `options` name and return the exit code; without a name or pictures, list the examples."""
    try:
        if options.images is not None:
            return _train_images(options)
        examples = find_examples()
        if options.name is None:
            return _list(examples, options.json)
        return _train_example(options, examples)
    except UserError as error:
        return refused(error)


def _train_example(options: argparse.Namespace, examples: dict[str, Path]) -> int:
    if options.name not in examples:
        hint = did_you_mean(options.name, examples)
        raise UserError(f"there is no example {options.name!r}.{hint} Available: {', '.join(examples)}")
    out, report = _places(options, options.name)
    example = load_example(examples[options.name])
    if options.text is not None and (reason := _unreadable(example, options)):
        raise UserError(reason)
    given = {"epochs": options.epochs, "batch_size": options.batch_size, "seed": options.seed, "out": str(out)}
    given |= {"report": report and str(report), "text": options.text}

    def train(callbacks: list[Any]) -> dict[str, Any]:
        arguments = {key: value for key, value in given.items() if value is not None}
        return example.main(**arguments, callbacks=callbacks)

    return _trained(options, options.name, (out, report), train)


def _train_images(options: argparse.Namespace) -> int:
    if options.name is not None:
        raise UserError(f"--images trains on your own pictures: leave {options.name!r} out.")
    name = train_images.name_of(options)
    out, report = _places(options, name)
    try:
        return _trained(options, name, (out, report), partial(train_images.train, options, out, report))
    except ModuleNotFoundError as error:  # Pillow
        raise UserError(str(error)) from error


def _places(options: argparse.Namespace, name: str) -> tuple[Path, Path | None]:
    """Return where to save the model and the report; UserError if that is not possible."""
    out = Path(options.out or f"{name}.keras")
    if out.exists() and not options.overwrite:
        if options.out:
            raise UserError(f"{str(out)!r} exists. Replace it with --overwrite, or name another file with --out.")
        out = _free(out)
        print(f"cornu: {name}.keras exists; this model will be {out} (--overwrite replaces)", file=sys.stderr)
    if not out.parent.is_dir():
        raise UserError(f"cannot save to {str(out)!r}: there is no folder {str(out.parent)!r}. Make it first.")
    report = None if options.no_report else Path(options.report or out.with_suffix(".html"))
    if report is not None and not report.parent.is_dir():
        raise UserError(f"cannot write {str(report)!r}: there is no folder {str(report.parent)!r}. Make it first.")
    return out, report


def _trained(
    options: argparse.Namespace, name: str, places: tuple[Path, Path | None], train: Callable[[list[Any]], dict]
) -> int:
    """Train, and say what came of it; return the exit code."""
    (out, report), kept = places, _Kept()
    started = time.perf_counter()
    try:
        with contextlib.redirect_stdout(sys.stderr) if options.json else contextlib.nullcontext():
            settings.set_replicas(options.replicas)
            result = train([kept, *([Dashboard(name=name)] if options.watch else [])])
    except KeyboardInterrupt:
        print(f"cornu: interrupted; {kept.save(out)}", file=sys.stderr)
        return 130
    finally:
        settings.set_replicas(1)
    seconds = time.perf_counter() - started
    if options.json:
        files = {"model": str(out.resolve()), "report": report and str(report.resolve())}
        print(json.dumps({"name": name, **result, **_deviations(result), **files, "seconds": round(seconds, 1)}))
    else:
        if options.replicas > 1:
            print(f"{options.replicas} replicas: {_with_error(result)}")
        print(f"Trained {name} in {seconds:.0f} s. The model is in {out.resolve()}")
        if report is not None:
            print(f"The report is in {report.resolve()}")
        if options.images is not None:
            print(f"Try it on other pictures: cornu serve {out}")
    return 0


def _deviations(result: dict[str, Any]) -> dict[str, float]:
    return {f"{name}_deviation": by for name, value in result.items() if (by := deviation_of(value))}


def _with_error(result: dict[str, Any]) -> str:
    """Return the accuracy of replicas in percent, with its deviation; their loss if there is none.

    >>> from cornu.core.error_bars import ErrorBar
    >>> _with_error({"loss": 0.1, "accuracy": ErrorBar([0.982, 0.984])})
    'accuracy 98.3 % ± 0.1'
    """
    if "accuracy" not in result:
        return f"loss {result['loss']:.4f}"
    value = 100 * result["accuracy"]
    return f"accuracy {float(value):.1f} % ± {deviation_of(value):.1f}"


class _Kept(Callback):
    """Knows the model in training, so that Ctrl-C does not lose it; `part` is what to save of it, if not all."""

    epochs = 0
    part: Any = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epochs = epoch + 1

    def save(self, out: Path) -> str:
        """Save the model if it has trained for an epoch; returns what became of it."""
        if not self.epochs:
            return "no epoch was finished, and no model was saved"
        (self.part or self.model).save(out)
        return f"the model of {self.epochs} {'epoch' if self.epochs == 1 else 'epochs'} is in {out}"


def _unreadable(example: Any, options: argparse.Namespace) -> str:
    """Return why an example cannot learn from the text that `options` name; "" if it can."""
    if not hasattr(example, "read_text"):
        return f"{options.name} does not learn from a text; leave --text out."
    try:
        example.read_text(options.text)
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError
        said = f"it is not UTF-8 ({error})" if isinstance(error, UnicodeDecodeError) else str(error)
        return f"cannot learn from {options.text!r}: {said}"
    return ""


def _free(path: Path) -> Path:
    """Return the path with the first number from 2 on that no file has."""
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in itertools.count(2))
    return next(one for one in numbered if not one.exists())


def find_examples() -> dict[str, Path]:
    """Return the examples by name: those in the package, or in the checkout that it runs from."""
    package = Path(cornu.__file__).parent
    for folder in (package / "examples", package.parents[1] / "examples"):
        found = {path.stem.replace("_", "-"): path for path in sorted(folder.glob("*.py"))}
        if found:
            return found
    return {}


def _list(examples: dict[str, Path], as_json: bool) -> int:
    descriptions = {name: _first_line(path) for name, path in examples.items()}
    if as_json:
        print(json.dumps([{"name": name, "description": said} for name, said in descriptions.items()]))
        return 0
    width = max(map(len, descriptions), default=0)
    for name, said in descriptions.items():
        print(f"{name:{width}}  {said}")
    print("\nTrain one with: cornu train NAME")
    return 0


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def load_example(path: Path) -> Any:
    """Import an example from its file."""
    spec = importlib.util.spec_from_file_location(f"cornu_example_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module
