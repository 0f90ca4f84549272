"""The foundation of all other packages: variables, layers, the graph, configs, precision, names and errors.

What to read, in this order:

1. `variable.py`: variables own the arrays; `read`, `write` and `bound` connect them to pure functions.
2. `layer.py`, with `weights.py` (what a layer holds) and `scope.py` (what applies during a call).
3. `graph.py`: symbolic tensors, nodes, and how shapes are inferred.
4. `serialization.py` and `registry.py`: configs, and the tables of names. `config_validation.py` and `budget.py` check
   configs from files.

The rest serves these: `dtype_policies.py`, `settings.py`, `shapes.py`, `signature.py` and `input_spec.py` for layers,
`spellings.py` for old names, `atomic_files.py` and `compilation_cache.py` for the disk, `jax_internals.py` for
everything that JAX does not document.
"""

from cornu.core.processor import check_processor

check_processor()
