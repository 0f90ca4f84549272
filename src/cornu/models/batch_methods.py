"""What a model does with a single batch: train, test, predict."""

from typing import Any

import jax

from cornu.core.forks import check_process
from cornu.core.spellings import old_keywords
from cornu.data.batch import Batch
from cornu.data.batches import array_batch
from cornu.data.convert import map_arrays
from cornu.data.text_inputs import TextInputs
from cornu.models.loss_methods import as_scores
from cornu.models.parts import ModelPart
from cornu.training import checks
from cornu.training.program import with_others
from cornu.training.programs import Kind


class BatchMethods(ModelPart):
    """The methods of a model that take one batch."""

    @old_keywords("train_on_batch")
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
        return_dict: bool = False, reset_metrics: bool = True,
    ) -> Any:  # fmt: skip
        """Train on one batch and return its loss and metrics (a number, a list, or a dictionary).

        The result is that of this batch alone, as in Keras 1 and 2; with ``reset_metrics=False`` metrics run on.
        """
        batch = self._one_batch(x, y, sample_weight, class_weight, "train_on_batch")
        return self._run_one("train", batch, return_dict, reset_metrics)

    @old_keywords("test_on_batch")
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False, reset_metrics: bool = True
    ) -> Any:
        """Evaluate one batch and return its loss and metrics (a number, a list, or a dictionary)."""
        batch = self._one_batch(x, y, sample_weight, None, "test_on_batch")
        return self._run_one("test", batch, return_dict, reset_metrics)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch as numpy arrays."""
        check_process("predict_on_batch")
        x, _, _ = self._column_rule("predict").apply(x)
        x = self._as_inputs(x)
        if isinstance(x, TextInputs):
            x = self._with_texts_prepared(Batch(x), "predict", "predict").x
        else:
            self._prepare(Batch(x), "predict", _rows(x))
        predictor = self._programs.get("predict")
        with with_others(predictor.learner):
            return predictor.owned(predictor.on_batch(x), x)

    def _one_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any, what: str) -> Batch:
        check_process(what)
        self._check_compiled(what)
        x, y, sample_weight = self._column_rule(what).apply(x, y, sample_weight)
        batch = array_batch(x, y, sample_weight, class_weight, self._as_inputs)
        shapes = map_arrays(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), batch)
        if isinstance(batch.x, TextInputs):
            batch = self._with_texts_prepared(batch, "train" if what == "train_on_batch" else "test", what)
        else:
            self._prepare(shapes, what, _rows(batch.x))
        checks.check_labels(self.objective, batch.y)
        return batch

    def _run_one(self, kind: Kind, batch: Batch, return_dict: bool, reset_metrics: bool) -> Any:
        programs = self._programs
        program = programs.get(kind)
        with programs.training() if kind == "train" else programs.evaluating(program.learner):
            if reset_metrics:
                program.learner.reset_metrics()
            logs = program.run_batch(batch)()
        return logs if return_dict else as_scores(logs)


def _rows(x: Any) -> int | None:
    """Return the number of rows of the first array of a structure; None if there is none."""
    return next((array.shape[0] for array in jax.tree.leaves(x) if array.shape), None)
