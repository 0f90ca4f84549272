"""What a type checker knows of a model inside one of its parts, such as the trainer: a part alone is no layer."""

from typing import TYPE_CHECKING, Any

from cornu.core.layer import Layer
from cornu.data.batch import Batch
from cornu.data.columns import ColumnRule
from cornu.metrics import Metric
from cornu.training.objective import Objective
from cornu.training.programs import Kind, Programs
from cornu.training.step import Learner

if TYPE_CHECKING:

    class ModelPart(Layer):
        """A base of the model's bases; at run time it is `object`."""

        _network: Any
        objective: Objective
        loss: Any
        compute_loss: Any

        @property
        def _begins_on_host(self) -> bool: ...

        @property
        def own_metrics(self) -> list[Metric]: ...

        @property
        def output_names(self) -> list[str]: ...

        @property
        def metrics_names(self) -> list[str]: ...

        def _as_inputs(self, x: Any) -> Any: ...

        def _as_rows(self, x: Any) -> Any: ...

        @property
        def learner(self) -> Learner: ...

        def _column_rule(self, what: str) -> ColumnRule: ...

        @property
        def _programs(self) -> Programs: ...

        def _fixed_batch_size(self) -> int | None: ...

        def get_metrics_result(self) -> dict[str, Any]: ...

        def _prepare(self, example: Batch, what: str, rows: int | None = None) -> None: ...

        def _with_texts_prepared(self, batch: Batch, kind: Kind, what: str) -> Batch: ...

        def _check_compiled(self, what: str) -> None: ...

else:
    ModelPart = object
