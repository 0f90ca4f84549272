"""Preprocessing of data, as in `keras.preprocessing`."""

from cornu.core import spellings
from cornu.core.public import offer
from cornu.preprocessing import image, sequence, text

__getattr__ = spellings.names_of(__name__)

__all__ = ["image", "sequence", "text"]
offer(globals())
