"""Preprocessing of data, as in `keras.preprocessing`."""

from cornu.core import spellings
from cornu.core.public import offer
from cornu.preprocessing import sequence

__getattr__ = spellings.names_of(__name__)

__all__ = ["sequence"]
offer(globals())
