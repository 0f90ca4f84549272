"""What `importlib.metadata` says of the packages that Cornu answers for: others look there for their versions."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from cornu.core.loading import import_module


def distributions(name: str | None, versions: dict[str, str]) -> Iterator["StandInDistribution"]:
    """Yield the metadata of a package with a version if it is asked for by name.

    Whoever asks for TensorFlow may look whether jax is loaded, both before and after using it; so jax is loaded now.
    """
    if name == "tensorflow":
        import_module("jax")
    if name in versions:
        yield StandInDistribution(name, versions[name])


class StandInDistribution(metadata.Distribution):
    """The metadata of a package without files of its own."""

    def __init__(self, name: str, version: str) -> None:
        self._text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"

    def read_text(self, filename: str) -> str | None:
        """Return the metadata, the only file that there is."""
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        """Return the path of a file, which is not there."""
        return Path(path)
