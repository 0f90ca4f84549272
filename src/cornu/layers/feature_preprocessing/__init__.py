"""Layers that make numbers of categories and texts: by vocabularies, hashes or intervals.

`index_lookup.py` has what lookups share. All but `CategoryEncoding` and `Discretization` compute on the host.
"""

from cornu.layers.feature_preprocessing.category_encoding import *
from cornu.layers.feature_preprocessing.discretization import *
from cornu.layers.feature_preprocessing.hashing import *
from cornu.layers.feature_preprocessing.lookups import *
from cornu.layers.feature_preprocessing.text_vectorization import *
