"""The arguments of the commands for trained models, separate from the commands: parsing them loads nothing else."""

import argparse
from typing import Any

_DATA_HELP = (
    "the data: mnist, fashion_mnist, or a .npz file with x and y (or x_test and y_test), or an array for each "
    "input and output by its name"
)

_EVALUATE = """examples:
  cornu evaluate mnist-mlp.keras                          on the test images of MNIST
  cornu evaluate prices.h5 --data houses.npz --json       on x and y from a file, the result as JSON
  cornu evaluate mnist-mlp.keras --report report.html     with curves, confusion matrix and mistakes as a page
"""
_PREDICT = """examples:
  cornu predict mnist-mlp.keras photo.jpg                 the digits on a photographed sheet of paper
  cornu predict mnist-mlp.keras a.png b.png --show        ... and what the model saw
  cornu predict cats.keras cat.jpg --classes cat,dog      a classifier of other pictures
  cornu predict prices.keras houses.npz --json            any model: x, or an array for each input by its name
"""
_SUMMARY = """examples:
  cornu summary mnist-mlp.keras
  cornu summary resnet.keras --expand-nested --show-trainable
"""
_PLOT = """examples:
  cornu plot mnist-mlp.keras                              writes mnist-mlp.svg; needs no other program
  cornu plot mnist-mlp.keras --out model.png --rankdir LR other formats need pydot and Graphviz
"""
_FIND = """examples:
  cornu find-lr mnist-cnn                                 for one of the models of `cornu train`
  cornu find-lr my.keras --data mine.npz --out rates.svg  for your own compiled model and data
"""
_COMPLETION = """examples:
  source <(cornu completion bash)                         in ~/.bashrc
  source <(cornu completion zsh)                          in ~/.zshrc
  cornu completion fish > ~/.config/fish/completions/cornu.fish
"""


def add_to(commands: Any) -> None:
    """Add the commands to a parser's commands."""
    _add_evaluate(commands)
    _add_predict(commands)
    _add_summary(commands)
    _add_plot(commands)
    _add_find_lr(commands)
    shell = add_command(
        commands, "completion", "print a script that completes cornu's commands in a shell", _COMPLETION
    )
    shell.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")


def add_command(commands: Any, name: str, what: str, examples: str, description: str = "") -> argparse.ArgumentParser:
    """Add a command that the module of the same name runs, with examples below its help; return its parser."""
    parser = commands.add_parser(
        name,
        help=what,
        description=description or f"{what[0].upper()}{what[1:]}.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module = {"find-lr": "find_rate"}.get(name, name)
    parser.set_defaults(module=f"cornu.cli.{module}")
    return parser


def _model(parser: Any, what: str = "a model's file (.keras, .h5)") -> None:
    parser.add_argument("model", metavar="MODEL", help=what)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_evaluate(commands: Any) -> None:
    parser = add_command(commands, "evaluate", "evaluate a trained model", _EVALUATE)
    _model(parser)
    parser.add_argument("--data", default="mnist", metavar="DATA", help=f"{_DATA_HELP} (mnist)")
    parser.add_argument("--batch-size", type=positive, default=256, metavar="ROWS", help="rows per step (256)")
    parser.add_argument("--report", metavar="FILE", help="also write a report (.html)")


def _add_predict(commands: Any) -> None:
    parser = add_command(commands, "predict", "run a trained model on pictures or rows", _PREDICT)
    _model(parser)
    parser.add_argument(
        "images",
        nargs="+",
        metavar="FILE",
        help="PNG, JPEG, ... (several digits on paper are found), or .npz with rows",
    )
    parser.add_argument("--top", type=positive, default=3, metavar="N", help="how many classes to show (3)")
    parser.add_argument("--classes", metavar="NAMES", help="names of the classes, separated by commas")
    parser.add_argument("--one", action="store_true", help="all ink in a picture is one digit")
    parser.add_argument("--show", action="store_true", help="draw what the model sees")


def _add_summary(commands: Any) -> None:
    parser = add_command(commands, "summary", "print the layers of a trained model", _SUMMARY)
    _model(parser)
    parser.add_argument("--line-length", type=positive, metavar="N", help="width in characters")
    parser.add_argument("--expand-nested", action="store_true", help="show the layers of inner models")
    parser.add_argument("--show-trainable", action="store_true", help="mark trainable layers")


def _add_plot(commands: Any) -> None:
    parser = add_command(commands, "plot", "draw a trained model", _PLOT)
    _model(parser)
    parser.add_argument(
        "--out", metavar="FILE", help="where to draw it: .svg, or .png, .pdf, ... by Graphviz (MODEL.svg)"
    )
    parser.add_argument("--rankdir", choices=("TB", "LR"), default="TB", help="downwards (TB) or to the right (LR)")
    parser.add_argument("--no-shapes", action="store_true", help="leave the shapes out")
    parser.add_argument("--expand-nested", action="store_true", help="draw inner models layer by layer")
    parser.add_argument("--show-trainable", action="store_true", help="mark trainable and frozen layers")


def _add_find_lr(commands: Any) -> None:
    parser = add_command(commands, "find-lr", "find a learning rate by a range test", _FIND)
    _model(parser, "a name that `cornu train` lists, or the file of a compiled model")
    parser.add_argument("--data", metavar="DATA", help="for a file: mnist, fashion_mnist, or .npz with x and y (mnist)")
    parser.add_argument("--lowest", type=float, default=1e-6, metavar="RATE", help="the first rate (1e-6)")
    parser.add_argument("--highest", type=float, default=10.0, metavar="RATE", help="the last rate (10)")
    parser.add_argument("--steps", type=positive, default=100, metavar="N", help="how many rates (100)")
    parser.add_argument("--batch-size", type=positive, default=128, metavar="ROWS", help="rows per step (128)")
    parser.add_argument("--seed", type=int, help="makes the search repeatable")
    parser.add_argument("--out", metavar="FILE", help="where to draw the curve (learning-rate.svg)")


def port(text: str) -> int:
    """Return a port of a command line, 0 for a free one."""
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def positive(text: str) -> int:
    """Return a number of a command line that is 1 or more."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text!r}")
    return int(text)
