"""Dtypes: their names, and the policy of the dtypes in which a layer computes and keeps its weights."""

from typing import Any

import numpy as np

from cornu.core import registry, settings
from cornu.core.errors import foreign, unknown
from cornu.core.serialization import Recorded, deserialize, serialize  # noqa: F401

_ALIASES = {"half": "float16", "float": "float32", "double": "float64", "int": "int32", "long": "int64"}
_NAMES = [
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float8_e4m3fn",
    "float8_e5m2",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
    "string",
]


def standardize_dtype(dtype: Any) -> str:
    """Return the name of a dtype, from a name or a numpy, JAX or torch dtype; None is ``floatx()``.

    >>> standardize_dtype(None), standardize_dtype("half"), standardize_dtype(int), standardize_dtype(np.dtype(int))
    ('float32', 'float16', 'int32', 'int64')
    """
    if dtype is None:
        return settings.floatx()
    if isinstance(dtype, str):
        name = _ALIASES.get(dtype, dtype)
    elif isinstance(dtype, type) and dtype in (int, float, bool):  # np.dtype("int64") == int, but is no key
        name = {int: "int32", float: settings.floatx(), bool: "bool"}[dtype]
    elif type(dtype).__module__.startswith("torch"):
        name = str(dtype).removeprefix("torch.")
    else:
        name = getattr(dtype, "name", None) or str(np.dtype(dtype))
    if name not in _NAMES:
        raise unknown("dtype", dtype, _NAMES)
    return name


def array_dtype(dtype: Any) -> str:
    """Return the name of a dtype for an array that is about to be made: ``float64`` lets JAX compute in 64 bits.

    `standardize_dtype` only names a dtype and changes no setting.
    """
    name = standardize_dtype(dtype)
    if name == "float64":
        settings.allow_float64()
    return name


def is_float(dtype: Any) -> bool:
    """Return whether `dtype` is a floating-point dtype."""
    return "float" in str(getattr(dtype, "name", dtype))


_default: "list[DTypePolicy]" = []


@registry.CORE.add()
class DTypePolicy(metaclass=Recorded):
    """The dtypes in which a layer computes and keeps its variables.

    Args:
        name: A dtype for both (``"float32"``), or ``"mixed_float16"`` or ``"mixed_bfloat16"``, which compute in 16 bits
            and keep variables in float32. None is the default policy.

    Raises:
        ValueError: The dtype is unknown.

    Follows https://keras.io/api/mixed_precision/policy/

    >>> DTypePolicy("mixed_bfloat16").variable_dtype
    'float32'
    """

    name: str

    def __init__(self, name: str | None = None) -> None:
        name = name or (_default[0].name if _default else settings.floatx())
        if name in ("mixed_float16", "mixed_bfloat16"):
            self.compute_dtype, self.variable_dtype = name.removeprefix("mixed_"), "float32"
        else:
            self.compute_dtype = self.variable_dtype = standardize_dtype(name)
        self.name = name

    def get_config(self) -> dict:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> "DTypePolicy":
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = Policy = DTypePolicy


def dtype_policy() -> DTypePolicy:
    """Return the default policy of new layers."""
    return _default[0] if _default else DTypePolicy(settings.floatx())


def set_dtype_policy(policy: "str | DTypePolicy") -> None:
    """Set the default policy of new layers: a name such as ``"mixed_bfloat16"``, or a `DTypePolicy`."""
    _default[:] = [get(policy)]


def get(identifier: Any) -> DTypePolicy:
    """Return the policy for None (the default), a name, dtype, policy or config.

    Raises ValueError for an unknown dtype, and TypeError for a policy of another Keras.
    """
    policy = _policy_of(identifier)
    if policy.variable_dtype == "float64":
        settings.allow_float64()
    return policy


def _policy_of(identifier: Any) -> DTypePolicy:
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier) if "class_name" in identifier else DTypePolicy(**identifier)
    if isinstance(identifier, str) and identifier.startswith("mixed_"):
        return DTypePolicy(identifier)
    if hasattr(identifier, "compute_dtype") and (said := foreign(identifier)):
        raise TypeError(f"Expected a dtype, or one of Cornu's own dtype policies; got {identifier!r}.{said}")
    return DTypePolicy(standardize_dtype(identifier))


__all__ = ["DTypePolicy", "dtype_policy", "get", "is_float", "set_dtype_policy", "standardize_dtype"]
