"""Models as estimators of scikit-learn: in pipelines, searches and cross-validation.

`estimators.py` has those of Keras 3, `scikit_learn.py` those of Keras 1 and 2.
"""

from cornu.core import spellings
from cornu.core.public import offer
from cornu.wrappers import scikit_learn
from cornu.wrappers.estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__getattr__ = spellings.names_of(__name__)

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer", "scikit_learn"]
offer(globals())
