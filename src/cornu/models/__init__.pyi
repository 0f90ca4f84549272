# Written by scripts/stubs; a test compares.

from cornu.core.layer import Layer as Layer
from cornu.layers.input import Input as Input
from cornu.models.cloning import clone_model as clone_model
from cornu.models.cloning import model_from_config as model_from_config
from cornu.models.cloning import model_from_json as model_from_json
from cornu.models.model import Functional as Functional
from cornu.models.model import Model as Model
from cornu.models.sequential import Sequential as Sequential
from cornu.saving.files import load_model as load_model
from cornu.saving.files import save_model as save_model

Container = Model
