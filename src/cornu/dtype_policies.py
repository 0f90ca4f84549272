"""The types in which layers compute and keep their weights: ``keras.dtype_policies``.

Follows https://keras.io/api/mixed_precision/policy/
"""

from typing import Any

from cornu.core import serialization, spellings
from cornu.core.dtype_policies import DTypePolicy, FloatDTypePolicy, get
from cornu.core.public import offer


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Return the config of a policy as plain data, in Keras 3's form.

    >>> serialize(DTypePolicy("mixed_bfloat16"))["config"]
    {'name': 'mixed_bfloat16'}
    """
    return serialization.serialize(dtype_policy)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """Return the policy that a config describes."""
    return serialization.deserialize(config, custom_objects)


__getattr__ = spellings.names_of(__name__)

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]
offer(globals())
