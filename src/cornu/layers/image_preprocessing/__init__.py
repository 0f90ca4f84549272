"""Layers that bring images to one size and change them at random, with what belongs to them.

Read `base.py` first, then `flips.py`: the shortest complete layer.
"""

from cornu.layers.image_preprocessing.affine import *
from cornu.layers.image_preprocessing.colors import *
from cornu.layers.image_preprocessing.flips import *
from cornu.layers.image_preprocessing.histograms import *
from cornu.layers.image_preprocessing.mixing import *
from cornu.layers.image_preprocessing.perspective import *
from cornu.layers.image_preprocessing.pipeline import *
from cornu.layers.image_preprocessing.policies import *
from cornu.layers.image_preprocessing.random_size import *
from cornu.layers.image_preprocessing.sharpness import *
from cornu.layers.image_preprocessing.sizes import *
from cornu.layers.image_preprocessing.tones import *
