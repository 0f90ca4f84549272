"""Recurrent layers: `RNN` is the loop over time steps, and the others are an `RNN` over their cell.

Read `rnn.py` first, then `simple_rnn.py`. `cell.py` is what the library's cells share, `any_cell.py` how cells of
programs are called.
"""

from cornu.layers.recurrent.bidirectional import *
from cornu.layers.recurrent.conv_lstm import *
from cornu.layers.recurrent.gru import *
from cornu.layers.recurrent.lstm import *
from cornu.layers.recurrent.rnn import *
from cornu.layers.recurrent.simple_rnn import *
from cornu.layers.recurrent.stacked_cells import *
