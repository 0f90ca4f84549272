"""Methods of a model for files; `cornu.saving` has the formats."""

from typing import Any

from cornu.core.variable import at_one_moment
from cornu.models.parts import ModelPart
from cornu.saving import files
from cornu.saving.pickling import all_variables, pack, pickled, unpack


class FileMethods(ModelPart):
    """The methods of a model that read and write files."""

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True, **kwargs: Any) -> None:
        """Write the architecture, weights and optimizer to one file.

        Args:
            filepath: Path ending in ``.keras``, or ``.h5`` for Keras 2; or a file object open for writing bytes.
            overwrite: Whether to replace an existing file without asking.
            include_optimizer: Whether to write the optimizer's state.

        >>> import cornu, os, tempfile
        >>> model = cornu.Sequential([cornu.layers.Input((4,)), cornu.layers.Dense(2)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.keras")
        ...     os.listdir(folder)
        ['model.keras']
        """
        with at_one_moment(lambda: all_variables(self)):
            files.save_model(self, filepath, overwrite=overwrite, include_optimizer=include_optimizer, **kwargs)
        self._note_saved(filepath)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the weights to a ``.safetensors`` file, or to an HDF5 file of any other name."""
        with at_one_moment(lambda: all_variables(self)):
            files.save_weights(self, filepath, overwrite=overwrite, **kwargs)
        self._note_saved(filepath)

    def _note_saved(self, filepath: Any) -> None:
        if self._programs.replication is not None:
            self._programs.replication.note_saved(filepath)

    def __reduce__(self) -> Any:
        """Return the model's config, arrays and custom classes for a pickle; PicklingError if it has a lambda."""
        return pickled(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return a model with weights and optimizer of its own."""
        copy = memo[id(self)] = unpack(*pack(self))
        return copy

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False) -> Any:
        """Read the weights from a file that `save_weights` or `save` of Cornu or any Keras wrote.

        Args:
            filepath: The file. For a TensorFlow checkpoint, the prefix of its files (``"ckpt"`` for ``ckpt.index``),
                or its folder; or a SavedModel folder.
            skip_mismatch: Whether to skip layers whose shapes differ, instead of raising ValueError.
            by_name: Whether to match layers by name instead of by order.

        Returns:
            For a TensorFlow checkpoint a status with TensorFlow's ``expect_partial()``, else None.
        """
        options = {"skip_mismatch": skip_mismatch, "by_name": by_name}
        replication = self._programs.replication
        others = {} if replication is None else replication.files_of(filepath)
        for replica, path in others.items():  # as callbacks have saved them, one file for each replica
            with self.learner.as_replica(replica):
                found = files.load_weights(self, path, **options)
        return found if others else files.load_weights(self, filepath, **options)

    def export(
        self, filepath: Any, format: str | None = None, verbose: Any = None, input_signature: Any = None, **kwargs: Any
    ) -> None:
        """Write the model's computation as a program that other tools can run.

        Args:
            filepath: Path ending in ``.onnx`` or ``.stablehlo``.
            format: ``"onnx"`` or ``"stablehlo"``, by default from the file name.
            verbose: Whether to print what was written.
            input_signature: Shapes and dtypes of the inputs, if they differ from the model's.
        """
        from cornu.export import export_model

        export_model(self, filepath, format, verbose, input_signature, **kwargs)
