"""What the devices of a compiled step tell each other: kinds, numbers and bytes of its collective operations."""

import math
import re
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.training.program import Program
from cornu.training.step import Turn

KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")
_OPERATION = re.compile(rf"= (.*?) ({'|'.join(KINDS)})(-start)?\(")
_ARRAY = re.compile(r"\b([a-z]+)(\d*)\[([\d,]*)\]")


class Collective(NamedTuple):
    """One operation of a step in which all devices take part, and the bytes of its results on each device."""

    kind: str
    nbytes: int


def of_text(program: str) -> list[Collective]:
    """Return the collective operations of a compiled program's text.

    >>> of_text("%all-reduce = (f32[128,64]{1,0}, f32[10]{0}) all-reduce(%dot, %sum), channel_id=1")
    [Collective(kind='all-reduce', nbytes=32808)]
    """
    found = (_OPERATION.search(line) for line in program.splitlines())
    return [Collective(one[2], sum(map(_bytes, _ARRAY.findall(one[1])))) for one in found if one]


def _bytes(array: tuple[str, str, str]) -> int:
    kind, bits, sizes = array
    size = 1 if kind == "pred" else int(bits or 8) / 8
    return math.ceil(size * math.prod(int(each) for each in sizes.split(",") if each))


def of_training_step(model: Any, x: Any, y: Any, batch_size: int = 32) -> list[Collective]:
    """Return the collective operations of one step of ``model.fit(x, y, batch_size)``, which is compiled but not run.

    The compiled program is the loop that `fit` runs over many steps; nothing is communicated outside it.
    """
    batches = model._prepared("fit", x, y, batch_size=batch_size, shuffle=True)
    program: Program = model._programs.get("train")
    program.serve(batches)
    program.prepare_for(batches)
    with Turn(program.learner, training=True, donates=False) as turn:
        compiled = program.compiled_for(turn.state, batches)
    return of_text(compiled.as_text())


def bytes_by_device(model: Any) -> dict[str, int]:
    """Return how many bytes of weights, optimizer and metrics each device holds."""
    learner = model.learner
    found: dict[str, int] = {}
    for variable in learner.variables:
        for part in variable._form.addressable_shards:
            name = f"{part.device.platform}:{part.device.id}"
            found[name] = found.get(name, 0) + math.prod(np.shape(part.data)) * jax.numpy.dtype(variable.dtype).itemsize
    return dict(sorted(found.items()))
