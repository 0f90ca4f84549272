"""Preparing data for models, as `keras.preprocessing` has it."""

from cornu.preprocessing import sequence

__all__ = ["sequence"]
