"""Models: functional, subclassed and sequential.

Read `model.py` first, then `network.py` (the graph inside a functional model) and `trainer.py` (compile, fit, evaluate,
predict).
"""

from cornu.core import spellings
from cornu.core.public import offer
from cornu.models import feature_space as feature_space
from cornu.models.cloning import clone_model, model_from_config, model_from_json
from cornu.models.model import Functional, Model
from cornu.models.sequential import Sequential
from cornu.saving.files import load_model, save_model

__getattr__ = spellings.names_of(__name__)

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "save_model",
]
offer(globals())
