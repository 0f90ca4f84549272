"""Metrics: numbers accumulated over batches. ``compile(metrics=["accuracy"])`` finds them by name."""

from cornu.core import registry, spellings
from cornu.core.public import offer
from cornu.losses import (
    binary_crossentropy as binary_crossentropy,
)
from cornu.losses import (
    binary_focal_crossentropy as binary_focal_crossentropy,
)
from cornu.losses import (
    categorical_crossentropy as categorical_crossentropy,
)
from cornu.losses import (
    categorical_focal_crossentropy as categorical_focal_crossentropy,
)
from cornu.losses import (
    categorical_hinge as categorical_hinge,
)
from cornu.losses import (
    hinge as hinge,
)
from cornu.losses import (
    huber as huber,
)
from cornu.losses import (
    kl_divergence as kl_divergence,
)
from cornu.losses import (
    log_cosh as log_cosh,
)
from cornu.losses import (
    mean_absolute_error as mean_absolute_error,
)
from cornu.losses import (
    mean_absolute_percentage_error as mean_absolute_percentage_error,
)
from cornu.losses import (
    mean_squared_error as mean_squared_error,
)
from cornu.losses import (
    mean_squared_logarithmic_error as mean_squared_logarithmic_error,
)
from cornu.losses import (
    poisson as poisson,
)
from cornu.losses import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from cornu.losses import (
    squared_hinge as squared_hinge,
)
from cornu.metrics.accuracy import *
from cornu.metrics.base import *
from cornu.metrics.confusion import *
from cornu.metrics.curves import *
from cornu.metrics.lookup import *
from cornu.metrics.named import *
from cornu.metrics.overlap import *
from cornu.metrics.scores import *

registry.METRICS.things["Metric"] = Metric


__getattr__ = spellings.names_of(__name__)
offer(globals())
