"""The arguments that all optimizers share, defined once."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

from cornu.optimizers.base import Optimizer

Constructor = TypeVar("Constructor", bound=Callable[..., None])


class OtherOptions(TypedDict, total=False):
    """The `Options` of an optimizer whose own weight decay is another."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None
    decay: float


class Options(OtherOptions, total=False):
    """The arguments of `Optimizer` except the learning rate."""

    weight_decay: float | None


def with_options(constructor: Constructor) -> Constructor:
    """Decorate ``__init__(self, own, ..., **options)`` so that its signature lists the `Options`.

    They come after the constructor's own arguments (its keyword-only ones come last), in Keras's order, and may also be
    passed by position.
    """
    own = inspect.signature(constructor).parameters
    shared = inspect.signature(Optimizer.__init__).parameters
    first = [parameter for parameter in own.values() if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    common = [shared[name] for name in shared if name in Options.__annotations__ and name not in own]
    last = [parameter for parameter in own.values() if parameter.kind is parameter.KEYWORD_ONLY]
    signature = inspect.Signature([*first, *common, *last])

    @functools.wraps(constructor)
    def with_signature(*args: Any, **kwargs: Any) -> None:
        constructor(**signature.bind(*args, **kwargs).arguments)

    with_signature.__signature__ = signature  # type: ignore[attr-defined]
    return with_signature  # type: ignore[return-value]
