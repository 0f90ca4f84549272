"""The columns of data sets and data frames that a model takes, by its inputs' and outputs' names."""

from typing import Any

import jax

from cornu.core.tables import is_table
from cornu.data.arrays import split_rows
from cornu.data.batches import array_batch
from cornu.data.columns import ColumnRule, Columns, ModelNames
from cornu.data.convert import check_columns, columns_by_name
from cornu.data.streams import is_stream
from cornu.data.tables import TableBatches, opened
from cornu.models.loss_methods import LossMethods
from cornu.models.parts import ModelPart


class ColumnMethods(ModelPart):
    """The part of a model that chooses columns."""

    _takes_one_input = False  # whether it is a stack of layers
    _frame_columns: list[str] | None = None  # of the data frame that `fit` got
    _fit_columns: Columns | None = None  # what `fit` chose of other data with columns

    def _columns_of(self, x: Any) -> Any:
        """Return a data frame with checked columns, by the names of the model's inputs; other data as they are."""
        network = self._network
        if network is not None and (isinstance(network.inputs, dict) or len(network.flat_inputs) > 1):
            x = columns_by_name(x, network.inputs if isinstance(network.inputs, dict) else network.input_names)
        if self._frame_columns is not None:
            check_columns(x, self._frame_columns)
        return x

    def _column_rule(self, what: str) -> ColumnRule:
        """Return the rule by which `fit`, `evaluate`, `predict` and the methods for one batch choose columns."""
        return ColumnRule(self._column_names(what), what == "predict", None if what == "fit" else self._fit_columns)

    def _column_names(self, what: str) -> ModelNames:
        needs = what != "predict" and bool(jax.tree.leaves(self.loss)) and not self._has_own_steps
        network = self._network
        if network is None:
            return ModelNames(() if self._takes_one_input else None, needs_targets=needs)
        inputs = tuple(network.inputs if isinstance(network.inputs, dict) else network.input_names)
        several = isinstance(network.inputs, dict) or len(inputs) > 1
        return ModelNames(inputs, tuple(network.output_names), several, needs)

    @property
    def _has_own_steps(self) -> bool:
        """Whether the model compares its outputs with targets by code of its own, or not at all."""
        return self.learner.custom_train is not None or type(self).compute_loss is not LossMethods.compute_loss

    def _split(
        self, x: Any, y: Any, sample_weight: Any, fraction: float, batch_size: int | None, shuffle: Any
    ) -> tuple[Any, Any]:
        """Return the data of `fit` to train on, and the last `fraction` of them to validate on.

        Raises ValueError if they are a stream.
        """
        rule, kind = self._column_rule("fit"), type(x).__name__
        if is_table(x):
            x, y, sample_weight = opened(x, y, sample_weight, rule, batch_size, shuffle)
            self._fit_columns = rule.found
        if isinstance(x, TableBatches):
            return x.split(fraction)
        if is_stream(x):
            raise ValueError(f"validation_split cannot cut a {kind}: pass validation_data, or arrays.")
        rows = array_batch(*rule.apply(x, y, sample_weight), None, self._as_rows)
        self._fit_columns = rule.found
        return split_rows(rows, fraction)
