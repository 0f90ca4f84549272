"""Python's ``if``, ``while`` and ``for`` over tensors inside a ``tf.function``, as TensorFlow's AutoGraph offers them.

A function is rewritten only if tracing it as it is fails because Python needs a value. Each statement becomes a call of
a function in `loops.py`, which decides at run time whether Python or the compiled program controls it.
"""

import ast
import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Iterable
from typing import Any

from cornu.compat.tensorflow import loops, value_calls
from cornu.core.ownership import is_library_module

_HERE = "__control__"  # the name under which rewritten code finds `loops`
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@functools.lru_cache(maxsize=512)
def _code_of(code: types.CodeType, free: tuple[str, ...]) -> types.CodeType | None:
    """Return the code of a rewritten function; None if its source cannot be read."""
    holder = types.FunctionType(code, {}) if not free else None
    try:
        lines, first = inspect.getsourcelines(code if holder is None else holder)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError, TypeError):
        return None
    definition = next(
        (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == code.co_name), None
    )
    if definition is None:
        return None
    definition.decorator_list = []
    definition.body = _Rewriting(definition).block(definition.body)
    definition.args.defaults = [ast.Constant(None) for _ in definition.args.defaults]
    definition.args.kw_defaults = [one and ast.Constant(None) for one in definition.args.kw_defaults]
    for node in ast.walk(definition):
        if isinstance(node, ast.arg):
            node.annotation = None
    definition.returns = None
    outer = ast.parse(f"def __outer__({', '.join(free)}):\n    pass").body[0]
    outer.body = [definition]  # type: ignore[attr-defined]
    module = ast.fix_missing_locations(ast.Module([outer], []))
    ast.increment_lineno(module, first - 1)
    made = compile(module, code.co_filename, "exec")
    inner = next(one for one in made.co_consts if isinstance(one, types.CodeType))
    return next(one for one in inner.co_consts if isinstance(one, types.CodeType) and one.co_name == code.co_name)


def converted(function: Callable) -> Callable | None:
    """Return a function with its control flow rewritten; None if its source cannot be read."""
    inner = getattr(function, "python_function", function)
    if isinstance(inner, types.MethodType):
        made = converted(inner.__func__)
        return None if made is None else types.MethodType(made, inner.__self__)
    if isinstance(inner, functools.partial):
        made = converted(inner.func)
        return None if made is None else functools.partial(made, *inner.args, **inner.keywords)
    if not isinstance(inner, types.FunctionType):
        return None
    code = _code_of(inner.__code__, inner.__code__.co_freevars)
    if code is None:
        return None
    cells = dict(zip(inner.__code__.co_freevars, inner.__closure__ or (), strict=True))
    names = _Names(inner.__globals__)
    closure = tuple(cells.get(name) or types.CellType() for name in code.co_freevars)
    made = types.FunctionType(code, names, inner.__name__, inner.__defaults__, closure)
    made.__kwdefaults__ = inner.__kwdefaults__
    return made


class _Names(dict):
    """The globals of a rewritten function: those of its module, and `loops`."""

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(given)
        self[_HERE] = _CONTROL


