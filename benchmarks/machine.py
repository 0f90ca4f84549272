"""The machine that the figures were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

INFORMATION = Path("/proc/cpuinfo")


def _fields(name: str) -> str:
    if not INFORMATION.exists():
        return ""
    lines = [line for line in INFORMATION.read_text().splitlines() if line.startswith(name)]
    return lines[0].partition(":")[2].strip() if lines else ""


def has_bfloat16() -> bool:
    """Tell whether the processor has instructions for products of bfloat16 numbers."""
    return any(flag in _fields("flags").split() for flag in ("avx512_bf16", "amx_bf16")) or "bf16" in _fields(
        "Features"
    )


def describe() -> str:
    """Return the machine in one line: processor, cores, vector instructions, system."""
    name = _fields("model name") or platform.processor() or platform.machine()
    family = f" (family {_fields('cpu family')}, model {_fields('model')})" if _fields("cpu family") else ""
    flags = _fields("flags").split()
    vectors = next((flag for flag in ("avx512f", "avx2", "avx") if flag in flags), "")
    cores = f"{os.cpu_count()} cores"
    return ", ".join(filter(None, [f"{name}{family}", cores, vectors, f"{platform.system()} {platform.machine()}"]))


def load() -> float:
    """Return how many processes were running on average in the last minute: a quiet machine has less than one."""
    return os.getloadavg()[0]
