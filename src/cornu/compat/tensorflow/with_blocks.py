"""The lines of a ``with`` block, found in the source by the current line, and compiled to run again."""

import ast
import functools
import linecache
import re
import tokenize
from types import CodeType

#: The function that the block calls to move an array: ``name = MOVE("name", name)``.
MOVE = "__moved_by_gradient_tape__"


class Block:
    """The statements of a block; its names, the last statement that assigns each, and the names of its contexts."""

    def __init__(self, statements: list[ast.stmt], file: str, tapes: frozenset[str]) -> None:
        self.statements, self.file, self.tapes = statements, file, tapes
        nodes = (node for statement in statements for node in ast.walk(statement))
        self.names = frozenset(node.id for node in nodes if isinstance(node, ast.Name)) - tapes
        self.assigned = {name: number for number, one in enumerate(statements) for name in _assigned(one)}
        self._compiled: dict[tuple[str, ...], CodeType] = {}
        self._shorter: dict[int, Block] = {}

    def until(self, line: int) -> "Block":
        """Return the statements before the one at a line."""
        if line not in self._shorter:
            before = [one for one in self.statements if (one.end_lineno or 0) < line]
            self._shorter[line] = Block(before, self.file, self.tapes)
        return self._shorter[line]

    def computes(self, name: str) -> bool:
        """Return whether the last statement that assigns a name is a plain ``name = computation``."""
        statement = self.statements[self.assigned[name]]
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return False
        computed = isinstance(statement.value, (ast.Call, ast.BinOp, ast.UnaryOp))
        return computed and isinstance(statement.targets[0], ast.Name)

    def compiled(self, moved: tuple[str, ...]) -> CodeType:
        """Return code for the block in which each name of `moved` is passed through `MOVE` once it has its value."""
        if moved not in self._compiled:
            statements = [_move(name) for name in moved if name not in self.assigned]
            for number, statement in enumerate(self.statements):
                statements += [statement, *(_move(name) for name in moved if self.assigned.get(name) == number)]
            tree = ast.Module(statements, type_ignores=[])
            self._compiled[moved] = compile(ast.fix_missing_locations(tree), self.file, "exec")
        return self._compiled[moved]


def _move(name: str) -> ast.stmt:
    return ast.parse(f"{name} = {MOVE}({name!r}, {name})").body[0]


def _assigned(statement: ast.stmt) -> set[str]:
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    inner = (node for outer in ast.walk(statement) if isinstance(outer, _SCOPES) for node in ast.walk(outer))
    return names - {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


_WITH = re.compile(r"\s*with\b")
_SCOPES = (ast.Lambda, ast.FunctionDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@functools.lru_cache(maxsize=256)
def block_at(code: CodeType, line: int) -> Block:
    """Return the block of the ``with`` statement that a program is entering; ValueError without its source."""
    lines = linecache.getlines(code.co_filename)
    starts = (number for number in range(min(line, len(lines)), 0, -1) if _WITH.match(lines[number - 1]))
    first = next(starts, None)
    statement = None if first is None else _statement(lines, first)
    if statement is None:
        raise ValueError(
            f"GradientTape needs the source of its `with` block, which cannot be read in {code.co_filename!r}, line "
            f"{line}.\nPut the program into a file with a plain `with tf.GradientTape() as tape:` line."
        )
    named = (item.optional_vars for item in statement.items)
    tapes = frozenset(target.id for target in named if isinstance(target, ast.Name))
    return Block(statement.body, code.co_filename, tapes)


def _statement(lines: list[str], first: int) -> ast.With | None:
    """Parse the ``with`` statement that begins at a line; None if there is none."""
    indented = lines[first - 1][:1].isspace()
    text = "".join(lines[first - 1 : _last_line(lines, first)])
    try:
        tree = ast.parse("if 1:\n" + text if indented else "\n" + text)
    except SyntaxError:
        return None
    ast.increment_lineno(tree, first - 2)
    statement = tree.body[0].body[0] if indented else tree.body[0]  # type: ignore[attr-defined]
    return statement if isinstance(statement, ast.With) else None


def _last_line(lines: list[str], first: int) -> int:
    """Return the last line of the compound statement that begins at a line (both numbered from 1)."""
    base = int(lines[first - 1][:1].isspace())  # an indented statement begins with a token for that
    last, header_ended, depth = first, False, 0
    try:
        for token in tokenize.generate_tokens(iter(lines[first - 1 :]).__next__):
            depth += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
            if header_ended and depth <= base and token.type not in (tokenize.NL, tokenize.COMMENT):
                break
            if token.type == tokenize.NEWLINE:
                last, header_ended = first - 1 + token.start[0], True
    except (tokenize.TokenError, SyntaxError):  # the code after the block is not Python, or is indented less
        pass
    return last
