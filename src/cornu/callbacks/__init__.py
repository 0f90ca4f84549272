"""Callbacks: what watches training and may change it. The names are those of ``keras.callbacks``."""

from cornu.callbacks.base import Callback
from cornu.callbacks.history import History
from cornu.callbacks.list import CallbackList
from cornu.callbacks.progress import ProgbarLogger

__all__ = ["Callback", "CallbackList", "History", "ProgbarLogger"]
