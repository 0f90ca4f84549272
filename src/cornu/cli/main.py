"""The command `cornu`: ``cornu run PROGRAM``, ``cornu train NAME``. Starting it loads little but argparse."""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from cornu.cli import model_arguments, serve_arguments
from cornu.cli.model_arguments import add_command
from cornu.core.era import ERAS
from cornu.core.errors import did_you_mean
from cornu.core.versions import versions

_EXAMPLES = """examples:
  cornu run mnist_cnn.py --my-option 3      run a program written for any version of Keras
  cornu run notebook.ipynb                  ... a notebook, or a tutorial in Markdown
  cornu train mnist-mlp                     train, evaluate and save a classifier of handwritten digits
  cornu train tiny-transformer              ... a model that writes, and prints what it writes
  cornu train --images photos               a classifier of your own pictures: photos/cat, photos/dog, ...
  cornu train                               list what can be trained
  cornu evaluate mnist-mlp.keras            its accuracy on the test images; --report writes a page about it
  cornu predict mnist-mlp.keras photo.jpg   the digits on a photographed sheet of paper
  cornu train mnist-mlp --watch             ... with live curves on a local web page
  cornu summary, plot, find-lr, completion  layers, drawing, learning rate, shell completion (each has --help)
  cornu inspect model.keras                 which program wrote a model file, and what is in it
  cornu serve mnist-mlp.keras               serve it over HTTP, with a page to draw digits on
  cornu info                                the device, versions, cache and extras

exit codes: 0 success; 1 the program failed, or the result is bad (a rejected file, no good learning rate);
2 wrong usage or input, with one line on stderr; 130 ended by Ctrl-C
"""

_RUN_EXAMPLES = """examples:
  cornu run mnist_cnn.py --my-option 3      options of the program come after its name
  cornu run --seed 1 --figures out a.ipynb  seeded, the figures saved in the folder out
  cornu run --resume kept mnist_cnn.py      killed and restarted, the training continues where it was
  cornu run --devices 4 mnist_cnn.py        each batch is split over 4 devices
  cornu run --replicas 8 mnist_mlp.py       trains 8 copies at once: means with deviations
  cornu run --processes 2 mnist_cnn.py      ... over 2 processes; srun cornu run --hosts: over those of a job
  cornu run --era 2 old.py                  automatic names and formulas are those of Keras 2

exit code: the program's own; 1 after an error in it, 2 if it cannot be read, 130 after Ctrl-C
"""
_TRAIN_EXAMPLES = """examples:
  cornu train                               list what can be trained
  cornu train mnist-mlp --epochs 2          writes mnist-mlp.keras and a report, mnist-mlp.html
  cornu train mnist-cnn --watch --json      with curves on a web page; the result as JSON
  cornu train mnist-mlp --replicas 8        trains 8 at once, and says the accuracy with its deviation
  cornu train addition-lstm                 learns to add numbers, and shows sums as it learns
  cornu train tiny-transformer --text a.txt learns to write in the manner of your text
  cornu train --images photos               a classifier of your pictures: photos/cat/*.jpg, photos/dog/*.jpg
  cornu train --images                      ... to try it: of drawn circles, squares and triangles
"""
_TRAIN_HELP = "Train one of the examples by name, or a classifier of your own pictures."
_WATCH_EXAMPLES = """examples:
  cornu watch                               the runs on this machine, at http://127.0.0.1:8642
  cornu watch runs --port 0                 those in another folder, on a free port
"""
_INFO_EXAMPLES = """examples:
  cornu info                                the device, versions, cache and extras
  cornu info --json                         the same for a machine

exit codes: 0; 1 if JAX finds no device
"""
_INSPECT_EXAMPLES = """examples:
  cornu inspect model.keras                 who wrote it, its layers, parameters and optimizer
  cornu inspect weights.h5 --json           the same for a machine

exit codes: 0 it can be read, 1 it is rejected, 2 there is no such file
"""

_RUN_HELP = """Run a program written for any version of Keras, unchanged: keras and tensorflow.keras mean Cornu, inside
this process only, whether or not they are installed. PROGRAM is .py, .ipy, .ipynb, or a document (.md, .txt) whose
Python code blocks run in order. What cornu changes or leaves out is reported on stderr, in lines that begin with
"cornu: ". A program written for Keras 1, Keras 2 or tf.keras has the layer names and formulas of that time
(docs/differences.md). Its era is recognized by imports and spellings (nb_epoch, Convolution2D: 1; np_utils, lr=,
fit_generator: 2; tensorflow.keras: tf.keras; keras.ops: 3); it is 3 if there are none, or if they contradict."""


