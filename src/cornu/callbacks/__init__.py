"""Callbacks: they watch training and may change it. The names are those of ``keras.callbacks``.

Read `base.py` and `list.py` first; `dashboard/` and `tensorboard/` are separate folders.
"""

from cornu.callbacks.averaging import *
from cornu.callbacks.backup import *
from cornu.callbacks.base import *
from cornu.callbacks.checkpoint import *
from cornu.callbacks.dashboard.callback import *
from cornu.callbacks.history import *
from cornu.callbacks.list import *
from cornu.callbacks.loggers import *
from cornu.callbacks.plot_losses import *
from cornu.callbacks.progress import *
from cornu.callbacks.rate_finder import *
from cornu.callbacks.schedule import *
from cornu.callbacks.stopping import *
from cornu.callbacks.tensorboard.callback import *
from cornu.core import spellings
from cornu.core.public import offer

__getattr__ = spellings.names_of(__name__)
offer(globals())
