"""The shared libraries of native kernels: compiled once per machine by the system's C++ compiler, then loaded.

Any problem leaves the forms without them, which compute the same: `available` says whether a library can be called,
`described` why not. They are on Linux with an x86-64 processor with AVX2 only, where they were measured, and in the
cache folder, named by their source, the compiler and jaxlib's headers; ``CORNU_NATIVE_KERNELS=off`` switches them off.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jax

from cornu.core.atomic_files import replacing, write_text
from cornu.core.compilation_cache import cache_folder
from cornu.core.processor import processor_flags

OPTIONS = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-w")
FEATURES = frozenset(("avx2", "fma"))
SECONDS = 120.0  # limit for compiling, and for waiting for another process that compiles

ROOM = 4 << 20
"""Bytes that must be free where a library will be: without a place for it, every process would compile in vain."""

DAY = 24 * 3600.0

_lock = threading.Lock()
_may_build = True
_loaded: dict[str, ctypes.CDLL] = {}  # by their hashes


class Library(NamedTuple):
    """A library: its name, when it is built, what prepares it once it is loaded, its files and its own options.

    `prepare` is called with the library and its hash. Of the files, beside this one, the ``.cc`` are compiled.
    """

    name: str
    first_use: str
    prepare: Callable[[ctypes.CDLL, str], None]
    files: tuple[str, ...]
    options: tuple[str, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """The C++ files."""
        return [Path(__file__).with_name(name) for name in self.files]


def never_build() -> None:
    """Let this process load libraries that exist, and never start a compiler: for servers."""
    global _may_build
    _may_build = False


def available(library: Library) -> bool:
    """Return whether a library can be called; the first call may build it, which takes up to a few seconds."""
    with _lock:
        return not _problem(library, _may_build)


def functions_of(library: Library) -> ctypes.CDLL | None:
    """Return the functions of a library, which release the interpreter's lock; None unless it is `available`."""
    return _loaded[hash_of(library)] if available(library) else None


def described(library: Library) -> str:
    """Return one line about a library, without building it."""
    with _lock:
        path = None if _obstacle() else path_of(library)
        if path is None or not path.exists():
            return _obstacle() or _failure(path_of(library)) or f"not built yet: {library.first_use} builds them"
        return _problem(library, False) or f"{path} ({path.stat().st_size / 1e6:.1f} MB)"


def path_of(library: Library) -> Path:
    """Return where a library is, or will be."""
    folder = cache_folder()
    assert folder is not None
    return folder / "native" / f"{library.name}-{hash_of(library)}.so"


@functools.cache
def _problem(library: Library, may_build: bool) -> str:
    """Load a library, after building it if there is none; returns why it cannot be used, or nothing."""
    if problem := _obstacle():
        return problem
    try:
        path = path_of(library)
        if not path.exists():
            if problem := _failure(path) or ("" if may_build else "not built yet"):
                return problem
            if problem := _built(library, path):
                return problem
        _load(library, path)
    except (OSError, AttributeError) as error:
        return f"cannot be used: {str(error)[:200]}"
    return ""


def _obstacle() -> str:
    """Return why there can be no library here, or nothing."""
    if os.environ.get("CORNU_NATIVE_KERNELS", "").lower() in ("off", "0", "no"):
        return "off (CORNU_NATIVE_KERNELS)"
    if sys.platform != "linux" or platform.machine() != "x86_64" or not processor_flags() >= FEATURES:
        return "none for this machine (they need Linux on x86-64 with AVX2)"
    if cache_folder() is None:
        return "off, as the cache (CORNU_CACHE_DIR)"
    return "" if _compiler() else "none: there is no C++ compiler"


@functools.cache
def _compiler() -> tuple[str, ...]:
    """Return the command of the C++ compiler, ``$CXX`` or the system's; empty if there is none.

    Its name stays: clang and ccache are links to one program, which does what it is called.
    """
    for command in (os.environ.get("CXX", ""), "c++", "g++", "clang++"):
        words = shlex.split(command)
        found = shutil.which(words[0]) if words else None
        if found:
            return (os.path.abspath(found), *words[1:])
    return ()


