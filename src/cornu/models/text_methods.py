"""Models of Python code on texts: layers for strings that their code calls first run before the compiled program."""

from typing import Any

import jax

from cornu.core.text import TextStandIn, is_text
from cornu.data.arrays import ArrayBatches
from cornu.data.batch import Batch
from cornu.data.batches import Batches
from cornu.data.convert import as_arrays
from cornu.data.text_inputs import TextCalls, TextInputs, with_all_calls
from cornu.models.parts import ModelPart
from cornu.training.programs import Kind
from cornu.training.step import custom_step


class TextMethods(ModelPart):
    """The part of a model that takes texts without a graph: see `cornu.data.text_inputs`."""

    @property
    def _takes_texts(self) -> bool:
        """Whether a model without a graph may take texts: it has layers that compute with numpy, or may make some."""
        return self._holds_host_layers() or (not self.built and custom_step(self, "build") is not None)

    def _called_by(self, stand_in: TextStandIn, x: Any) -> Any:
        """Return inputs, with stand-ins for texts, for the program of a model that begins with layers for strings."""
        if self._network is None:
            self._ensure_built((x,), {})
        host = self._network.host
        return x if host is None else stand_in.called_by(host.encode, x)

    def _with_text_calls(self, x: Any) -> Any:
        """Return data as arrays for the program; if there are texts, with what the model's layers make of them."""
        x = as_arrays(x, "x", text=True)
        arrays, tree = jax.tree.flatten(x)
        if not any(map(is_text, arrays)):
            return x
        kind = tree, tuple((is_text(array), array.ndim) for array in arrays)
        return self._programs.text_calls.setdefault(kind, TextCalls()).encode(x)

    def _prepare_all(self, batches: Batches, kind: Kind, what: str) -> None:
        """Make the model ready for batches; if they have texts, find the calls on them that its steps make."""
        self._prepare_texts(batches, kind, what)
        if not isinstance(batches.example.x, TextInputs):
            self._prepare(batches.example, what, batches.rows)

    def _prepare_texts(self, batches: Batches, kind: Kind, what: str) -> None:
        for _ in range(2):  # the second time, the arrays have their true shapes
            example = batches.example
            if not isinstance(example.x, TextInputs):
                return
            calls = example.x.calls
            with calls.finding():
                self._prepare(example, what, batches.rows)
                program = self._programs.get(kind)
                if program.text_calls is not calls:
                    program.trace(example)
                    program.text_calls = calls
            batches.revise(with_all_calls)

    def _with_texts_prepared(self, batch: Batch, kind: Kind, what: str) -> Batch:
        """Return one batch with the results of all calls on texts that a step makes."""
        batches = ArrayBatches(batch, jax.tree.leaves(batch.x)[0].shape[0], False)
        self._prepare_texts(batches, kind, what)
        return batches.batch
