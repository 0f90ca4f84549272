"""Preparing data for models, as `keras.preprocessing` has it."""

from cornu.core import hooks
from cornu.preprocessing import sequence

__getattr__ = hooks.names_of(__name__)

__all__ = ["sequence"]
