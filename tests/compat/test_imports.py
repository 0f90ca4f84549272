"""The import hook, in a process of its own: this one has real Keras. One process answers all questions of this file."""

import json
import subprocess
import sys

import pytest

from cornu.compat import imports, names
from cornu.compat.tensorflow import names as tensorflow_names

SAME = {  # old spelling -> the class or function of Cornu that it must be
    "keras.layers.core:Dense": "layers:Dense",
    "keras.layers.convolutional:Convolution2D": "compat.layers:Convolution2D",
    "keras.layers.convolutional:MaxPooling2D": "layers:MaxPooling2D",
    "keras.layers.advanced_activations:LeakyReLU": "layers:LeakyReLU",
    "keras.layers.normalization:BatchNormalization": "layers:BatchNormalization",
    "keras.layers.noise:GaussianNoise": "layers:GaussianNoise",
    "keras.layers.pooling:GlobalAvgPool2D": "layers:GlobalAveragePooling2D",
    "keras.layers.merge:concatenate": "layers:concatenate",
    "keras.layers.embeddings:Embedding": "layers:Embedding",
    "keras.layers.wrappers:TimeDistributed": "layers:TimeDistributed",
    "keras.layers:Deconvolution2D": "compat.layers:Deconvolution2D",
    "keras.layers:AtrousConvolution2D": "compat.layers:AtrousConvolution2D",
    "keras.layers:MaxPool2D": "layers:MaxPooling2D",
    "keras.src.layers.core.dense:Dense": "layers:Dense",
    "keras.engine:Layer": "layers:Layer",
    "keras.engine.topology:Layer": "layers:Layer",
    "keras.engine.base_layer:Layer": "layers:Layer",
    "keras.engine.training:Model": "models:Model",
    "keras.models:Model": "models:Model",
    "keras:Input": "layers:Input",
    "keras:Model": "models:Model",
    "keras.utils.np_utils:to_categorical": "utils:to_categorical",
    "keras.utils.vis_utils:plot_model": "utils:plot_model",
    "keras.utils.vis_utils:model_to_dot": "utils:model_to_dot",
    "keras.utils.visualize_util:plot": "utils:plot_model",
    "keras.utils.generic_utils:Progbar": "utils:Progbar",
    "keras.utils.data_utils:get_file": "utils:get_file",
    "keras.utils.layer_utils:count_params": "compat.extras:count_params",
    "keras.utils.training_utils:multi_gpu_model": "compat.extras:multi_gpu_model",
    "keras.utils:Sequence": "utils:PyDataset",
    "keras.preprocessing.sequence:pad_sequences": "utils:pad_sequences",
    "keras.preprocessing.image:ImageDataGenerator": "preprocessing.image:ImageDataGenerator",
    "keras.preprocessing.image:load_img": "utils:load_img",
    "keras_preprocessing.image:ImageDataGenerator": "preprocessing.image:ImageDataGenerator",
    "keras_preprocessing.image.directory_iterator:DirectoryIterator": "preprocessing.image:DirectoryIterator",
    "keras_preprocessing.text:Tokenizer": "preprocessing.text:Tokenizer",
    "keras.src.legacy.preprocessing.text:Tokenizer": "preprocessing.text:Tokenizer",
    "keras.src.preprocessing.image:NumpyArrayIterator": "preprocessing.image:NumpyArrayIterator",
    "tensorflow.keras.preprocessing.text:Tokenizer": "preprocessing.text:Tokenizer",
    "tensorflow.python.keras.preprocessing.image:Iterator": "preprocessing.image:Iterator",
    "keras.wrappers.scikit_learn:KerasClassifier": "wrappers.scikit_learn:KerasClassifier",
    "tensorflow.keras.wrappers.scikit_learn:KerasRegressor": "wrappers.scikit_learn:KerasRegressor",
    "keras.wrappers:SKLearnClassifier": "wrappers:SKLearnClassifier",
    "keras.optimizers:Adam": "optimizers:Adam",
    "keras.optimizers.legacy:SGD": "optimizers:SGD",
    "keras.optimizers.adam:Adam": "optimizers:Adam",
    "keras.optimizers.schedules:ExponentialDecay": "optimizers.schedules:ExponentialDecay",
    "keras.objectives:mean_squared_error": "losses:mean_squared_error",
    "keras.objectives:mse": "losses:mean_squared_error",
    "keras.metrics:categorical_accuracy": "metrics:categorical_accuracy",
    "keras.initializers:RandomNormal": "initializers:RandomNormal",
    "keras.regularizers:l2": "regularizers:L2",
    "keras.constraints:maxnorm": "constraints:MaxNorm",
    "keras.callbacks:EarlyStopping": "callbacks:EarlyStopping",
    "keras.datasets.mnist:load_data": "datasets.mnist:load_data",
    "keras.backend.tensorflow_backend:image_data_format": "backend:image_data_format",
    "keras.activations:relu": "activations:relu",
    "tensorflow.keras.layers:Dense": "layers:Dense",
    "tensorflow.python.keras.layers:Dense": "layers:Dense",
    "tensorflow.python.keras.utils.np_utils:to_categorical": "utils:to_categorical",
    "tensorflow.compat.v1.keras.models:Sequential": "models:Sequential",
    "tensorflow.contrib.keras.python.keras.layers:Dense": "layers:Dense",
    "tf_keras.layers:Dense": "layers:Dense",
    "keras.api.layers:Dense": "layers:Dense",
    "keras.api._v2.keras.layers:Dense": "layers:Dense",
    "keras.applications:ResNet50": "applications.resnet:ResNet50",
    "keras.applications.resnet50:ResNet50": "applications.resnet:ResNet50",
    "keras.applications.resnet50:preprocess_input": "applications.resnet:preprocess_input",
    "keras.applications.vgg16:decode_predictions": "applications.imagenet_utils:decode_predictions",
    "keras.applications.mobilenetv2:MobileNetV2": "applications.mobilenet_v2:MobileNetV2",
    "keras.applications.mobilenet:relu6": "activations:relu6",
    "keras.applications.mobilenet:DepthwiseConv2D": "layers:DepthwiseConv2D",
    "keras.applications.inception_v3:conv2d_bn": "applications.inception_v3:conv2d_bn",
    "keras.applications.imagenet_utils:_preprocess_numpy_input": "applications.imagenet_utils:preprocess_input",
    "keras.src.applications.xception:Xception": "applications.xception:Xception",
    "tensorflow.keras.applications.densenet:DenseNet121": "applications:DenseNet121",
    "tensorflow.keras.applications:MobileNetV3Small": "applications:MobileNetV3Small",
    "tensorflow.python.keras.applications.vgg19:VGG19": "applications:VGG19",
    "keras_applications.nasnet:NASNetMobile": "applications:NASNetMobile",
    "keras_applications:correct_pad": "compat.applications:correct_pad",
    "keras_applications.imagenet_utils:_obtain_input_shape": "compat.applications:obtain_input_shape",
}

