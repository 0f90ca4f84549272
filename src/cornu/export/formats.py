"""The format that a model is exported to."""

import os
from collections.abc import Callable
from typing import Any

from cornu.core.errors import unknown
from cornu.export.stablehlo import write_stablehlo
from cornu.saving.files import check_built

FORMATS = ("onnx", "stablehlo")
#: Keras formats that need another engine -> the package that writes them.
ELSEWHERE = {
    "tf_saved_model": "TensorFlow",
    "tf": "TensorFlow",
    "litert": "TensorFlow's LiteRT",
    "tflite": "TensorFlow's LiteRT",
    "openvino": "OpenVINO",
    "torch": "PyTorch",
}


def export_model(
    model: Any,
    filepath: Any,
    format: str | None = None,
    verbose: Any = None,
    input_signature: Any = None,
    **options: Any,
) -> None:
    """Export a model's prediction as a program; the batch may have any size.

    `format` is ``"onnx"`` (for onnxruntime and others; needs ``pip install cornu[onnx]``) or ``"stablehlo"`` (for
    `cornu.export.load`); None chooses by the file extension. `input_signature` describes the inputs if the
    model does not know them, or fixes sizes. The only one of `options` is ``opset_version``, for ONNX. With `verbose`
    a line says what was written. Raises ValueError if the model, the format or an option does not fit.
    Follows https://keras.io/api/models/model_saving_apis/export/
    """
    name = os.fspath(filepath)
    chosen = _chosen(format, str(name))
    if input_signature is None:
        check_built(model)
    if chosen == "onnx":
        _check_options(options, ("opset_version",), chosen)
        _onnx_writer()(filepath, model, input_signature, **options)
    else:
        _check_options(options, (), chosen)
        write_stablehlo(filepath, model, input_signature)
    if verbose:
        print(f"{model.name!r} was exported to {str(name)!r} ({chosen}).")


def _onnx_writer() -> Callable[..., None]:
    try:
        from cornu.export.onnx.file import write_onnx
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ImportError("Exporting to ONNX needs the package onnx: pip install 'cornu[onnx]'") from None
    return write_onnx


def _chosen(format: str | None, name: str) -> str:
    ending = name.rpartition(".")[2].lower()
    if format is None and ending in FORMATS:
        return ending
    if format in FORMATS:
        return format
    if format is None:
        raise ValueError(
            f"{name!r} does not say which format to write: end it in .onnx or .stablehlo, or pass format='onnx' or "
            "format='stablehlo'."
        )
    if format in ELSEWHERE:
        raise ValueError(
            f"format={format!r} needs {ELSEWHERE[format]}, which Cornu does not use. It writes 'onnx', which runs "
            "nearly everywhere, and 'stablehlo', which cornu.export.load reads."
        )
    raise unknown("export format", format, FORMATS)


def _check_options(options: dict[str, Any], known: tuple[str, ...], format: str) -> None:
    for name in options:
        if name not in known:
            raise TypeError(
                f"export(format={format!r}) has no option {name!r}; "
                + (f"it takes: {', '.join(known)}." if known else "it takes none.")
            )
