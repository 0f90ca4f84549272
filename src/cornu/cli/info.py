"""``cornu info``: the device, versions, cache, native kernels and extras, for a report of a fault or a first look."""

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

import jax

from cornu.core.compilation_cache import cache_folder
from cornu.core.jax_internals import check_device, setting
from cornu.core.versions import versions
from cornu.kernels.native import calls, library, pictures

#: Extra -> modules that it installs and that Cornu imports.
EXTRAS = {
    "plot": ("matplotlib", "pydot"),
    "serve": ("starlette", "uvicorn", "orjson"),
    "onnx": ("onnx",),
    "tensorboard": ("tensorboard",),
    "image": ("PIL",),
    "ray": ("ray",),
    "cuda": ("jax_cuda12_plugin",),
    "tpu": ("libtpu",),
}


def command(options: argparse.Namespace) -> int:
    """Print what there is; returns 1 if JAX finds no device."""
    found = collected()
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:8}  {said}" for name, said in _lines(found)))
    return 1 if "error" in found["device"] else 0


def collected() -> dict[str, Any]:
    """Return device, versions, cache, native kernels and extras as plain data."""
    return {
        "device": _device(),
        "versions": versions(),
        "cache": _cache(),
        "kernels": library.described(calls.LIBRARY),
        "picture_kernels": library.described(pictures.LIBRARY),
        "extras": {name: all(map(_is_installed, modules)) for name, modules in EXTRAS.items()},
    }


def _device() -> dict[str, Any]:
    try:
        check_device()
        devices = jax.devices()
    except RuntimeError as error:
        return {"error": str(error)}
    return {"platform": devices[0].platform, "kind": devices[0].device_kind, "count": len(devices)}


def _cache() -> dict[str, Any]:
    set_by_user = setting("jax_compilation_cache_dir")
    folder = Path(set_by_user) if set_by_user else cache_folder()
    if folder is None:
        return {"folder": None, "bytes": 0}
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return {"folder": str(folder), "bytes": sum(path.stat().st_size for path in files)}


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    device, cache = found["device"], found["cache"]
    place = "off" if cache["folder"] is None else f"{cache['folder']} ({cache['bytes'] / 1e6:.1f} MB)"
    missing = [name for name, installed in found["extras"].items() if not installed]
    return [
        *found["versions"].items(),
        ("device", device.get("error") or f"{device['count']} x {device['kind']} ({device['platform']})"),
        ("cache", place),
        ("kernels", found["kernels"]),
        ("pictures", found["picture_kernels"]),
        ("extras", ", ".join(name for name, installed in found["extras"].items() if installed) or "none"),
        ("missing", f"{', '.join(missing)} (pip install 'cornu[{missing[0]}]')" if missing else "none"),
    ]
