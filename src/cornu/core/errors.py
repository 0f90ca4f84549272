"""Parts of error messages: what came, what was expected, what to do."""

import difflib
from collections.abc import Iterable

SHOWN = 5  # names in a message


def did_you_mean(name: object, options: Iterable[object]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest of `options`, or an empty string if none is near.

    >>> did_you_mean("catgorical", ["categorical", "binary"])
    " Did you mean 'categorical'?"
    """
    by_lower = {str(option).lower(): str(option) for option in options if option != name}
    near = difflib.get_close_matches(str(name).lower(), list(by_lower), n=1, cutoff=0.6)
    return f" Did you mean '{by_lower[near[0]]}'?" if near else ""


def listed(names: Iterable[str]) -> str:
    """Return names for a message: the first few, and how many more there are.

    >>> listed("abcdefg")
    "'a', 'b', 'c', 'd', 'e' and 2 more"
    """
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name[:200]) for name in names[:SHOWN]) + more


def unknown(concept: str, name: object, options: Iterable[object]) -> ValueError:
    """Return the error for a `name` that is not among the `options` of a `concept`."""
    options = sorted({str(option) for option in options})
    shown = ", ".join(options[:12]) + (", ..." if len(options) > 12 else "")
    return ValueError(f"Unknown {concept}: {name!r}.{did_you_mean(name, options)}\nKnown ones: {shown}.")


def foreign(thing: object) -> str:
    """Return what to do about an object of another Keras, by its module; "" for anything else.

    >>> foreign(3)
    ''
    """
    module = (thing if isinstance(thing, type) else type(thing)).__module__
    if module.partition(".")[0] not in ("keras", "tf_keras", "tensorflow"):
        return ""
    return (
        f"\nIt is from {module}, another Keras: take all parts of a model from cornu, or call "
        "cornu.install_as_keras() before `import keras`."
    )
