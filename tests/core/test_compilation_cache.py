"""Compiled programs are kept on disk, apart by version and processor, up to a limit."""

import os
import subprocess
import sys

import pytest

from cornu.core import compilation_cache
from cornu.core.processor import check_processor, processor_flags


def test_the_second_process_finds_what_the_first_compiled(tmp_path):
    program = "import cornu.core.variable, jax; print(float(jax.jit(lambda x: x * 3 + 1)(2.0)))"
    environment = os.environ | {"CORNU_CACHE_DIR": str(tmp_path)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "7.0"
        assert done.stderr == ""
    (folder,) = tmp_path.iterdir()
    assert [path for path in folder.iterdir() if path.name.startswith("jit_")]


def test_a_cut_entry_is_compiled_again_without_a_word(tmp_path):
    program = "import cornu.core.variable, jax; print(float(jax.jit(lambda x: x * 3 + 1)(2.0)))"
    environment = os.environ | {"CORNU_CACHE_DIR": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert (done.stdout.strip(), done.stderr) == ("7.0", "")
        for path in tmp_path.rglob("jit_*-cache"):
            path.write_bytes(path.read_bytes()[:50])


def test_the_folder_is_named_by_versions_and_may_be_switched_off(monkeypatch, tmp_path):
    monkeypatch.setenv("CORNU_CACHE_DIR", str(tmp_path))
    assert compilation_cache.jax.__version__ in compilation_cache.cache_folder().name
    monkeypatch.setenv("CORNU_CACHE_DIR", "off")
    assert compilation_cache.cache_folder() is None


def test_the_oldest_entries_go_first(tmp_path):
    for age, name in enumerate(("new", "middle", "old")):
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    compilation_cache.prune(tmp_path, limit=150, now=5e9)
    assert {path.name for path in tmp_path.iterdir()} == {"new", ".pruned"}
    (tmp_path / "more").write_bytes(b"x" * 1000)
    compilation_cache.prune(tmp_path, limit=150, now=5e9 + 60)
    assert (tmp_path / "more").exists()


def test_a_processor_without_avx_is_named_before_jax_dies(monkeypatch, tmp_path):
    monkeypatch.delenv("CORNU_SKIP_PROCESSOR_CHECK", raising=False)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text("processor: 0\nflags\t\t: fpu sse2 ssse3\n")
    with pytest.raises(ImportError, match="AVX"):
        check_processor(processor_flags(str(tmp_path / "cpuinfo")))
    check_processor(frozenset(("avx",)))
    assert processor_flags(str(tmp_path / "missing")) == frozenset()
