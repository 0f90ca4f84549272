"""Models of Python code on texts: layers for strings that their code calls first run before the compiled program."""

from typing import Any

import jax

from cornu.core.graph import SymbolicTensor, is_symbolic
from cornu.core.text import TextStandIn, is_text
from cornu.data.arrays import ArrayBatches
from cornu.data.batch import Batch
from cornu.data.batches import Batches
from cornu.data.text_inputs import TextCalls, TextInputs, with_all_calls
from cornu.models.parts import ModelPart
from cornu.training.programs import Kind
from cornu.training.step import custom_step


class TextMethods(ModelPart):
    """The part of a model that takes texts without a graph: see `cornu.data.text_inputs`."""

    _text_places: Any = None  # the paths of texts among the inputs that the model was built for

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes that the model was built for, and the paths of those that are texts."""
        config = super().get_build_config()
        return config if config is None or not self._text_places else config | {"texts": self._text_places}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with what `get_build_config` returned."""
        texts = config.get("texts")
        self._text_places = texts if isinstance(texts, list) else None
        super().build_from_config(config)

    def _note_texts(self, args: tuple, kwargs: dict[str, Any]) -> None:
        """Remember which of the arguments of a call are texts."""
        paths = jax.tree_util.tree_flatten_with_path([*args, *kwargs.values()])[0]
        self._text_places = [jax.tree_util.keystr(path) for path, leaf in paths if is_text(leaf)] or None

    def _tensors_of(self, shapes: Any) -> Any:
        tensors = super()._tensors_of(shapes)
        places = self._text_places or ()
        return jax.tree_util.tree_map_with_path(
            lambda path, one: (
                SymbolicTensor(one.shape, "string") if f"[0]{jax.tree_util.keystr(path)}" in places else one
            ),
            tensors,
            is_leaf=is_symbolic,
        )

    @property
    def _runs_on_texts(self) -> bool:
        """Whether the model's own code calls layers for strings, or may make some."""
        if self._network is not None:
            return self._network.runs_on_texts
        if self._begins_on_host:
            return False
        return self._holds_host_layers() or (not self.built and custom_step(self, "build") is not None)

    def _called_by(self, stand_in: TextStandIn, x: Any) -> Any:
        """Return inputs, with stand-ins for texts, for the program of a model that begins with layers for strings."""
        if self._network is None:
            self._ensure_built((x,), {})
        host = self._network.host
        return x if host is None else stand_in.called_by(host.encode, x)

    def _with_text_calls(self, x: Any) -> Any:
        """Return arrays for the program; if there are texts, with what the model's layers make of them."""
        arrays, tree = jax.tree.flatten(x)
        if not any(map(is_text, arrays)):
            return x
        kind = tree, tuple((is_text(array), array.ndim) for array in arrays)
        return self._programs.text_calls.setdefault(kind, TextCalls()).encode(x)

    def _prepare_texts(self, batches: Batches, kind: Kind, what: str) -> None:
        """Make the model ready for batches with texts: find the calls on them that its steps make."""
        for _ in range(2):  # the second time, the arrays have their true shapes
            example = batches.example
            calls = example.x.calls
            with calls.finding():
                self._prepare(example, what, batches.rows)
                program = self._programs.get(kind)
                if program.text_calls is not calls:
                    program.trace(example)
                    program.text_calls = calls
            batches.revise(with_all_calls)

    def _inputs_to_predict(self, x: Any) -> Any:
        """Return inputs, texts among them, as arrays for the program that predicts."""
        x = self._as_inputs(x)
        return self._with_texts_prepared(Batch(x), "predict", "predict").x if isinstance(x, TextInputs) else x

    def _with_texts_prepared(self, batch: Batch, kind: Kind, what: str) -> Batch:
        """Return one batch with the results of all calls on texts that a step makes."""
        batches = ArrayBatches(batch, jax.tree.leaves(batch.x)[0].shape[0], False)
        self._prepare_texts(batches, kind, what)
        return batches.batch