class _Rewriting:
    """Rewrites the statements of one function."""

    def __init__(self, definition: ast.FunctionDef) -> None:
        arguments = definition.args
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        self.locals = {one.arg for one in given if one is not None} | _assigned(definition.body)
        self.elsewhere = {
            name for node in ast.walk(definition) if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names
        }
        self.locals -= self.elsewhere
        self.count = 0

    def block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Return rewritten statements."""
        result: list[ast.stmt] = []
        for number, statement in enumerate(statements):
            if isinstance(statement, ast.If) and _has(statement, ast.Return):
                rest = statements[number + 1 :]
                body = statement.body if _returns(statement.body) else [*statement.body, *rest]
                orelse = statement.orelse if _returns(statement.orelse) else [*statement.orelse, *rest]
                return [*result, *self.returning_if(statement, body, orelse)]
            result += self.statement(statement)
        return result

    def statement(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return what one statement becomes."""
        if isinstance(statement, ast.If):
            return self.plain_if(statement)
        if isinstance(statement, ast.While) and not _has(statement, ast.Return) and not statement.orelse:
            return self.while_loop(statement)
        if isinstance(statement, ast.For) and not _has(statement, ast.Return) and not statement.orelse:
            return self.for_loop(statement)
        if isinstance(statement, (ast.With, ast.Try)):
            if _has(statement, ast.Return) and not _returns(statement.body):
                return [statement]  # Python decides about `if ...: return`, after which the block may go on
            for field in ("body", "orelse", "finalbody"):
                if getattr(statement, field, None):
                    setattr(statement, field, self.block(getattr(statement, field)))
            if isinstance(statement, ast.With):
                statement.items = [self.expression(one) for one in statement.items]
            return [statement]
        if isinstance(statement, _SCOPES):
            return [statement]
        return [self.expression(statement)]

    def expression(self, node: Any) -> Any:
        """Return a node with its expressions rewritten."""
        return _Expressions().visit(node)

    def name(self, kind: str) -> str:
        """Return a name that the program does not have."""
        self.count += 1
        return f"__{kind}_{self.count}"

    def function(self, name: str, parameters: list[str], body: list[ast.stmt]) -> ast.stmt:
        """Return the definition of an inner function."""
        made = ast.parse(f"def {name}({', '.join(parameters)}):\n    pass").body[0]
        declared = sorted(self.elsewhere & _assigned(body))
        made.body = [*(ast.parse(f"nonlocal {one}").body[0] for one in declared), *body]  # type: ignore[attr-defined]
        return made

    def call(self, result: str, what: str, *arguments: Any) -> list[ast.stmt]:
        """Return ``result = loops.what(arguments)``, where an argument is text or an expression."""
        given = [ast.parse(one, mode="eval").body if isinstance(one, str) else one for one in arguments]
        called = ast.Call(ast.parse(f"{_HERE}.{what}", mode="eval").body, given, [])
        if result == "return":
            return [ast.Return(called)]
        if not result:
            return [ast.Expr(called)]
        target = ast.parse(f"{result} = 0").body[0]
        target.value = called  # type: ignore[attr-defined]
        return [target]

    def state(self, names: list[str]) -> str:
        """Return the text of a tuple of the values of names, some of which may not have one yet."""
        return "(" + "".join(f"{_HERE}.known(lambda: {name}, {name!r}), " for name in names) + ")"

    def finish(self, names: list[str]) -> list[ast.stmt]:
        """Return the statement that ends an inner function."""
        return ast.parse(f"return ({''.join(f'{name}, ' for name in names)})").body

    def changed(self, *bodies: list[ast.stmt]) -> list[str]:
        """Return the local names that statements assign."""
        return sorted(set().union(*map(_assigned, bodies)) & self.locals)

    def plain_if(self, statement: ast.If) -> list[ast.stmt]:
        """Rewrite an ``if`` without ``return``."""
        test = self.expression(statement.test)
        body, orelse = self.block(statement.body), self.block(statement.orelse)
        names = self.changed(statement.body, statement.orelse)
        self.locals.update(names)
        one, other = self.name("then"), self.name("otherwise")
        targets = "".join(f"{name}, " for name in names)
        return [
            self.function(one, names, [*body, *self.finish(names)]),
            self.function(other, names, [*orelse, *self.finish(names)]),
            *self.call(targets, "if_", test, one, other, self.state(names), repr(tuple(names))),
        ]

    def returning_if(self, statement: ast.If, body: list[ast.stmt], orelse: list[ast.stmt]) -> list[ast.stmt]:
        """Rewrite an ``if`` after which the function returns in either case."""
        test = self.expression(statement.test)
        names = self.changed(body, orelse)
        one, other = self.name("then"), self.name("otherwise")
        return [
            self.function(one, names, self.block(body) or [ast.Pass()]),
            self.function(other, names, self.block(orelse) or [ast.Pass()]),
            *self.call("return", "if_", test, one, other, self.state(names), "None"),
        ]

    def without_jumps(self, body: list[ast.stmt]) -> tuple[list[ast.stmt], str]:
        """Return a loop's body with ``break`` and ``continue`` as flags, and the name of the flag of ``break``."""
        if not _jumps(body):
            return body, ""
        stop, skip = self.name("stop"), self.name("skip")
        self.locals |= {stop, skip}
        breaks = any(isinstance(node, ast.Break) for node in _walk(body, into_loops=False))
        return [*ast.parse(f"{skip} = False").body, *_flagged(body, stop, skip)], stop if breaks else ""

    def while_loop(self, statement: ast.While) -> list[ast.stmt]:
        """Rewrite a ``while``."""
        body, stop = self.without_jumps(statement.body)
        test = self.expression(statement.test)
        names = self.changed(body)
        goes_on, turn = self.name("test"), self.name("turn")
        targets = "".join(f"{name}, " for name in names)
        start = ast.parse(f"{stop} = False").body if stop else []
        return [
            *start,
            self.function(goes_on, names, [ast.Return(test)]),
            self.function(turn, names, [*self.block(body), *self.finish(names)]),
            *self.call(targets, "while_", goes_on, turn, self.state(names), repr(tuple(names)), repr(stop)),
        ]

    def for_loop(self, statement: ast.For) -> list[ast.stmt]:
        """Rewrite a ``for``."""
        body, stop = self.without_jumps(statement.body)
        iterated = self.expression(statement.iter)
        item, turn = self.name("item"), self.name("turn")
        targets = _names_in(statement.target)
        names = sorted((set(self.changed(body)) | set(targets)) & (self.locals | set(targets)))
        reads = sorted((_read(body) & self.locals) - set(names))
        take = ast.parse(f"x = {item}").body[0]
        take.targets = [statement.target]  # type: ignore[attr-defined]
        start = ast.parse(f"{stop} = False").body if stop else []
        result = "".join(f"{name}, " for name in names)
        return [
            *start,
            self.function(turn, [item, *names, *reads], [take, *self.block(body), *self.finish(names)]),
            *self.call(
                result, "for_", iterated, turn, self.state(names), self.state(reads), repr(tuple(names)), repr(stop)
            ),
        ]


