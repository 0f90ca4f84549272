"""What a type checker knows of a model inside one of its parts, such as the trainer: a part alone is no layer."""

from typing import TYPE_CHECKING, Any

from cornu.core.layer import Layer
from cornu.metrics import Metric

if TYPE_CHECKING:

    class ModelPart(Layer):
        """A base of the model's bases; at run time it is `object`."""

        _network: Any

        @property
        def own_metrics(self) -> list[Metric]: ...

else:
    ModelPart = object