VALUES = {  # what is run -> what `answer` must be
    "import keras; answer = keras.layers.Dense is keras.layers.core.Dense": True,
    "import keras.backend as K; answer = K.image_data_format()": "channels_last",
    "from keras import backend as K; answer = K.epsilon()": 1e-7,
    "from tensorflow import keras; answer = keras.__version__": imports.KERAS_VERSION,
    "import tensorflow as tf; answer = tf.__version__": imports.TENSORFLOW_VERSION,
    "import tensorflow as tf; answer = tf.keras.layers.Dense.__name__": "Dense",
    "import tensorflow.compat.v1 as tf; tf.disable_v2_behavior(); answer = tf.keras.Model.__name__": "Model",
    "from keras import *; answer = [layers.Dense.__name__, Sequential.__name__, backend.floatx()]": [
        "Dense",
        "Sequential",
        "float32",
    ],
    "from keras.layers import *; answer = [Dense.__name__, Convolution2D.__name__]": ["Dense", "Convolution2D"],
    "from keras.optimizers import *; answer = Adam.__name__": "Adam",
    "import keras; answer = keras.optimizers.sgd(lr=0.5).__class__.__name__": "SGD",
    "from keras.layers import merge, Input; answer = merge([Input((2,)), Input((3,))], mode='concat').shape[1]": 5,
    "from keras.layers.merge import merge; answer = callable(merge)": True,
    "import keras; answer = [hasattr(keras.layers, 'Denze'), hasattr(keras, '__path__')]": [False, True],
    "import keras; answer = 'Dense' in dir(keras.layers) and 'layers' in dir(keras)": True,
    "import cPickle, StringIO; answer = [cPickle.loads(cPickle.dumps(3)), StringIO.StringIO('a').read()]": [3, "a"],
    "import tensorflow as tf; answer = tf.reduce_mean([[1., 3.]], axis=1, keepdims=True, name='m').tolist()": [[2.0]],
    "import tensorflow as tf; answer = tf.cast([1.7], tf.int32).dtype == tf.int32": True,
    "import tensorflow as tf; answer = tf.matmul([[1., 2.]], [[3., 4.]], transpose_b=True).tolist()": [[11.0]],
    "import tensorflow as tf; answer = tf.one_hot([1], 3).tolist()": [[0.0, 1.0, 0.0]],
    "import tensorflow as tf; answer = tf.reduce_sum(tf.keras.Input((4,)), axis=1).shape == (None,)": True,
    "import tensorflow as tf; tf.random.set_seed(3); a = tf.random.normal((2,)); tf.set_random_seed(3); "
    "answer = (a == tf.random.normal((2,))).tolist()": [True, True],
    "import tensorflow as tf; answer = tf.config.list_physical_devices('GPU')": [],
    "import tensorflow as tf\nimport keras.backend as K\nconfig = tf.ConfigProto(allow_soft_placement=True)\n"
    "config.gpu_options.allow_growth = True\nK.set_session(tf.Session(config=config))\n"
    "with tf.Session() as s: answer = s.run(tf.global_variables_initializer())": None,
    "from tensorflow.keras.layers.experimental.preprocessing import CategoryEncoding, Discretization\n"
    "answer = CategoryEncoding(max_tokens=2)([[1]]).tolist(), Discretization(bins=[1.0])([2.0]).tolist()": [
        [[0.0, 1.0]],
        [1],
    ],
    "from keras.layers import JaxLayer, MaxoutDense, Dense; answer = isinstance(Dense(1), JaxLayer)": False,
}

