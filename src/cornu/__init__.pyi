# Written by scripts/stubs; a test compares.

from cornu import activations as activations
from cornu import applications as applications
from cornu import backend as backend
from cornu import callbacks as callbacks
from cornu import config as config
from cornu import constraints as constraints
from cornu import datasets as datasets
from cornu import distribution as distribution
from cornu import dtype_policies as dtype_policies
from cornu import export as export
from cornu import initializers as initializers
from cornu import layers as layers
from cornu import losses as losses
from cornu import metrics as metrics
from cornu import mixed_precision as mixed_precision
from cornu import models as models
from cornu import ops as ops
from cornu import optimizers as optimizers
from cornu import preprocessing as preprocessing
from cornu import random as random
from cornu import ray as ray
from cornu import regularizers as regularizers
from cornu import saving as saving
from cornu import utils as utils
from cornu import visualization as visualization
from cornu import wrappers as wrappers
from cornu.compat.imports import install_as_keras as install_as_keras
from cornu.core.dtype_policies import DTypePolicy as DTypePolicy
from cornu.core.graph import SymbolicTensor
from cornu.core.input_spec import InputSpec as InputSpec
from cornu.core.layer import Layer as Layer
from cornu.core.variable import Variable as Variable
from cornu.initializers import Initializer as Initializer
from cornu.layers.input import Input as Input
from cornu.losses.base import Loss as Loss
from cornu.metrics.base import Metric as Metric
from cornu.models.model import Model as Model
from cornu.models.replicas import Replicas as Replicas
from cornu.models.sequential import Sequential as Sequential
from cornu.optimizers.base import Optimizer as Optimizer
from cornu.regularizers import Regularizer as Regularizer

KerasTensor = SymbolicTensor
Operation = Layer
__version__: str
