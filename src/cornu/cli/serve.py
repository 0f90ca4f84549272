"""``cornu serve MODEL...``: trained models over HTTP."""

import argparse
import json
import os
import re
import sys
from pathlib import Path

from cornu.core.errors import one_line
from cornu.saving.files import load_model

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def command(options: argparse.Namespace) -> int:
    """Serve the models that `options` name until stopped; returns the exit code."""
    try:
        from cornu.serve import server
        from cornu.serve.application import Service
        from cornu.serve.limits import Limits
        from cornu.serve.served_model import ServedModel
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "cornu":
            raise
        return _refuse(f"serving needs the package {error.name!r}: pip install 'cornu[serve]'")
    server.compute_in_calling_thread()
    server.start_no_compiler()
    try:
        paths = named(options.models)
        models = [ServedModel(name, load_model(path, compile=False)) for name, path in paths.items()]
    except (OSError, ValueError, TypeError, ModuleNotFoundError) as error:
        return _refuse(str(error).replace("\n", " "))
    try:
        listening = server.bound_to(options.host, options.port)
    except OSError as error:
        return _refuse(f"cannot listen on {options.host}:{options.port}: {error.strerror}. Try another --port.")
    try:
        access = server.access(listening, options.token)
    except ValueError as error:
        listening.close()
        return _refuse(str(error))
    print(f"cornu: compiling {', '.join(paths)} ...", file=sys.stderr, flush=True)
    limits = Limits(
        body=round(options.max_body * (1 << 20)),
        rows=options.max_rows,
        queue=max(options.max_queue, options.max_rows),
        seconds=options.timeout,
        gather=options.gather / 1000,
    )
    service = Service(models, limits, access)
    where = server.address(listening)

    def listens() -> None:
        shown = where if access.token is None else f"{where}/?token={access.token}"
        print(f"cornu: {', '.join(paths)} on {shown} (Ctrl-C stops)", file=sys.stderr, flush=True)
        if options.json:
            secret = {} if access.token is None else {"token": access.token}
            print(json.dumps({"address": where, "models": [*paths], "process": os.getpid(), **secret}), flush=True)

    server.run(service, listening, listens)
    print("cornu: stopped", file=sys.stderr)
    return 0


def named(models: list[str]) -> dict[str, str]:
    """Return files by the names of the models in URLs: NAME=FILE, or the file's name.

    >>> named(["digits=a/b.keras", "c/mnist mlp.keras"])
    {'digits': 'a/b.keras', 'mnist-mlp': 'c/mnist mlp.keras'}
    """
    found: dict[str, str] = {}
    for text in models:
        given, sign, path = text.partition("=")
        if not sign or Path(text).exists():
            path = text
            given = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(text).stem).strip("-.") or "model"
        if not _NAME.fullmatch(given):
            raise ValueError(f"A model's name may contain letters, digits, '.', '_' and '-'; got {given!r}.")
        if given in found:
            raise ValueError(f"Two models are named {given!r}: rename one, as in other={text}.")
        found[given] = path
    return found


def _refuse(message: str) -> int:
    print(f"cornu: {one_line(message)}", file=sys.stderr)
    return 2