ERRORS = {  # what is run -> the error's class and words that it must have
    "from keras.layers import Denze": ("ModuleNotFoundError", ["'Denze'", "'keras.layers'", "Did you mean 'Dense'?"]),
    "import keras; keras.layers.Denze": ("AttributeError", ["'Denze'", "Did you mean 'Dense'?"]),
    "import keras.leyers": ("ModuleNotFoundError", ["'leyers'", "Did you mean 'layers'?"]),
    "import keras.layer.core": ("ModuleNotFoundError", ["'layer'", "Did you mean 'layers'?"]),
    "from keras.layers import Adam": ("ModuleNotFoundError", ["from keras.optimizers import Adam"]),
    "from keras.utils.np_utils import to_categoricl": ("ModuleNotFoundError", ["Did you mean 'to_categorical'?"]),
    "from keras.layers import JaxLayer\nJaxLayer(3)": (
        "NotImplementedError",
        ["keras.layers.JaxLayer is not in this version of Cornu yet"],
    ),
    "from keras.layers import JaxLayer\nclass A(JaxLayer): pass": (
        "NotImplementedError",
        ["JaxLayer is not in this version"],
    ),
    "from keras.applications.vgg16 import VGG61": ("ModuleNotFoundError", ["'VGG61'", "Did you mean 'VGG16'?"]),
    "from keras.applications import vgg61": ("ModuleNotFoundError", ["Did you mean 'vgg19'?"]),
    "from keras.layers import MaxoutDense\nMaxoutDense(3)": (
        "NotImplementedError",
        ["dropped it in version 2", "Lambda"],
    ),
    "import keras.activatons": ("ModuleNotFoundError", ["'activatons'", "Did you mean 'activations'?"]),
    "import keras; keras.activatons": ("AttributeError", ["Did you mean 'activations'?"]),
    "import tensorflow as tf\ntf.reduce_men(1)": ("AttributeError", ["'reduce_men'", "Did you mean 'reduce_mean'?"]),
    "import tensorflow as tf\ntf.Session().run(1, feed_dict={1: 2})": ("NotImplementedError", ["model.predict"]),
    "import keras; keras.layers()": ("TypeError", ["is a module"]),
}

