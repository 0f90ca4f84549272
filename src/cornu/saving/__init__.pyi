# Written by scripts/stubs; a test compares.

from cornu.core.registry import CustomObjectScope as CustomObjectScope
from cornu.core.registry import get_custom_objects as get_custom_objects
from cornu.core.registry import get_registered_name as get_registered_name
from cornu.core.registry import get_registered_object as get_registered_object
from cornu.core.registry import register_keras_serializable as register_keras_serializable
from cornu.core.serialization import deserialize
from cornu.core.serialization import serialize
from cornu.saving.files import load_model as load_model
from cornu.saving.files import load_weights as load_weights
from cornu.saving.files import save_model as save_model
from cornu.saving.files import save_weights as save_weights

custom_object_scope = CustomObjectScope
deserialize_keras_object = deserialize
serialize_keras_object = serialize
