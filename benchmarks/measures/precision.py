"""Speed of bfloat16 on processors with bfloat16 instructions."""

from __future__ import annotations

from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.machine import has_bfloat16

POLICIES = ("float32", "mixed_bfloat16")


def precision(lab: Lab) -> dict[str, Any]:
    """Epoch time of wide MLP and CNN with batch normalization, in float32 and in mixed_bfloat16."""
    found: dict[str, Any] = {"instructions": has_bfloat16(), "rows": []}
    if not (found["instructions"] and lab.full):
        return found
    with lab.workers("cornu") as workers:
        worker = workers["cornu"]
        for name, rows in (("wide", 2560), ("norm", 640)):
            seconds = {}
            for policy in POLICIES:
                worker("use_policy", policy=policy)
                worker("build", name=name, batch=128, rows=rows, path=lab.data)
                worker("epochs", count=1)
                seconds[policy] = worker("epochs", count=3)["seconds"]
            worker("use_policy", policy="float32")
            found["rows"].append({"task": name, "seconds": seconds})
    return found


def write(found: dict[str, Any]) -> str:
    """Return the table of seconds per epoch, or that this processor has no such instructions."""
    if not found["instructions"]:
        return (
            "This processor has no bfloat16 instructions: `mixed_bfloat16` saves memory here, not time. Not measured."
        )
    lines = []
    for row in found["rows"]:
        medians = [figures.median(row["seconds"][policy]) for policy in POLICIES]
        factor = figures.short(medians[0] / medians[1])
        lines.append([f"`{row['task']}`", *map(figures.short, medians), f"{factor}×"])
    return figures.table(["model", "float32, s per epoch", "mixed_bfloat16", "faster by"], lines)
