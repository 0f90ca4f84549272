"""Compiled programs are cached on disk, so that the second run of a program starts immediately.

JAX's persistent cache is switched on in the user's cache folder unless the user has set one. ``CORNU_CACHE_DIR`` puts
it elsewhere; ``CORNU_CACHE_DIR=off`` switches it off. Folders of different versions and processors are kept apart.
"""

import hashlib
import os
import platform
import time
import warnings
from pathlib import Path

import jax
import platformdirs

from cornu.core.jax_internals import CACHE_WARNING, JAXLIB, set_setting, setting
from cornu.core.processor import processor_flags

LIMIT = 512 << 20  # bytes that the folder may hold; the oldest programs are removed first
DAY = 24 * 3600.0


def cache_folder() -> Path | None:
    """Return the folder for compiled programs of these versions on this processor, or None if it is off."""
    given = os.environ.get("CORNU_CACHE_DIR")
    if given and given.lower() in ("off", "0", "no"):
        return None
    base = Path(given) if given else Path(platformdirs.user_cache_dir("cornu", appauthor=False)) / "compiled"
    features = " ".join(sorted(processor_flags())) or platform.processor()
    processor = hashlib.sha256(features.encode()).hexdigest()[:8]
    return base / f"jax-{jax.__version__}-{JAXLIB}-{platform.machine()}-{processor}"


def keep_compiled_programs() -> None:
    """Switch JAX's persistent cache on; a folder that cannot be written leaves it off."""
    if setting("jax_compilation_cache_dir") is not None:
        return
    folder = cache_folder()
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            return
        prune(folder)
    except OSError:
        return
    set_setting("jax_compilation_cache_dir", str(folder))
    set_setting("jax_persistent_cache_min_compile_time_secs", 0.0)
    set_setting("jax_persistent_cache_min_entry_size_bytes", -1)
    # An entry that another process is just writing, or that was cut short, is compiled again: nothing to warn of.
    warnings.filterwarnings("ignore", CACHE_WARNING, UserWarning)


def prune(folder: Path, limit: int = LIMIT, now: float | None = None) -> None:
    """Once a day, remove the oldest entries until the folder holds less than `limit` bytes."""
    now = time.time() if now is None else now
    stamp = folder / ".pruned"
    if stamp.exists() and now - stamp.stat().st_mtime < DAY:
        return
    stamp.touch()
    os.utime(stamp, (now, now))
    entries = [
        (entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in os.scandir(folder) if entry.is_file()
    ]
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= limit:
            return
        Path(path).unlink(missing_ok=True)
        total -= size


keep_compiled_programs()
