"""What array functions of TensorFlow take besides arrays: text, ragged tensors, and sizes that are known."""

from typing import Any

from cornu.compat.tensorflow.ragged import on_ragged_too
from cornu.compat.tensorflow.sizes import on_sizes_too
from cornu.compat.tensorflow.strings import on_text_too


def extend(functions: dict[str, Any]) -> None:
    """Let the functions of a module take them; those that have no meaning for them stay as they are."""
    on_sizes_too(functions)
    on_text_too(functions)
    on_ragged_too(functions)
