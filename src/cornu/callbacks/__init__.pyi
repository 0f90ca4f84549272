# Written by scripts/stubs; a test compares.

from cornu.callbacks.averaging import SwapEMAWeights as SwapEMAWeights
from cornu.callbacks.backup import BackupAndRestore as BackupAndRestore
from cornu.callbacks.base import Callback as Callback
from cornu.callbacks.checkpoint import ModelCheckpoint as ModelCheckpoint
from cornu.callbacks.dashboard.callback import Dashboard as Dashboard
from cornu.callbacks.history import History as History
from cornu.callbacks.list import CallbackList as CallbackList
from cornu.callbacks.loggers import CSVLogger as CSVLogger
from cornu.callbacks.loggers import LambdaCallback as LambdaCallback
from cornu.callbacks.loggers import RemoteMonitor as RemoteMonitor
from cornu.callbacks.plot_losses import PlotLosses as PlotLosses
from cornu.callbacks.progress import ProgbarLogger as ProgbarLogger
from cornu.callbacks.rate_finder import LearningRateFinder as LearningRateFinder
from cornu.callbacks.schedule import LearningRateScheduler as LearningRateScheduler
from cornu.callbacks.schedule import ReduceLROnPlateau as ReduceLROnPlateau
from cornu.callbacks.stopping import EarlyStopping as EarlyStopping
from cornu.callbacks.stopping import TerminateOnNaN as TerminateOnNaN
from cornu.callbacks.tensorboard.callback import TensorBoard as TensorBoard

BaseLogger = Callback
