"""What Keras has and Cornu lacks: one table for names and modules, with what to use instead.

Every message about a missing name takes its advice from here, and so does docs/differences.md.
"""

from typing import NamedTuple


class Absent(NamedTuple):
    """Names of a place (a module of today's Keras), or the whole place and those below it if there are no names."""

    place: str
    names: frozenset[str]
    instead: str


def _rows(*rows: tuple[str, str, str]) -> tuple[Absent, ...]:
    return tuple(Absent(place, frozenset(names.split()), instead) for place, names, instead in rows)


#: What a later version will have: names can be imported, and raise an error when used.
LATER = _rows(
    ("layers", "JaxLayer FlaxLayer", "Use a custom layer whose call() computes with jax.numpy."),
    ("layers", "TorchModuleWrapper TFSMLayer", "Rebuild the module from Keras layers."),
    ("callbacks", "LearningRateMonitor", "Read model.optimizer.learning_rate in a custom callback."),
    ("callbacks", "OrbaxCheckpoint", "Use ModelCheckpoint or BackupAndRestore."),
    ("models", "model_from_yaml", "Use model_from_json."),
    ("utils", "HDF5Matrix", "Read the file with h5py: fit() takes its data sets as they are."),
    ("utils", "GeneratorEnqueuer OrderedEnqueuer", "Pass the generator or the PyDataset to fit()."),
    ("estimator", "", "Use model.fit."),
    ("experimental", "", "For linear and wide-and-deep models, join Dense layers with keras.layers.add."),
    ("export", "", "Use model.export or cornu.export."),
    ("premade", "", "Build the model from layers."),
    ("quantizers", "", "Use keras.mixed_precision for smaller types."),
    ("tree", "", "Use jax.tree."),
)

_SCORES = "precision recall fmeasure fbeta_score matthews_correlation"

#: What no version will have.
GONE = _rows(
    (
        "layers",
        "MaxoutDense",
        "Keras dropped it in version 2: use Dense(units * n), Reshape((n, units)), then a Lambda "
        "that takes the maximum.",
    ),
    ("layers", "Highway", "Keras dropped it in version 2: build it from Dense layers and the functional API."),
    ("layers", "GaussianNoise2D", "Keras never had it: use GaussianNoise."),
    ("layers", "AutoEncoder", "Keras dropped it in version 1: build the encoder and the decoder as two models."),
    ("models", "Graph", "Keras dropped it in version 1: use the functional API, Model(inputs, outputs)."),
    (
        "utils",
        "convert_all_kernels_in_model",
        "It flipped Theano's kernels, and Cornu's are laid out as TensorFlow's: leave the call out.",
    ),
    ("utils", "convert_dense_weights_data_format", "It is for weights from Theano: leave the call out."),
    ("metrics", _SCORES, "Keras dropped it in version 2: use the classes Precision, Recall, F1Score of keras.metrics."),
)

#: Places that come later, with everything below them.
LATER_PLACES = tuple(row.place for row in LATER if not row.names)


def is_later(place: str) -> bool:
    """Return whether a whole place comes later.

    >>> is_later("premade.linear"), is_later("layers")
    (True, False)
    """
    return any(f"{place}.".startswith(f"{later}.") for later in LATER_PLACES)


def names_of(place: str) -> frozenset[str]:
    """Return the names of a place that come later."""
    return frozenset().union(*(row.names for row in LATER if row.place == place))


def reason(place: str, name: str) -> str:
    """Return why a name, or a module (a `name` below a `place`), is absent and what to use; "" if it is not known.

    >>> reason("layers", "JaxLayer")[:62]
    'keras.layers.JaxLayer is not in this version of Cornu yet. Use'
    """
    full = f"{place}.{name}" if place else name
    for rows, said in ((GONE, "is not in Cornu."), (LATER, "is not in this version of Cornu yet.")):
        for row in rows:
            known = row.place == place and name in row.names
            if known or (not row.names and f"{full}.".startswith(f"{row.place}.")):
                return f"keras.{full} {said} {row.instead}"
    return ""


def reason_of_class(name: str) -> str:
    """Return the reason for a layer, metric, ... by its name alone; "" if it is not known."""
    return next((reason(row.place, name) for row in (*LATER, *GONE) if name in row.names), "")
