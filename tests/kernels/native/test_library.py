"""The library of native kernels is built once, and no problem with it fails a program."""

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cornu.kernels.native import calls, library
from cornu.serve import server

LIBRARY = calls.LIBRARY


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """A cache without a library, in a process that has asked for nothing yet."""
    if library._obstacle():
        pytest.skip(f"native kernels: {library._obstacle()}")
    monkeypatch.setenv("CORNU_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(library, "_may_build", True)  # tests of the server may have forbidden it
    _forget()
    yield tmp_path
    monkeypatch.undo()
    _forget()


def _forget():
    for cached in (library._problem, library._compiler, library.hash_of, library._load):
        cached.cache_clear()


def _compiler(folder, text):
    """Make a compiler of a few shell lines; it counts its calls in the file ``calls``."""
    path = folder / "compiler"
    path.write_text(f'#!/bin/sh\necho call >> "{folder}/calls"\n{text}\n')
    path.chmod(0o700)
    return str(path)


def _calls(folder):
    calls = folder / "calls"
    return len(calls.read_text().split()) if calls.exists() else 0


def test_a_compiler_that_fails_is_asked_once(empty, monkeypatch):
    monkeypatch.setenv("CXX", _compiler(empty, "echo 'no header api.h' >&2; exit 1"))
    made = []
    for _ in range(2):
        _forget()
        assert not library.available(LIBRARY)
        assert "no header api.h" in library.described(LIBRARY)
        made.append(_calls(empty))
    assert made[0] == made[1] > 0
    assert not library.path_of(LIBRARY).exists()


def test_it_is_tried_again_after_a_day(empty, monkeypatch):
    monkeypatch.setenv("CXX", _compiler(empty, "exit 3"))
    assert not library.available(LIBRARY)
    before = _calls(empty)
    os.utime(library.path_of(LIBRARY).with_suffix(".failed"), (0, 0))
    _forget()
    assert not library.available(LIBRARY)
    assert _calls(empty) > before


def test_a_file_that_is_not_a_library_is_not_used(empty, monkeypatch):
    monkeypatch.setenv("CXX", _compiler(empty, 'for last; do :; done; echo text > "$last"'))
    assert not library.available(LIBRARY)
    assert "cannot be used" in library.described(LIBRARY)


def test_a_compiler_that_hangs_is_stopped(empty, monkeypatch):
    monkeypatch.setattr(library, "SECONDS", 0.2)
    monkeypatch.setenv("CXX", _compiler(empty, "exec sleep 60"))
    assert not library.available(LIBRARY)
    assert "took more than" in library.described(LIBRARY)
    assert not library.path_of(LIBRARY).exists()


LATE = """
import threading, time
from cornu.kernels.native import calls, library
def work():
    threading.main_thread().join()
    time.sleep(0.5)  # until it takes no more threads
    print(library.available(calls.LIBRARY), library.described(calls.LIBRARY)[-9:])
threading.Thread(target=work).start()
"""


def test_a_thread_that_goes_on_after_the_main_one_compiles(empty):
    environment = os.environ | {"CORNU_CACHE_DIR": str(empty), "CXX": _compiler(empty, "echo no disk >&2; exit 1")}
    found = subprocess.run([sys.executable, "-c", LATE], env=environment, capture_output=True, text=True, timeout=100)
    assert (found.stdout, found.stderr) == ("False : no disk\n", "")
    assert _calls(empty)


def test_when_one_file_fails_the_compilers_of_the_others_are_stopped(empty, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setenv("CXX", _compiler(empty, 'case "$*" in *winograd.cc*) exit 1;; *) exec sleep 60;; esac'))
    begin = time.monotonic()
    assert not library.available(LIBRARY)
    assert time.monotonic() - begin < 30
    assert "failed" in library.described(LIBRARY)


def test_without_room_for_a_library_no_compiler_is_started(empty, monkeypatch):
    monkeypatch.setattr(library.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    monkeypatch.setenv("CXX", _compiler(empty, "exit 1"))
    assert not library.available(LIBRARY)
    assert "room" in library._problem(LIBRARY, True)
    assert _calls(empty) == 0


def test_what_others_can_write_is_not_loaded(empty):
    path = library.path_of(LIBRARY)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    path.parent.chmod(0o777)
    assert "Others can write" in library.described(LIBRARY)
    assert not library.available(LIBRARY)


def test_a_folder_that_cannot_be_made(empty, monkeypatch):
    (empty / "file").write_text("")
    monkeypatch.setenv("CORNU_CACHE_DIR", str(empty / "file"))
    assert not library.available(LIBRARY)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CORNU_NATIVE_KERNELS", "off", "CORNU_NATIVE_KERNELS"),
        ("CORNU_CACHE_DIR", "off", "CORNU_CACHE_DIR"),
        ("PATH", "", "no C++ compiler"),
    ],
)
def test_off(empty, monkeypatch, variable, value, said):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv(variable, value)
    assert not library.available(LIBRARY)
    assert said in library.described(LIBRARY)


def test_other_machines(empty, monkeypatch):
    monkeypatch.setattr(library, "processor_flags", lambda: frozenset(("avx",)))
    assert not library.available(LIBRARY)
    assert "AVX2" in library.described(LIBRARY)


def test_a_server_starts_no_compiler(empty, monkeypatch):
    monkeypatch.setenv("CXX", _compiler(empty, "exit 1"))
    server.start_no_compiler()
    assert not library.available(LIBRARY)
    assert _calls(empty) == 0


def test_the_name_depends_on_the_compiler(empty, monkeypatch):
    first = calls.target("convolution")
    _forget()
    monkeypatch.setenv("CXX", _compiler(empty, "exit 1"))
    assert calls.target("convolution") != first


def test_a_compiler_is_called_by_the_name_of_its_link(empty, monkeypatch):
    program = Path(_compiler(empty, 'case "$0" in *clang++) echo as C++ >&2;; *) echo as C >&2;; esac; exit 1'))
    (empty / "clang++").symlink_to(program)
    monkeypatch.setenv("CXX", str(empty / "clang++"))
    assert not library.available(LIBRARY)
    assert "as C++" in library.described(LIBRARY)


PROGRAM = """
import jax, jax.numpy as jnp
from cornu.kernels.convolution import convolution
from cornu.kernels.native import library
library.SECONDS = 270
step = jax.jit(lambda x, kernel: convolution(x, kernel, padding="same"))
ones = jnp.ones((4, 16, 16, 32)), jnp.ones((3, 3, 32, 32))
print("cornu_convolution" in step.lower(*ones).as_text(), round(float(step(*ones)[0, 8, 8, 0]), 2))
"""


def test_two_processes_build_it_once_and_a_program_from_the_cache_runs_without_it(empty):
    environment = os.environ | {"CORNU_CACHE_DIR": str(empty)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)

    def started(**more):
        command = [sys.executable, "-c", PROGRAM]
        return subprocess.Popen(
            command, env=environment | more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    both = [started(), started()]
    assert [process.communicate(timeout=280) for process in both] == [("True 288.0\n", "")] * 2
    path = library.path_of(LIBRARY)
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".so"] == [path.name]
    assert not stat.S_IMODE(path.parent.stat().st_mode) & 0o077
    assert str(path) in library.described(LIBRARY)
    assert started(CORNU_NATIVE_KERNELS="off").communicate(timeout=280) == ("False 288.0\n", "")
    path.write_bytes(b"")
    assert started().communicate(timeout=280) == ("False 288.0\n", "")
