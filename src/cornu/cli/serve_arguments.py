"""The arguments of ``cornu serve``, separate from the command: parsing them loads nothing else."""

import argparse
from typing import Any

from cornu.cli.model_arguments import add_command, port, positive

_DESCRIPTION = """Serve trained models (.keras, .h5) over HTTP on one port: the Open Inference Protocol (/v2), the REST
interface of TensorFlow Serving (/v1), a page to draw digits on or to try the model (/), the API as a page (/docs)
and as OpenAPI (/openapi.json), and Prometheus's /metrics. MODEL is a file, or NAME=FILE."""

_EXAMPLES = """examples:
  cornu train mnist-mlp && cornu serve mnist-mlp.keras        then open http://127.0.0.1:8000
  cornu serve digits=mnist-cnn.keras prices=boston.h5 --port 9000
  curl http://127.0.0.1:8000/v1/models/prices:predict -d '{"instances": [[0.1, 0.2]]}'
"""


def add_to(commands: Any) -> None:
    """Add the command to a parser's commands."""
    what = "serve trained models over HTTP, with a page to draw digits on"
    serve = add_command(commands, "serve", what, _EXAMPLES, _DESCRIPTION)
    serve.add_argument("models", nargs="+", metavar="MODEL", help="a model's file, or NAME=FILE")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine only)")
    serve.add_argument("--port", type=port, default=8000, help="port to listen on, 0 for a free one (8000)")
    serve.add_argument(
        "--token",
        action="store_true",
        help="ask for a token, which the printed address contains (always beyond this machine)",
    )
    serve.add_argument("--json", action="store_true", help="print the address as JSON once it listens")
    serve.add_argument("--max-body", type=_amount, default=8, metavar="MB", help="largest request (8)")
    serve.add_argument("--max-rows", type=positive, default=4096, metavar="ROWS", help="most rows in a request (4096)")
    serve.add_argument("--max-queue", type=positive, default=8192, metavar="ROWS", help="most rows waiting (8192)")
    serve.add_argument("--timeout", type=_amount, default=30, metavar="SECONDS", help="longest wait for an answer (30)")
    serve.add_argument(
        "--gather", type=_amount, default=2, metavar="MS", help="longest time that a batch waits for more requests (2)"
    )


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not 0 < amount < 1e6:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return amount