SCRIPT = """
import importlib, json, sys
import cornu
cornu.install_as_keras()
cornu.install_as_keras()
same, values, errors = json.load(sys.stdin)
def get(path):
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)
def ask(question):
    try:
        return question()
    except Exception as error:
        return [type(error).__name__, str(error)]
def run(code):
    names = {}
    exec(code, names)
    return names.get("answer")
print(json.dumps([
    {old: ask(lambda: get(old) is get("cornu." + new)) for old, new in same.items()},
    {code: ask(lambda: run(code)) for code in values},
    {code: ask(lambda: run(code)) for code in errors},
    sum(type(finder).__name__ == "KerasFinder" for finder in sys.meta_path),
]))
"""


@pytest.fixture(scope="module")
def answers():
    questions = json.dumps([SAME, list(VALUES), list(ERRORS)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], input=questions, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("old", SAME)
def test_old_paths_give_the_same_objects(answers, old):
    assert answers[0][old] is True


@pytest.mark.parametrize("code", VALUES)
def test_modules_behave(answers, code):
    assert answers[1][code] == VALUES[code]


@pytest.mark.parametrize("code", ERRORS)
def test_what_is_missing_is_named_with_the_nearest(answers, code):
    kind, words = ERRORS[code]
    assert answers[2][code][0] == kind
    for word in words:
        assert word in answers[2][code][1]


def test_installing_twice_installs_once(answers):
    assert answers[3] == 1


def test_another_keras_in_the_process_is_refused(real_keras):
    with pytest.raises(RuntimeError, match="keras has already been imported in this process"):
        imports.install_as_keras()
    assert not any(isinstance(finder, imports.KerasFinder) for finder in sys.meta_path)


@pytest.mark.parametrize(
    ("module", "place"),
    [
        ("keras", ""),
        ("keras.layers.convolutional", "layers"),
        ("keras.src.optimizers.adam", "optimizers"),
        ("keras.layers.Dense", None),
        ("keras.layers.core.Dense", None),
        ("keras.applications.vgg16", "applications.vgg16"),
        ("keras.applications.VGG16", None),
        ("tensorflow.keras", ""),
        ("tensorflow.nn", "tensorflow.nn"),
        ("tensorflow.data", "tensorflow.data"),
        ("tensorflow.lite", None),
        ("kerastuner", None),
        ("numpy", None),
    ],
)
def test_places(module, place):
    assert imports.place_of(module) == place


def test_the_tables_name_places_that_exist():
    assert set(names.MOVED_PLACES.values()) <= set(names.PLACES)
    assert set(names.NAMES) <= set(names.PLACES)
    assert set(tensorflow_names.NAMES) <= set(tensorflow_names.PLACES)


def test_what_tensorflow_names_exists():
    import importlib

    for table in tensorflow_names.NAMES.values():
        for target in table.values():
            module, name = target.split(":")
            assert hasattr(importlib.import_module(module), name), target
