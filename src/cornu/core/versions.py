"""The versions that a report of a fault needs."""

import platform
from importlib import metadata

from cornu import __version__


def versions() -> dict[str, str]:
    """Return the versions of Cornu, Python and the packages that Cornu computes with."""
    found = {"cornu": __version__, "python": platform.python_version()}
    for name in ("jax", "jaxlib", "optax", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
