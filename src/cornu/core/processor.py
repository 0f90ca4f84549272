"""The processor's features, checked before JAX is imported, which would crash without a message."""

import os
import platform
from pathlib import Path

REQUIRED = "avx"  # jaxlib's wheels for x86_64 use it


def processor_flags(path: str = "/proc/cpuinfo") -> frozenset[str]:
    """Return the processor's features as Linux names them; empty if they cannot be read."""
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith(("flags", "Features")):
                    return frozenset(line.partition(":")[2].split())
    except OSError:
        pass
    return frozenset()


def check_processor(flags: frozenset[str] | None = None) -> None:
    """Raise ImportError with a clear message if JAX's wheels cannot run on this processor."""
    if platform.machine().lower() not in ("x86_64", "amd64") or os.environ.get("CORNU_SKIP_PROCESSOR_CHECK"):
        return
    flags = processor_flags() if flags is None else flags
    if flags and REQUIRED not in flags:
        raise ImportError(
            "This processor has no AVX instructions, which the jaxlib package needs: JAX would stop with "
            '"Illegal instruction".\nUse a machine with a processor from 2011 or later, or a jaxlib built for this one '
            "(then set CORNU_SKIP_PROCESSOR_CHECK=1)."
        )


def threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
