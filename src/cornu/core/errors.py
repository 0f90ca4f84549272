"""Parts of error messages: what came, what was expected, what to do, in characters that a terminal only shows."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator

SHOWN = 5  # names in a message
OTHER_KERAS = ("keras", "tf_keras", "tensorflow")
LONGEST, MOST_LINES = 1000, 40  # characters in a line of a message, lines in a message


def escaped(text: str) -> str:
    r"""Return `text` with all characters escaped that a terminal obeys instead of showing; lines stay lines.

    Those are control characters, marks that reverse the direction of text, and halves of characters.

    >>> print(escaped("a\x1b[2J \u202eb\ud800"))
    a\x1b[2J \u202eb\ud800
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)


def one_line(text: str, longest: int = LONGEST) -> str:
    r"""Return text from a file, a client or a config as one line of bounded length, in characters that can be shown.

    >>> print(one_line("a\nb"), one_line("x" * 100, 8))
    a\nb xxxxx...
    """
    text = escaped(text[: longest + 1]).replace("\n", "\\n")
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def first_line(error: BaseException) -> str:
    r"""Return the kind and the first line of an error, as one line of bounded length.

    >>> first_line(ValueError("no data\nPass some."))
    'ValueError: no data'
    """
    return one_line(f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}", 300)


def readable(message: str) -> str:
    """Return a message that may quote a file: `escaped`, with a middle left out of long lines.

    >>> readable(f"The name {'x' * 9999} is too long.").split()[-4:]
    ['...', 'is', 'too', 'long.']
    """
    lines = message.split("\n", MOST_LINES)[:MOST_LINES]
    end = LONGEST // 5
    shorter = (f"{one[: LONGEST - end]} ... {one[-end:]}" if len(one) > LONGEST + 5 else one for one in lines)
    return escaped("\n".join(shorter))


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """Let errors of a ``with`` block, which reads a file, quote it in `readable` words; so those that caused them."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        seen: set[int] = set()
        while cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            if cause.args and isinstance(cause.args[0], str):
                cause.args = (readable(cause.args[0]), *cause.args[1:])
            cause = cause.__cause__ or cause.__context__
        raise


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
    return ", ".join(repr(one_line(name, 200)) for name in names[:SHOWN]) + more


def unknown(concept: str, name: object, options: Iterable[object]) -> ValueError:
    """Return the error for a `name` that is not among the `options` of a `concept`."""
    options = sorted({str(option) for option in options})
    shown = ", ".join(options[:12]) + (", ..." if len(options) > 12 else "")
    return ValueError(f"Unknown {concept}: {name!r}.{did_you_mean(name, options)}\nKnown ones: {shown}.")


def foreign(thing: object) -> str:
    """Return what to do about an object or function of another Keras, by its module; "" for anything else.

    >>> foreign(3)
    ''
    """
    owners: list[object] = [thing] if hasattr(thing, "__code__") else []
    owners += (thing if isinstance(thing, type) else type(thing)).__mro__
    modules = (str(getattr(owner, "__module__", None)) for owner in owners)
    module = next((one for one in modules if one.partition(".")[0] in OTHER_KERAS), None)
    if module is None:
        return ""
    return (
        f"\nIt is from {module}, another Keras: take all parts of a model from cornu, or call "
        "cornu.install_as_keras() before `import keras`."
    )
