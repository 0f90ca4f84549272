"""`Config`: named values that can be frozen."""

import difflib
import json
from collections.abc import ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from typing import Any


class Config(MutableMapping):
    """Named values, read and set as attributes or as in a dictionary.

    Args:
        **kwargs: The first values.

    Raises:
        ValueError: A value of a frozen config is set or deleted.
        AttributeError: There is no such value.

    Follows https://keras.io/api/utils/config_utils/#config-class

    >>> config = Config(learning_rate=0.1)
    >>> config.seed = 3
    >>> config["seed"], config.to_json()
    (3, '{"learning_rate": 0.1, "seed": 3}')
    """

    _values: dict[str, Any]
    _frozen: bool

    def __init__(self, **kwargs: Any) -> None:
        vars(self).update(_values=kwargs, _frozen=False)

    @property
    def frozen(self) -> bool:
        """Whether values can no longer be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Let nothing change the values from now on."""
        vars(self)["_frozen"] = True

    def unfreeze(self) -> None:
        """Let values be changed again."""
        vars(self)["_frozen"] = False

    def as_dict(self) -> dict[str, Any]:
        """Return the values as a dictionary of their own."""
        return dict(self._values)

    def to_json(self) -> str:
        """Return the values as JSON."""
        return json.dumps(self._values)

    def keys(self) -> KeysView[str]:
        """Return the names in the order in which they were set."""
        return self._values.keys()

    def values(self) -> ValuesView[Any]:
        """Return the values in the order in which they were set."""
        return self._values.values()

    def items(self) -> ItemsView[str, Any]:
        """Return pairs of names and values in the order in which they were set."""
        return self._values.items()

    def __getattr__(self, name: str) -> Any:
        values = vars(self).get("_values", {})
        if name in values:
            return values[name]
        close = difflib.get_close_matches(name, values, n=1, cutoff=0.7)
        raise AttributeError(f"Config has no value {name!r}." + (f" Did you mean {close[0]!r}?" if close else ""))

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name) or name in vars(self):
            raise AttributeError(f"Config uses the name {name!r} itself: set config[{name!r}] instead.")
        self[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._refuse_if_frozen()
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        self._refuse_if_frozen()
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._values))

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Config {self._values}>"

    def _refuse_if_frozen(self) -> None:
        if self._frozen:
            raise ValueError("The config is frozen; call unfreeze() to change its values.")
