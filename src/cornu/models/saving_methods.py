"""A model's methods for files; the formats live in `cornu.saving`."""

from typing import Any

from cornu.saving import files


class FileMethods:
    """The part of a model that reads and writes files."""

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True, **kwargs: Any) -> None:
        """Write architecture, weights and optimizer into one file: ``.keras``, or ``.h5`` for Keras 2."""
        files.save_model(self, filepath, overwrite=overwrite, include_optimizer=include_optimizer, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the weights into a ``.safetensors`` file, or an HDF5 file of any other name."""
        files.save_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False) -> None:
        """Read the weights from a file that `save_weights` or `save` wrote."""
        files.load_weights(self, filepath, skip_mismatch=skip_mismatch, by_name=by_name)

    def export(
        self, filepath: Any, format: str | None = None, verbose: Any = None, input_signature: Any = None, **kwargs: Any
    ) -> None:
        """Write what the model computes as a program for others to run: ``.onnx`` or ``.stablehlo``."""
        from cornu.export import export_model

        export_model(self, filepath, format, verbose, input_signature, **kwargs)
