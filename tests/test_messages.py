"""Messages are sentences: a capital letter or a name first, a full stop last, no exclamation mark."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "cornu"

#: File whose errors are parts of sentences -> where the rest of the sentence is.
PARTS = {
    "callbacks/history.py": "checkpoints say what does not fit",
    "checkpoints/plain_data.py": "`as_value_errors`",
    "cli/": "notes of commands, after the word cornu and a colon",
    "export/": "the layer that cannot be exported, and what to do",
    "saving/hdf5_limits.py": "`hdf5.damage` names the file",
    "saving/json_text.py": "`parse` names the text",
    "saving/protobuf.py": "`Message` names the file",
    "saving/sorted_table.py": "the table's reader names the file",
    "serve/reading.py": "an answer names the part of a request",
    "utils/archives.py": "`extract` names the archive",
}
PYTHONS_WORDS = ("module ",)  # "module 'x' has no attribute 'y'"
FORMATTED = "\0"  # stands for a value
MESSAGES_OF = ("readable", "one_line", "str")


def texts(node):
    """Return the possible texts of an expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else FORMATTED for part in node.values)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [one + two for one in texts(node.left) for two in texts(node.right)]
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MESSAGES_OF:
        return texts(node.args[0])
    return [FORMATTED]


def message_of(node):
    """Return the message of a raised error, or of a warning; None for anything else."""
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "warn" and node.args:
        return node.args[0]
    raised = node.exc if isinstance(node, ast.Raise) else None
    if not isinstance(raised, ast.Call) or not raised.args:
        return None
    name = getattr(raised.func, "id", getattr(raised.func, "attr", ""))
    place = 1 if name in ("RequestError", "OSError") and len(raised.args) > 1 else 0
    return raised.args[place] if name.endswith(("Error", "Exception")) else None


def names_in(tree):
    """Return the names of a file's functions, arguments and variables: a message may begin with one."""
    found = {node.arg for node in ast.walk(tree) if isinstance(node, (ast.arg, ast.keyword))}
    found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return found | {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def faults(text, names):
    """Return what is wrong with a message."""
    text = text.strip()
    first = re.match(r"\w+", text)
    begins = re.match(rf"[A-Z({FORMATTED}'\"`]", text) or text.startswith(PYTHONS_WORDS)
    if not begins and not (first and (first[0] in names or "_" in first[0] or text.startswith(f"{first[0]}."))):
        yield "it begins neither with a capital letter nor with a name"
    # A command to type, or a value, may be last.
    if (
        not text.endswith((".", ".)", "?", ":", FORMATTED, f"({FORMATTED})"))
        and "pip install" not in text.rpartition("\n")[2]
    ):
        yield "it ends without a full stop"
    if "!" in text.replace("!=", ""):
        yield "it has an exclamation mark"


@pytest.mark.parametrize(("text", "right"), [
    ("The file is damaged.", True), ("x must be an array; got \0.", True), ("\0 is \0.", True),
    ("the file is damaged.", False), ("The file is damaged", False), ("Bad file!", False),
])  # fmt: skip
def test_the_rule(text, right):
    assert (not list(faults(text, {"x"}))) == right


def test_messages_follow_one_rule():
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).as_posix()
        if place.startswith(tuple(PARTS)):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = names_in(tree)
        for node in ast.walk(tree):
            message = message_of(node)
            for text in texts(message) if message is not None else ():
                found += [f"{place}:{node.lineno}: {fault}: {text[:80]!r}" for fault in faults(text, names)]
    assert not found, "\n".join(found)


def test_files_of_parts_are_there():
    assert all((SOURCE / place).exists() for place in PARTS)