class _Expressions(ast.NodeTransformer):
    """Rewrites ``and``, ``or``, ``not``, conditional expressions and calls, outside of inner functions."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Leave inner functions alone."""
        return node

    visit_Lambda = visit_ClassDef = visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Rewrite ``and`` and ``or``."""
        self.generic_visit(node)
        return _called("and_" if isinstance(node.op, ast.And) else "or_", *map(_delayed, node.values))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """Rewrite ``not``."""
        self.generic_visit(node)
        return _called("not_", node.operand) if isinstance(node.op, ast.Not) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """Rewrite a conditional expression."""
        self.generic_visit(node)
        return _called("if_expression", node.test, _delayed(node.body), _delayed(node.orelse))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Let functions of the program be rewritten too."""
        self.generic_visit(node)
        owner = value_calls.owner_of_value(node)
        if owner is not None:
            return _called("value_of", owner)
        if isinstance(node.func, ast.Name) and node.func.id in ("super", "locals", "globals"):
            return node
        node.func = _called("callable_", node.func)
        return node


def _called(what: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.parse(f"{_HERE}.{what}", mode="eval").body, list(arguments), [])


def _delayed(node: ast.expr) -> ast.expr:
    made = ast.parse("lambda: 0", mode="eval").body
    made.body = node  # type: ignore[attr-defined]
    return made


def _walk(nodes: Iterable[ast.AST], into_loops: bool = True) -> Iterable[ast.AST]:
    """Yield nodes inside statements, but not inside functions."""
    for node in nodes:
        yield node
        if isinstance(node, _SCOPES) or (not into_loops and isinstance(node, (ast.For, ast.While))):
            continue
        yield from _walk(ast.iter_child_nodes(node), into_loops)


def _assigned(body: list[ast.stmt]) -> set[str]:
    found = {node.id for node in _walk(body) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    return found | {node.name for node in _walk(body) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def _read(body: list[ast.stmt]) -> set[str]:
    every = (node for statement in body for node in ast.walk(statement))
    return {node.id for node in every if isinstance(node, ast.Name)}


def _names_in(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _has(statement: ast.stmt, kind: type) -> bool:
    return any(isinstance(node, kind) for node in _walk([statement]))


def _returns(body: list[ast.stmt]) -> bool:
    """Return whether a block certainly ends the function."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.If):
        return _returns(last.body) and _returns(last.orelse)
    return isinstance(last, (ast.Return, ast.Raise))


def _jumps(body: list[ast.stmt]) -> bool:
    return any(isinstance(node, (ast.Break, ast.Continue)) for node in _walk(body, into_loops=False))


def _flagged(body: list[ast.stmt], stop: str, skip: str) -> list[ast.stmt]:
    """Return statements in which a flag is set instead of a jump, and what follows depends on it."""
    result: list[ast.stmt] = []
    for number, statement in enumerate(body):
        if isinstance(statement, (ast.Break, ast.Continue)):
            flags = f"{stop} = True\n{skip} = True" if isinstance(statement, ast.Break) else f"{skip} = True"
            return [*result, *ast.parse(flags).body]
        if not isinstance(statement, (ast.For, ast.While)) and _jumps([statement]):
            for field in ("body", "orelse"):
                if getattr(statement, field, None):
                    setattr(statement, field, _flagged(getattr(statement, field), stop, skip))
            rest = _flagged(body[number + 1 :], stop, skip)
            result.append(statement)
            if rest:
                guarded = ast.parse(f"if not {skip}:\n    pass").body[0]
                guarded.body = rest  # type: ignore[attr-defined]
                result.append(guarded)
            return result
        result.append(statement)
    return result


def rewritten_call(function: Any) -> Any:
    """Return a function of the program with its control flow rewritten; anything else as it is."""
    inner = getattr(function, "python_function", function)
    plain = inner.__func__ if isinstance(inner, types.MethodType) else inner
    if not isinstance(plain, types.FunctionType) or not _is_own(plain.__module__):
        return function
    return converted(inner) or function


def _is_own(module: str | None) -> bool:
    """Return whether a module is the program's, not a library's."""
    root = (module or "").partition(".")[0]
    return not is_library_module(module or "") and root not in _LIBRARIES


_LIBRARIES = {
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "keras",
    "tensorflow",
    "matplotlib",
    "builtins",
    "functools",
    "itertools",
}


def callable_(function: Any) -> Any:
    """Return what a call in rewritten code calls: builtins that take tensors, and the program's functions rewritten."""
    try:
        found = loops.BUILTINS.get(function)
    except TypeError:  # it cannot be hashed
        return function
    return found or rewritten_call(function)


_CONTROL = types.SimpleNamespace(**vars(loops), callable_=callable_, value_of=value_calls.value_of)