_REPLICAS: dict[str, Any] = {
    "type": model_arguments.positive,
    "metavar": "N",
    "default": 1,
    "help": "train N copies at once, with other random numbers: results with error bars",
}


class _Parser(argparse.ArgumentParser):
    """A parser that suggests the nearest command for an unknown one."""

    def error(self, message: str) -> NoReturn:
        given = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        hint = did_you_mean(given, self._commands()) if "invalid choice" in message else ""
        self.exit(2, f"cornu: {message.splitlines()[0]}{hint}\nSee: {self.prog} --help\n")

    def _commands(self) -> list[str]:
        return [name for action in self._actions if action.dest == "command" for name in action.choices or ()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 1 a program's error, 2 wrong usage, 130 Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        code = _run(options, sys.argv[1:] if arguments is None else list(arguments), arguments is None)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader closed the pipe, as in `cornu train | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:  # before or after what a command does itself about it
        print("cornu: interrupted", file=sys.stderr)
        return 130
    if options.command == "serve" and arguments is None:
        sys.stderr.flush()
        os._exit(code)  # nobody waits for what is left: freeing the memory and JAX's threads could take a second
    return code


def _run(options: argparse.Namespace, given: list[str], from_shell: bool) -> int:
    if options.command == "run" and not options.version:
        from cornu.cli import hosts, run

        era = None if options.era == "auto" else options.era
        resume = None if options.resume is None else run.Resume(options.resume, options.keep_every)
        by_hand = hosts.Hosts(options.coordinator, options.processes, options.process)
        among = by_hand if options.hosts or any(one is not None for one in by_hand) else None
        if among is not None and among.to_start is not None and not options.hosts:
            return hosts.start_all(among.to_start, given[1:])
        if from_shell and (resume is not None or among is not None):
            run.fix_hashes()
        spread = options.devices or ("all" if among is not None else None)
        if options.shard_state and spread is None:
            options.parser.error("--shard-state needs --devices")
        if options.replicas > 1 and (resume is not None or among is not None):
            reason = "a backup keeps one training" if among is None else "several processes train one model"
            options.parser.error(f"--replicas does not go with --{'resume' if among is None else 'hosts'}: {reason}")
        over = None if spread is None else run.Devices(spread, options.shard_state)
        return run.run(
            options.program,
            options.arguments,
            options.figures,
            options.seed,
            options.traceback,
            resume,
            era,
            over,
            among,
            options.replicas,
        )
    if options.command == "inspect" and not options.version:
        from cornu.cli import inspect

        return inspect.command(options.file, options.json)
    if options.command and not options.version:
        return importlib.import_module(options.module).command(options)
    if options.version:
        return _print_version(options.json)
    _parser().print_help()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cornu",
        description="The Keras API of every version, run on JAX/XLA.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the versions of Cornu and its dependencies")
    parser.add_argument("--json", action="store_true", help="with --version: print it as JSON")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_run(commands)
    _add_train(commands)
    _add_watch(commands)
    serve_arguments.add_to(commands)
    model_arguments.add_to(commands)
    parser.set_defaults(parser=parser)
    _add_info_and_inspect(commands)
    return parser


def _add_run(commands: Any) -> None:
    run = add_command(commands, "run", "run a program written for any version of Keras", _RUN_EXAMPLES, _RUN_HELP)
    run.add_argument("--figures", metavar="DIR", help="save the figures that the program shows in DIR")
    run.add_argument("--seed", type=int, help="seed Python, numpy and Cornu before the program starts")
    run.add_argument("--traceback", action="store_true", help="after an error, show Cornu's and jax's own lines too")
    run.add_argument(
        "--era", choices=("auto", *ERAS), default="auto", help="the Keras that the program was written for (auto)"
    )
    run.add_argument(
        "--resume", metavar="DIR", help="keep the training in DIR; killed and restarted, it continues from there"
    )
    run.add_argument(
        "--keep-every", metavar="SECONDS", type=float, default=20.0, help="with --resume: time between saves (20)"
    )
    run.add_argument(
        "--devices", type=_devices, metavar="N", help="split batches over N devices, or `all`; a CPU becomes N devices"
    )
    run.add_argument(
        "--shard-state", action="store_true", help="with --devices: each device holds a part of weights and optimizer"
    )
    run.add_argument("--replicas", **_REPLICAS)
    run.add_argument(
        "--hosts", action="store_true", help="run together with the other processes of a SLURM, MPI or Kubernetes job"
    )
    run.add_argument(
        "--processes", type=model_arguments.positive, metavar="N", help="... of N processes, started here if alone"
    )
    run.add_argument("--coordinator", metavar="HOST:PORT", help="... that meet at this address, of process 0")
    run.add_argument("--process", type=int, metavar="I", help="... of which this is number I, from 0")
    run.add_argument("program", metavar="PROGRAM", help="the program's file")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments for the program").required = False


