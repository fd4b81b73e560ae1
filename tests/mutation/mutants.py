"""Mutants: copies of a module with one expression or statement changed.

The changes are ones that a slip of an economist makes: a sign, a bound, a factor, a side of an
inequality, a branch, a step left out. Text is not changed, and nothing that only names a type.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SWAPPED: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
TURNED: dict[type, type] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
PAIRS = "minimum maximum, min max, any all, zeros ones, zeros_like ones_like, argmin argmax"
RENAMED = dict(pair.split() for pair in PAIRS.split(", "))
RENAMED |= {new: old for old, new in RENAMED.items()}
DROPPED = {"clip", "maximum", "minimum", "max", "min", "abs", "sqrt", "ceil", "log"}
COMMUTATIVE = {"times", "total", "minimum", "maximum", "min", "max", "ad_valorem"}
UNREAD = {"annotation", "returns", "decorator_list"}


@dataclass(frozen=True)
class Mutant:
    """A module of the package with one place changed."""

    path: str
    function: str
    change: str
    """The lines before and after, on one line."""
    line: int
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it as long as its lines stay, wherever in the file they move."""
        return self.path, self.function, self.change

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.function}: {self.change}"


def mutants(folder: str) -> list[Mutant]:
    """All mutants of a folder of the package, in the order of its text."""
    files = sorted((ROOT / "tariffsim" / folder).glob("*.py"))
    return [found for path in files for found in _of_file(path)]


def _of_file(path: Path) -> Iterator[Mutant]:
    text, name = path.read_bytes(), path.relative_to(ROOT).as_posix()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node, field, function in _places(ast.parse(text), ""):
        first, last = starts[node.lineno - 1], starts[node.end_lineno]
        begin = first + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        for new in replacements(node, field):
            put = ast.unparse(new).encode()
            lines = (text[first:last], text[first:begin] + put + text[end:last])
            change = " -> ".join(" ".join(part.decode().split()) for part in lines)
            if isinstance(node, ast.expr):
                put = b"(" + put + b")"
            whole = (text[:begin] + put + text[end:]).decode()
            yield Mutant(name, function, change, node.lineno, whole)


def _places(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str, str]]:
    """Every node that may change, the field of its parent and the function it stands in."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or field in UNREAD:
                continue
            inside = function
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inside = f"{function}.{child.name}".lstrip(".")
            if isinstance(child, ast.expr | ast.stmt):
                yield child, field, inside
            yield from _places(child, inside)


def replacements(node: ast.AST, field: str) -> Iterator[ast.AST]:
    """What may stand in the place of a node, which is the `field` of another."""
    if field in ("test", "ifs") and not isinstance(node, ast.Compare | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), node)
    match node:
        case ast.BinOp() | ast.BoolOp() if type(node.op) in SWAPPED:
            yield _with(node, op=SWAPPED[type(node.op)]())
        case ast.Compare(ops=[operator]):
            for table in (SWAPPED, TURNED):
                if type(operator) in table:
                    yield _with(node, ops=[table[type(operator)]()])
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() as value):
            yield from map(ast.Constant, (value + 1, value - 1))
        case ast.Constant(value=float() as value):
            yield from map(ast.Constant, {value + 1, value / 2 or -1.0} - {value})
        case ast.Call():
            yield from _calls(node)
        case ast.AugAssign() if type(node.op) in SWAPPED:
            yield _with(node, op=SWAPPED[type(node.op)]())
            yield ast.Pass()
        case ast.Expr(value=ast.Call()) | ast.Continue():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()


def _calls(call: ast.Call) -> Iterator[ast.AST]:
    """Another function, the argument as it is, arguments left out or exchanged."""
    plain, method = getattr(call.func, "id", ""), getattr(call.func, "attr", "")
    is_of_k = getattr(getattr(call.func, "value", None), "id", "") == "k"
    name = plain or method
    if name in RENAMED:
        yield _with(call, func=_with(call.func, **{"id" if plain else "attr": RENAMED[name]}))
    if name in DROPPED:
        yield from (it for it in call.args[:1] if not isinstance(it, ast.Starred))
    if name == "where":
        yield from (it for it in call.args[1:] if not isinstance(it, ast.Constant))
    if not name[:1].isupper():  # a dataclass would only miss a field
        for i in range(len(call.keywords)):
            yield _with(call, keywords=call.keywords[:i] + call.keywords[i + 1 :])
    if name == "where" and len(call.args) == 3:
        yield _with(call, args=[call.args[0], call.args[2], call.args[1]])
    elif len(call.args) > 1 and name not in COMMUTATIVE and (is_of_k or name == plain):
        yield _with(call, args=[call.args[1], call.args[0], *call.args[2:]])
    if name == "total":
        for i in range(len(call.args)):
            yield _with(call, args=call.args[:i] + call.args[i + 1 :])


def _with(node: ast.AST, **changed: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in changed.items():
        setattr(new, name, value)
    return new
