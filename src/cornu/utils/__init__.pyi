# Written by scripts/stubs; a test compares.

from cornu.callbacks.progress import Progbar as Progbar
from cornu.compat.extras import conv_output_length as conv_output_length
from cornu.compat.extras import count_params as count_params
from cornu.compat.extras import deconv_length as deconv_length
from cornu.compat.extras import multi_gpu_model as multi_gpu_model
from cornu.compat.extras import normalize_tuple as normalize_tuple
from cornu.compat.extras import probas_to_classes as probas_to_classes
from cornu.compat.extras import to_list as to_list
from cornu.compat.extras import unpack_singleton as unpack_singleton
from cornu.compat.tensorflow.timeseries import timeseries_dataset_from_array as timeseries_dataset_from_array
from cornu.core.dtype_policies import standardize_dtype as standardize_dtype
from cornu.core.registry import CustomObjectScope as CustomObjectScope
from cornu.core.registry import get_custom_objects as get_custom_objects
from cornu.core.registry import get_registered_name as get_registered_name
from cornu.core.registry import get_registered_object as get_registered_object
from cornu.core.registry import register_keras_serializable as register_keras_serializable
from cornu.core.seeds import set_random_seed as set_random_seed
from cornu.core.settings import disable_interactive_logging as disable_interactive_logging
from cornu.core.settings import enable_interactive_logging as enable_interactive_logging
from cornu.core.settings import is_interactive_logging_enabled as is_interactive_logging_enabled
from cornu.data.streams import PyDataset as PyDataset
from cornu.models.feature_space import FeatureSpace as FeatureSpace
from cornu.preprocessing.image.conversion import array_to_img as array_to_img
from cornu.preprocessing.image.conversion import img_to_array as img_to_array
from cornu.preprocessing.image.conversion import load_img as load_img
from cornu.preprocessing.image.conversion import save_img as save_img
from cornu.preprocessing.sequence import pad_sequences as pad_sequences
from cornu.utils import bounding_boxes as bounding_boxes
from cornu.utils.arrays import normalize as normalize
from cornu.utils.arrays import to_categorical as to_categorical
from cornu.utils.audio_dataset import audio_dataset_from_directory as audio_dataset_from_directory
from cornu.utils.config import Config as Config
from cornu.utils.files import get_file as get_file
from cornu.utils.image_dataset import image_dataset_from_directory as image_dataset_from_directory
from cornu.utils.misc import clear_session as clear_session
from cornu.utils.misc import deserialize_keras_object as deserialize_keras_object
from cornu.utils.misc import get_source_inputs as get_source_inputs
from cornu.utils.misc import is_keras_tensor as is_keras_tensor
from cornu.utils.misc import pack_x_y_sample_weight as pack_x_y_sample_weight
from cornu.utils.misc import serialize_keras_object as serialize_keras_object
from cornu.utils.misc import unpack_x_y_sample_weight as unpack_x_y_sample_weight
from cornu.utils.splitting import split_dataset as split_dataset
from cornu.utils.text_dataset import text_dataset_from_directory as text_dataset_from_directory
from cornu.visuals.diagrams import model_to_dot as model_to_dot
from cornu.visuals.diagrams import plot_model as plot_model
from cornu.visuals.summary import print_summary as print_summary

Sequence = PyDataset
categorical_probas_to_classes = probas_to_classes
custom_object_scope = CustomObjectScope
plot = plot_model