def _add_train(commands: Any) -> None:
    train = add_command(
        commands, "train", "train an example, or a classifier of your own pictures", _TRAIN_EXAMPLES, _TRAIN_HELP
    )
    train.add_argument("name", nargs="?", metavar="NAME", help="what to train; without it, list the names")
    train.add_argument("--epochs", type=model_arguments.positive, help="passes over the training data")
    train.add_argument("--batch-size", type=model_arguments.positive, help="rows per step")
    train.add_argument("--seed", type=int, help="makes the run repeatable")
    train.add_argument("--replicas", **_REPLICAS)
    train.add_argument("--text", metavar="FILE", help="for tiny-transformer: a text in UTF-8 to learn from (sonnets)")
    train.add_argument(
        "--out", metavar="FILE", help="where to save the model (NAME.keras, or NAME-2.keras if that exists)"
    )
    train.add_argument("--overwrite", action="store_true", help="replace the model's file if it exists")
    train.add_argument("--report", metavar="FILE", help="where to write the report (NAME.html, next to the model)")
    train.add_argument("--no-report", action="store_true", help="write no report")
    train.add_argument("--json", action="store_true", help="print the result as JSON on stdout, the progress on stderr")
    _add_images(train)
    train.add_argument("--watch", action="store_true", help="show live curves on a local web page")


def _add_images(train: argparse.ArgumentParser) -> None:
    images = train.add_argument_group("for pictures")
    images.add_argument(
        "--images", nargs="?", const="", metavar="FOLDER",
        help="train on pictures: a subfolder per class, or train/ and test/ with such subfolders (drawn shapes)",
    )  # fmt: skip
    images.add_argument("--size", type=_side, metavar="N", help="resize to N x N pixels (by the pictures, 32 to 160)")
    images.add_argument(
        "--held-out", type=_fraction, default=0.2, metavar="PART", help="part of each class that tests the model (0.2)"
    )
    images.add_argument(
        "--base", metavar="MODEL",
        help="build on a trained model of pictures, whose top is replaced: a file, or a name such as MobileNetV2",
    )  # fmt: skip
    images.add_argument("--weights", metavar="FILE", help="the weights of a --base by name (Keras's, downloaded once)")
    images.add_argument(
        "--pixels",
        choices=("0..1", "0..255", "-1..1", "bgr", "imagenet"),
        help="how the base wants pixels (by its name)",
    )
    images.add_argument("--no-mirror", action="store_true", help="left and right matter, as in writing")
    images.add_argument("--no-variation", action="store_true", help="do not turn, move or brighten pictures")


def _side(text: str) -> int:
    side = model_arguments.positive(text)
    if not 8 <= side <= 1024:
        raise argparse.ArgumentTypeError(f"expected 8 to 1024 pixels, got {side}")
    return side


def _devices(text: str) -> str:
    return text if text == "all" else str(model_arguments.positive(text))


def _fraction(text: str) -> float:
    try:
        fraction = float(text)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, such as 0.2, got {text!r}")
    return fraction


def _add_watch(commands: Any) -> None:
    said = "Show current and earlier runs that had a dashboard."
    watch = add_command(commands, "watch", "show trainings on a web page", _WATCH_EXAMPLES, said)
    watch.add_argument("folder", nargs="?", metavar="FOLDER", help="the dashboards' folder, if not the default")
    watch.add_argument(
        "--port", type=model_arguments.port, default=8642, help="port of the page, 0 for a free one (8642)"
    )
    watch.add_argument("--token", action="store_true", help="ask for a token, which the printed address contains")


def _add_info_and_inspect(commands: Any) -> None:
    info = add_command(commands, "info", "the device, versions, cache and extras", _INFO_EXAMPLES)
    info.add_argument("--json", action="store_true", help="print it as JSON")
    said = "Describe a model file without building the model."
    inspect = add_command(commands, "inspect", "describe a model file", _INSPECT_EXAMPLES, said)
    inspect.add_argument(
        "file",
        metavar="FILE",
        help=".keras, .h5, .weights.h5, .safetensors, the JSON of a model, or a SavedModel folder",
    )
    inspect.add_argument("--json", action="store_true", help="print it as JSON")


def _print_version(as_json: bool) -> int:
    found = versions()
    if as_json:
        print(json.dumps(found))
    else:
        others = ", ".join(f"{name} {version}" for name, version in found.items() if name != "cornu")
        print(f"cornu {found['cornu']} ({others})")
    return 0
