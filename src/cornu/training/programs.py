"""The compiled programs of a model: made when first needed, kept until something changes that they depend on."""

import logging
from typing import Any, Literal

from cornu.training.program import Predictor, Program
from cornu.training.step import Learner

Kind = Literal["train", "test", "predict"]

#: What a model's programs depend on; the next call compiles again after a change.
Reason = Literal[
    "compile changed",
    "layers changed",
    "weights added",
    "metrics made",
    "optimizer changed",
    "requested",
]

_log = logging.getLogger("cornu.training")


class Programs:
    """A cache of the programs of one model, and the `Learner` that they share.

    It is forgotten as a whole, for a reason that the log ``cornu.training`` tells at level DEBUG: who wonders why a
    model compiles again can look there.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._learner: Learner | None = None
        self._made: dict[Kind, Any] = {}
        self._revision = 0
        self.predicted_rows: tuple | None = None  # shape and dtype of the rows that the model was last prepared for

    @property
    def learner(self) -> Learner:
        """The model with its optimizer and objective as the engine sees them."""
        if self._learner is None:
            self._learner = Learner(self.model)
            self._revision = self._optimizer_revision()
        return self._learner

    def get(self, kind: Kind) -> Any:
        """Return the `Program` for training or evaluation, or the `Predictor`; made where there is none yet."""
        if kind != "predict" and self._learner is not None and self._revision != self._optimizer_revision():
            self.forget("optimizer changed")
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        return self._made[kind]

    def forget(self, reason: Reason) -> None:
        """Let the next call compile again."""
        if self._learner is not None:
            _log.debug("Model %r will compile again: %s.", self.model.name, reason)
        self._learner = None
        self._made = {}
        self.predicted_rows = None

    def _make(self, kind: Kind) -> Any:
        learner, run_eagerly = self.learner, self.model.run_eagerly
        if kind == "predict":
            return Predictor(learner, run_eagerly, apart=self.model._keeps_rows_apart() or None)
        if kind == "train":
            learner.prepare_optimizer()
        return Program(learner, kind, run_eagerly)

    def _optimizer_revision(self) -> int:
        optimizer = self.model.optimizer
        return 0 if optimizer is None else optimizer.revision
