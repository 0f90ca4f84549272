"""Global settings: ``keras.config``. Follows https://keras.io/api/utils/config_utils/"""

from cornu.core.dtype_policies import dtype_policy, set_dtype_policy
from cornu.core.jax_internals import set_setting, setting
from cornu.core.public import offer
from cornu.core.settings import (
    disable_flash_attention,
    disable_interactive_logging,
    enable_flash_attention,
    enable_interactive_logging,
    epsilon,
    floatx,
    image_data_format,
    is_flash_attention_enabled,
    is_interactive_logging_enabled,
    max_epochs,
    max_steps_per_epoch,
    parameter_budget,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_max_epochs,
    set_max_steps_per_epoch,
    set_parameter_budget,
)


def backend() -> str:
    """Return the name of the backend, which is always ``"jax"``.

    >>> backend()
    'jax'
    """
    return "jax"


def set_backend(backend: str) -> None:
    """Accept ``"jax"``, the only backend.

    Args:
        backend: name of the backend.

    Raises:
        ValueError: for any other name.

    >>> set_backend("jax")
    """
    if backend != "jax":
        raise ValueError(f"Cornu runs on JAX only: set_backend({backend!r}) is not possible. Use 'jax'.")


def enable_traceback_filtering() -> None:
    """Leave JAX's own frames out of tracebacks, which is the default.

    >>> enable_traceback_filtering(); is_traceback_filtering_enabled()
    True
    """
    set_setting("jax_traceback_filtering", "auto")


def disable_traceback_filtering() -> None:
    """Show every frame of a traceback, including JAX's own.

    >>> disable_traceback_filtering(); is_traceback_filtering_enabled()
    False
    >>> enable_traceback_filtering()
    """
    set_setting("jax_traceback_filtering", "off")


def is_traceback_filtering_enabled() -> bool:
    """Return whether tracebacks leave out JAX's own frames.

    >>> is_traceback_filtering_enabled()
    True
    """
    return setting("jax_traceback_filtering") != "off"


__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "parameter_budget",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
    "set_parameter_budget",
]
offer(globals())
