"""Forms of a dense layer's three matrix products, timed inside a compiled loop as training runs them.

`python -m benchmarks.products` prints the microseconds of each form for each shape: the basis for the choices in
`cornu.kernels.matmul`. Each form's operands change from step to step, so that nothing is hoisted out of the loop;
forms take turns.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks import figures
from cornu.core.jax_internals import compiler_options

SHAPES = [
    (100, 784, 128), (100, 128, 128), (128, 784, 512), (128, 512, 512), (128, 512, 256), (200, 784, 256),
    (128, 9216, 128), (32, 512, 512), (8, 512, 512), (32, 128, 512), (128, 128, 128), (128, 256, 256),
    (64, 512, 512), (1024, 512, 512), (128, 512, 10), (128, 256, 10), (128, 128, 10),
]  # fmt: skip


def _dot(a: Any, b: Any, a_axis: int, b_axis: int) -> Any:
    return lax.dot_general(a, b, (((a_axis,), (b_axis,)), ((), ())))


_materialized = lax.optimization_barrier

#: Product -> form -> a function of its two operands.
#: x: (rows, features), w: (features, columns), u: (rows, columns), the upstream gradient.
FORMS: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "x @ w": {
        "plain": lambda x, w: _dot(x, w, 1, 0),
        "w.T first": lambda x, w: _dot(x, _materialized(w.T), 1, 1),
        "x.T first": lambda x, w: _dot(_materialized(x.T), w, 0, 0),
        "(w.T @ x.T).T": lambda x, w: _materialized(_dot(w, x, 0, 1)).T,
    },
    "u @ w.T": {
        "plain": lambda u, w: _dot(u, w, 1, 1),
        "w.T first": lambda u, w: _dot(u, _materialized(w.T), 1, 0),
        "(w @ u.T).T": lambda u, w: _materialized(_dot(w, u, 1, 1)).T,
        "(w @ u.T first).T": lambda u, w: _materialized(_dot(w, _materialized(u.T), 1, 0)).T,
    },
    "x.T @ u": {
        "plain": lambda x, u: _dot(x, u, 0, 0),
        "x.T first": lambda x, u: _dot(_materialized(x.T), u, 1, 0),
        "(u.T @ x).T": lambda x, u: _materialized(_dot(u, x, 0, 0)).T,
    },
}
OPERANDS = {"x @ w": ("rf", "fc"), "u @ w.T": ("rc", "fc"), "x.T @ u": ("rf", "rc")}


def _looped(form: Callable, result: tuple[int, int]) -> Callable:
    def run(a: Any, b: Any, steps: Any) -> Any:
        def step(_: Any, carry: tuple) -> tuple:
            a, b, found = carry
            a = a * 1.0001 + found[0, 0] * 1e-9  # as elementwise work of the step before writes it
            return a, b.at[0, 0].add(found[0, 0] * 1e-9), form(a, b) * 1.0001

        return lax.fori_loop(0, steps, step, (a, b, jnp.zeros(result)))[2]

    return jax.jit(run, compiler_options=compiler_options())


def measured(product: str, shape: tuple[int, int, int], turns: int) -> dict[str, float]:
    """Return the median microseconds of each form of a product; shape: rows, features, columns."""
    sizes = dict(zip("rfc", shape, strict=True))
    first, second = ([sizes[axis] for axis in axes] for axes in OPERANDS[product])
    a, b = jax.random.normal(jax.random.key(0), first), jax.random.normal(jax.random.key(1), second)
    programs = {}
    for name, form in FORMS[product].items():
        result = jax.eval_shape(form, a, b).shape
        programs[name] = _looped(form, result)
        programs[name](a, b, 1).block_until_ready()
    steps = max(5, int(2e8 / (2 * shape[0] * shape[1] * shape[2]) * 20))
    found: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(turns):
        for name, program in programs.items():
            began = time.perf_counter()
            program(a, b, steps).block_until_ready()
            found[name].append((time.perf_counter() - began) / steps * 1e6)
    return {name: figures.median(each) for name, each in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.products", description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="turns of all forms (default 5)")
    options = parser.parse_args()
    print(f"jax {jax.__version__}; microseconds")
    for product, forms in FORMS.items():
        rows = []
        for shape in SHAPES:
            times = measured(product, shape, options.turns)
            best = min(times.values())
            texts = [f"**{each:.0f}**" if each == best else f"{each:.0f}" for each in times.values()]
            rows.append([*map(str, shape), *texts])
        print(f"\n{product}\n\n" + figures.table(["rows", "features", "columns", *forms], rows), flush=True)


if __name__ == "__main__":
    main()
