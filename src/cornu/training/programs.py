"""The compiled programs of a model: made when first needed, kept until something changes that they depend on."""

import contextlib
import functools
import logging
import threading
from collections.abc import Iterator
from typing import Any, Literal

from cornu.core import settings
from cornu.core.distribution import Distribution, distribution
from cornu.core.weights import HoldsWeights
from cornu.data.text_inputs import TextCalls
from cornu.training.program import Predictor, Program
from cornu.training.replication import Replication, as_program_says
from cornu.training.sharded import gather
from cornu.training.step import Learner

Kind = Literal["train", "test", "predict"]

#: What a model's programs depend on; the next call compiles again after a change.
Reason = Literal[
    "compile changed",
    "layers changed",
    "weights added",
    "metrics made",
    "optimizer changed",
    "distribution changed",
    "replicas changed",
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
        self.given_distribution: Distribution | None = None  # the one in which the model was compiled
        self._distribution: Distribution | None = None  # that of the programs
        self.replication: Replication | None = None  # how many copies of the model train at once
        self._made: dict[Kind, Any] = {}
        self._revision = self._layers_revision = 0
        self.lock = threading.RLock()  # held while programs are made
        self._using = threading.RLock()  # held by the thread that trains or evaluates
        self._fitting: int | None = None  # the thread that runs `fit`
        self.outputs_by_shapes: dict[tuple, Any] = {}  # symbolic outputs, of a model whose inputs may have any size
        self.text_calls: dict[Any, TextCalls] = {}  # by the structure of the inputs
        self.predicted_rows: tuple | None = None  # shape and dtype of the rows that the model was last prepared for

    @functools.cached_property
    def batch_size(self) -> int | None:
        """The number of rows that each batch has to have, if layers of the model keep states for as many."""
        return self.model._fixed_batch_size()

    @property
    def learner(self) -> Learner:
        """The model with its optimizer and objective as the engine sees them."""
        found = self._learner
        if found is not None:
            return found
        with self.lock:
            if self._learner is None:
                self._revision, self._layers_revision = self._optimizer_revision(), HoldsWeights.revision
                before, self._distribution = self._distribution, self.distribution
                learner = Learner(self.model, self._distribution, self.replication)
                if before is not None and self._distribution is None:
                    slots = [] if learner.optimizer is None else learner.optimizer.all_variables
                    gather([*learner.variables, *slots])
                self._learner = learner
            return self._learner

    @property
    def distribution(self) -> Distribution | None:
        """What splits the model's programs over devices: the current one, else the one in which it was compiled."""
        return distribution() or self.given_distribution

    def replicate(self, replication: Replication | None) -> None:
        """Train so many copies from now on, which begin as the model is; None: the model alone, as the first is."""
        self.replication = replication
        self.forget("replicas changed")

    def replicate_as_set(self, trains: bool) -> None:
        """Train or evaluate as many copies as ``cornu run --replicas`` says, or those that other models have begun."""
        if settings.replicas() > 1 and self.replication is None:
            shared = next((one._copies for one in self.model.variables if one._copies is not None), None)
            if shared is not None:
                self.replicate(shared.owner)
            elif trains:
                settings.note_replicated()
                self.replicate(as_program_says(settings.replicas()))

    def get(self, kind: Kind) -> Any:
        """Return the `Program` for training or evaluation, or the `Predictor`; made where there is none yet."""
        if kind != "predict" and self._learner is not None and self._revision != self._optimizer_revision():
            self.forget("optimizer changed")
        if self._learner is not None and self._layers_revision != HoldsWeights.revision:
            self.forget("layers changed")
        if self._learner is not None and self._distribution is not self.distribution:
            self.forget("distribution changed")
        found = self._made.get(kind)
        if found is not None:
            return found
        with self.lock:
            if kind not in self._made:
                self._made[kind] = self._make(kind)
            return self._made[kind]

    # ---- several threads

    @contextlib.contextmanager
    def training(self, fits: bool = False) -> Iterator[None]:
        """Train in this thread alone inside a ``with`` block, after others have ended their step or evaluation.

        Raises RuntimeError if another thread runs `fit`, which may take long.
        """
        me = threading.get_ident()
        while not self._using.acquire(timeout=0.05):
            if self._fitting not in (None, me):
                what = "fit" if fits else "train_on_batch"
                raise RuntimeError(
                    f"Model {self.model.name!r} is being fitted in another thread; {what} in this thread would change "
                    "the same weights, optimizer and metrics.\n"
                    f"Wait for that fit to end, or train a copy: cornu.models.clone_model({self.model.name})."
                )
        before = self._fitting
        try:
            self._fitting = me if fits else before
            yield
        finally:
            self._fitting = before
            self._using.release()

    @contextlib.contextmanager
    def evaluating(self, learner: Learner) -> Iterator[None]:
        """Evaluate inside a ``with`` block: on copies if another thread trains or evaluates the model."""
        if not self._using.acquire(blocking=False):
            with learner.privately():
                yield
            return
        try:
            yield
        finally:
            self._using.release()

    def forget(self, reason: Reason) -> None:
        """Let the next call compile again."""
        if self._learner is not None:
            _log.debug("Model %r will compile again: %s.", self.model.name, reason)
        self._learner = None
        self._made = {}
        self.outputs_by_shapes = {}
        if reason in ("compile changed", "requested"):
            self.text_calls = {}
        self.predicted_rows = None
        vars(self).pop("batch_size", None)

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
