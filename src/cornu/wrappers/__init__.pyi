# Written by scripts/stubs; a test compares.

from cornu.wrappers import scikit_learn as scikit_learn
from cornu.wrappers.estimators import SKLearnClassifier as SKLearnClassifier
from cornu.wrappers.estimators import SKLearnRegressor as SKLearnRegressor
from cornu.wrappers.estimators import SKLearnTransformer as SKLearnTransformer
