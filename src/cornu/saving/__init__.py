"""Model files, and the names that their configs may use.

Read `files.py` first: it chooses the format. Then `keras_file.py` (Keras 3), `h5_file.py` (Keras 1 and 2),
`safetensors.py`, `saved_model.py` or `checkpoint_weights.py` (both TensorFlow's). `documents.py` builds models from
configs, `transfer.py` moves arrays into variables, and `archive.py`, `hdf5.py` and `tensor_bundle.py` are the only
places that read zip files, HDF5 files and TensorFlow checkpoints.
"""

from cornu.core.public import offer
from cornu.core.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from cornu.core.serialization import deserialize as deserialize_keras_object
from cornu.core.serialization import serialize as serialize_keras_object
from cornu.saving.files import load_model, load_weights, save_model, save_weights

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
offer(globals())
