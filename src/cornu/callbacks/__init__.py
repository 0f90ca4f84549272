"""Callbacks: they watch training and may change it. The names are those of ``keras.callbacks``."""

from cornu.callbacks.averaging import SwapEMAWeights
from cornu.callbacks.backup import BackupAndRestore
from cornu.callbacks.base import Callback
from cornu.callbacks.checkpoint import ModelCheckpoint
from cornu.callbacks.dashboard.callback import Dashboard
from cornu.callbacks.history import History
from cornu.callbacks.list import CallbackList
from cornu.callbacks.loggers import CSVLogger, LambdaCallback, RemoteMonitor
from cornu.callbacks.plot_losses import PlotLosses
from cornu.callbacks.progress import ProgbarLogger
from cornu.callbacks.rate_finder import LearningRateFinder
from cornu.callbacks.schedule import LearningRateScheduler, ReduceLROnPlateau
from cornu.callbacks.stopping import EarlyStopping, TerminateOnNaN
from cornu.callbacks.tensorboard.callback import TensorBoard
from cornu.core import spellings

__getattr__ = spellings.names_of(__name__)

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "Dashboard",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateFinder",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "PlotLosses",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
