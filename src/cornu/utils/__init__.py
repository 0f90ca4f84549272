"""The names of `keras.utils`.

Each function is defined in the file of its subject (`arrays.py`, `files.py`, `images.py`, `misc.py`, or another
package); this module collects them.
"""

from cornu.callbacks.progress import Progbar
from cornu.core import spellings
from cornu.core.dtype_policies import standardize_dtype
from cornu.core.public import offer
from cornu.core.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from cornu.core.seeds import set_random_seed
from cornu.core.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from cornu.data.streams import PyDataset, Sequence
from cornu.models.feature_space import FeatureSpace
from cornu.preprocessing.image.conversion import array_to_img, img_to_array, load_img, save_img
from cornu.preprocessing.sequence import pad_sequences
from cornu.utils import bounding_boxes as bounding_boxes
from cornu.utils.arrays import normalize, to_categorical
from cornu.utils.audio_dataset import audio_dataset_from_directory
from cornu.utils.config import Config
from cornu.utils.files import get_file
from cornu.utils.image_dataset import image_dataset_from_directory
from cornu.utils.misc import (
    clear_session,
    deserialize_keras_object,
    get_source_inputs,
    is_keras_tensor,
    pack_x_y_sample_weight,
    serialize_keras_object,
    unpack_x_y_sample_weight,
)
from cornu.utils.splitting import split_dataset
from cornu.utils.text_dataset import text_dataset_from_directory
from cornu.visuals.diagrams import model_to_dot, plot_model

__getattr__ = spellings.names_of(__name__)

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
offer(globals())
