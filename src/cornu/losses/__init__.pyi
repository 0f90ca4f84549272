# Written by scripts/stubs; a test compares.

from cornu.compat.extras import Reduction as Reduction
from cornu.losses.base import Loss as Loss
from cornu.losses.base import LossFunctionWrapper as LossFunctionWrapper
from cornu.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
from cornu.losses.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from cornu.losses.crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from cornu.losses.crossentropy import binary_crossentropy as binary_crossentropy
from cornu.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from cornu.losses.crossentropy import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from cornu.losses.focal import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from cornu.losses.focal import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
from cornu.losses.focal import CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy
from cornu.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
from cornu.losses.focal import categorical_focal_crossentropy as categorical_focal_crossentropy
from cornu.losses.focal import categorical_generalized_cross_entropy as categorical_generalized_cross_entropy
from cornu.losses.hinge import CategoricalHinge as CategoricalHinge
from cornu.losses.hinge import Hinge as Hinge
from cornu.losses.hinge import SquaredHinge as SquaredHinge
from cornu.losses.hinge import categorical_hinge as categorical_hinge
from cornu.losses.hinge import hinge as hinge
from cornu.losses.hinge import squared_hinge as squared_hinge
from cornu.losses.regression import Huber as Huber
from cornu.losses.regression import LogCosh as LogCosh
from cornu.losses.regression import MeanAbsoluteError as MeanAbsoluteError
from cornu.losses.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from cornu.losses.regression import MeanSquaredError as MeanSquaredError
from cornu.losses.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from cornu.losses.regression import huber as huber
from cornu.losses.regression import log_cosh as log_cosh
from cornu.losses.regression import mean_absolute_error as mean_absolute_error
from cornu.losses.regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from cornu.losses.regression import mean_squared_error as mean_squared_error
from cornu.losses.regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from cornu.losses.similarity import CTC as CTC
from cornu.losses.similarity import Circle as Circle
from cornu.losses.similarity import CosineSimilarity as CosineSimilarity
from cornu.losses.similarity import Dice as Dice
from cornu.losses.similarity import KLDivergence as KLDivergence
from cornu.losses.similarity import Poisson as Poisson
from cornu.losses.similarity import Tversky as Tversky
from cornu.losses.similarity import circle as circle
from cornu.losses.similarity import cosine_similarity as cosine_similarity
from cornu.losses.similarity import ctc as ctc
from cornu.losses.similarity import dice as dice
from cornu.losses.similarity import kl_divergence as kl_divergence
from cornu.losses.similarity import poisson as poisson
from cornu.losses.similarity import tversky as tversky
from typing import Any

BCE = binary_crossentropy
KLD = kl_divergence
MAE = mean_absolute_error
MAPE = mean_absolute_percentage_error
MSE = mean_squared_error
MSLE = mean_squared_logarithmic_error
bce = binary_crossentropy
cosine = cosine_similarity
cosine_proximity = cosine_similarity
def deserialize(name: Any, custom_objects: dict[str, Any] | None=None) -> Any: ...
def get(identifier: Any) -> Any: ...
def serialize(loss: Any) -> Any: ...
huber_loss = huber
kld = kl_divergence
kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
mae = mean_absolute_error
mape = mean_absolute_percentage_error
mse = mean_squared_error
msle = mean_squared_logarithmic_error
