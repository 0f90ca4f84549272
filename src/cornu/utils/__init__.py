"""Helpers around models and data. The names are those of ``keras.utils``."""

from cornu.core.seeds import set_random_seed
from cornu.utils.arrays import normalize, to_categorical
from cornu.utils.files import get_file

__all__ = ["get_file", "normalize", "set_random_seed", "to_categorical"]
