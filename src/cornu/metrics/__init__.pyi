# Written by scripts/stubs; a test compares.

from cornu.losses.base import Loss as Loss
from cornu.losses.base import LossFunctionWrapper as LossFunctionWrapper
from cornu.losses.crossentropy import binary_crossentropy as binary_crossentropy
from cornu.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from cornu.losses.crossentropy import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from cornu.losses.focal import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from cornu.losses.focal import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
from cornu.losses.focal import CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy
from cornu.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
from cornu.losses.focal import categorical_focal_crossentropy as categorical_focal_crossentropy
from cornu.losses.focal import categorical_generalized_cross_entropy as categorical_generalized_cross_entropy
from cornu.losses.hinge import categorical_hinge as categorical_hinge
from cornu.losses.hinge import hinge as hinge
from cornu.losses.hinge import squared_hinge as squared_hinge
from cornu.losses.regression import Huber as Huber
from cornu.losses.regression import LogCosh as LogCosh
from cornu.losses.regression import huber as huber
from cornu.losses.regression import log_cosh as log_cosh
from cornu.losses.regression import mean_absolute_error as mean_absolute_error
from cornu.losses.regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from cornu.losses.regression import mean_squared_error as mean_squared_error
from cornu.losses.regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from cornu.losses.similarity import CTC as CTC
from cornu.losses.similarity import Circle as Circle
from cornu.losses.similarity import Dice as Dice
from cornu.losses.similarity import Tversky as Tversky
from cornu.losses.similarity import circle as circle
from cornu.losses.similarity import cosine_similarity as cosine_similarity
from cornu.losses.similarity import ctc as ctc
from cornu.losses.similarity import dice as dice
from cornu.losses.similarity import kl_divergence as kl_divergence
from cornu.losses.similarity import poisson as poisson
from cornu.losses.similarity import tversky as tversky
from cornu.metrics.accuracy import Accuracy as Accuracy
from cornu.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
from cornu.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
from cornu.metrics.accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from cornu.metrics.accuracy import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
from cornu.metrics.accuracy import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from cornu.metrics.accuracy import binary_accuracy as binary_accuracy
from cornu.metrics.accuracy import categorical_accuracy as categorical_accuracy
from cornu.metrics.accuracy import sparse_categorical_accuracy as sparse_categorical_accuracy
from cornu.metrics.accuracy import sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy
from cornu.metrics.accuracy import top_k_categorical_accuracy as top_k_categorical_accuracy
from cornu.metrics.base import Mean as Mean
from cornu.metrics.base import MeanMetricWrapper as MeanMetricWrapper
from cornu.metrics.base import Metric as Metric
from cornu.metrics.base import Sum as Sum
from cornu.metrics.confusion import FalseNegatives as FalseNegatives
from cornu.metrics.confusion import FalsePositives as FalsePositives
from cornu.metrics.confusion import Precision as Precision
from cornu.metrics.confusion import PrecisionAtRecall as PrecisionAtRecall
from cornu.metrics.confusion import Recall as Recall
from cornu.metrics.confusion import RecallAtPrecision as RecallAtPrecision
from cornu.metrics.confusion import SensitivityAtSpecificity as SensitivityAtSpecificity
from cornu.metrics.confusion import SpecificityAtSensitivity as SpecificityAtSensitivity
from cornu.metrics.confusion import TrueNegatives as TrueNegatives
from cornu.metrics.confusion import TruePositives as TruePositives
from cornu.metrics.curves import AUC as AUC
from cornu.metrics.lookup import deserialize as deserialize
from cornu.metrics.lookup import get as get
from cornu.metrics.lookup import resolve as resolve
from cornu.metrics.lookup import serialize as serialize
from cornu.metrics.named import BinaryCrossentropy as BinaryCrossentropy
from cornu.metrics.named import CategoricalCrossentropy as CategoricalCrossentropy
from cornu.metrics.named import CategoricalHinge as CategoricalHinge
from cornu.metrics.named import ConcordanceCorrelation as ConcordanceCorrelation
from cornu.metrics.named import CosineSimilarity as CosineSimilarity
from cornu.metrics.named import Hinge as Hinge
from cornu.metrics.named import KLDivergence as KLDivergence
from cornu.metrics.named import LogCoshError as LogCoshError
from cornu.metrics.named import MeanAbsoluteError as MeanAbsoluteError
from cornu.metrics.named import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from cornu.metrics.named import MeanSquaredError as MeanSquaredError
from cornu.metrics.named import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from cornu.metrics.named import PearsonCorrelation as PearsonCorrelation
from cornu.metrics.named import Poisson as Poisson
from cornu.metrics.named import RootMeanSquaredError as RootMeanSquaredError
from cornu.metrics.named import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from cornu.metrics.named import SquaredHinge as SquaredHinge
from cornu.metrics.named import concordance_correlation as concordance_correlation
from cornu.metrics.named import pearson_correlation as pearson_correlation
from cornu.metrics.overlap import BinaryIoU as BinaryIoU
from cornu.metrics.overlap import IoU as IoU
from cornu.metrics.overlap import MeanIoU as MeanIoU
from cornu.metrics.overlap import OneHotIoU as OneHotIoU
from cornu.metrics.overlap import OneHotMeanIoU as OneHotMeanIoU
from cornu.metrics.scores import F1Score as F1Score
from cornu.metrics.scores import FBetaScore as FBetaScore
from cornu.metrics.scores import R2Score as R2Score

BCE = binary_crossentropy
CosineProximity = CosineSimilarity
KLD = kl_divergence
MAE = mean_absolute_error
MAPE = mean_absolute_percentage_error
MSE = mean_squared_error
MSLE = mean_squared_logarithmic_error
bce = binary_crossentropy
cosine = cosine_similarity
cosine_proximity = cosine_similarity
kld = kl_divergence
kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
mae = mean_absolute_error
mape = mean_absolute_percentage_error
mse = mean_squared_error
msle = mean_squared_logarithmic_error