@functools.cache
def hash_of(library: Library) -> str:
    """Return what tells libraries apart: source, options, compiler, and the headers; the folder names the processor."""
    command = _compiler()
    status = Path(command[0]).stat()
    parts = (
        *(path.read_bytes() for path in library.paths),
        repr((OPTIONS, library.options, command, status.st_size, status.st_mtime_ns, jax.__version__)).encode(),
    )
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


def _built(library: Library, path: Path) -> str:
    """Compile a library, unless another process just has; returns what went wrong, or nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(path.parent).free < ROOM:
        return f"cannot be built: there is less than {ROOM >> 20} MB of room in {path.parent}"
    with _only_builder(path):
        if path.exists() or _failure(path):
            return _failure(path)
        try:
            with replacing(path, own=True) as temporary:
                _compile(library, temporary)
        except subprocess.TimeoutExpired:
            write_text(_failure_path(path), f"{_compiler()[0]} took more than {SECONDS:.0f} s")
        except subprocess.CalledProcessError as error:
            said = error.stderr.strip().splitlines()
            write_text(_failure_path(path), f"{_compiler()[0]} failed: {said[0] if said else error.returncode}"[:300])
    return _failure(path)


def _compile(library: Library, path: Path) -> None:
    """Compile the files side by side, and link them."""
    options = (*OPTIONS, *library.options, f"-I{jax.ffi.include_dir()}")
    sources = [each for each in library.paths if each.suffix == ".cc"]
    with tempfile.TemporaryDirectory() as folder:
        objects = [Path(folder, f"{each.stem}.o") for each in sources]
        _run([[*options, "-c", source, "-o", to] for source, to in zip(sources, objects, strict=True)])
        _run([["-shared", *objects, "-o", path]])


def _run(waiting: Sequence[Sequence[str | Path]]) -> None:
    """Run the compiler with each of these arguments, on all cores, by processes alone.

    A thread that goes on after the main one has ended may compile too, and it can start no others.
    """
    end, waiting = time.monotonic() + SECONDS, list(waiting)
    running: list[subprocess.Popen] = []
    with open(os.memfd_create("said"), "w+", encoding="utf-8", errors="replace") as said:  # needs no room on a disk
        try:
            while waiting or running:
                while waiting and len(running) < (os.cpu_count() or 1):
                    command = [*_compiler(), *map(str, waiting.pop(0))]
                    quiet = subprocess.DEVNULL
                    running.append(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=said))
                time.sleep(0.01)
                for process in [each for each in running if each.poll() is not None]:
                    running.remove(process)
                    if process.returncode:
                        said.seek(0)
                        raise subprocess.CalledProcessError(process.returncode, process.args, stderr=said.read())
                if time.monotonic() > end:
                    raise subprocess.TimeoutExpired(_compiler(), SECONDS)
        finally:
            for process in running:
                process.kill()
                process.wait()


@contextlib.contextmanager
def _only_builder(path: Path) -> Iterator[None]:
    """Wait for other processes that build the same library; TimeoutError (an OSError) after `SECONDS`."""
    import fcntl

    end = time.monotonic() + SECONDS
    with path.with_suffix(".lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise TimeoutError("Another process is still building the native kernels.") from None
                time.sleep(0.1)
        yield


def _failure_path(path: Path) -> Path:
    return path.with_suffix(".failed")


def _failure(path: Path) -> str:
    """Return what an earlier try to compile ended with, or nothing: it is tried once a day."""
    place = _failure_path(path)
    try:
        recent = time.time() - place.stat().st_mtime < DAY
        return place.read_text(encoding="utf-8", errors="replace") if recent else ""
    except OSError:
        return ""


@functools.cache
def _load(library: Library, path: Path) -> None:
    """Load a library and prepare it; PermissionError if others could have written it."""
    for place in (path.parent, path):
        status = place.stat()
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            raise PermissionError(f"Others can write {place}.")
    name = hash_of(library)
    if name in _loaded:  # from another folder: the same code, and names can be registered once
        return
    loaded = ctypes.CDLL(str(path))
    library.prepare(loaded, name)
    _loaded[name] = loaded
