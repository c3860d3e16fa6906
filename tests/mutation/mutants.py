"""Makes mutants of a module: its source with one small mistake each."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

LARGEST_NUMBER = 100  # larger ones are bounds of memory, or seeds
# Each stands for the other.
_OPERATORS = (
    *((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot)),
    *((ast.In, ast.NotIn), (ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.BitAnd, ast.BitOr)),
    (ast.And, ast.Or),
)
_NAMES = (("argmax", "argmin"), ("max", "min"), ("maximum", "minimum"), ("all", "any"))
OPERATORS = dict(_OPERATORS) | {second: first for first, second in _OPERATORS}
NAMES = dict(_NAMES) | {second: first for first, second in _NAMES}
# Parts that describe, and defaults of arguments: a test gives them or does not care.
LEFT_ALONE = {"annotation", "returns", "decorator_list", "defaults", "kw_defaults"}


Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Mutant:
    """A module with one mistake."""

    key: Key
    """File, text of the line, place in it, change: what tells it from others when lines move."""
    number: int
    """Of the line."""
    source: str


class _Exchange(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Return every mutant of a module."""
    tree: ast.AST = ast.parse(source)
    lines = source.splitlines()
    found = []
    for node in list(_mutable(tree)):
        for new in _changes(node):
            tree = _Exchange(node, new).visit(tree)
            mutated = ast.unparse(ast.fix_missing_locations(tree))
            tree = _Exchange(new, node).visit(tree)
            line = lines[node.lineno - 1]
            place = node.col_offset - len(line) + len(line.lstrip()) + 1
            change = f"{ast.unparse(node)} -> {ast.unparse(new)}"
            found.append(Mutant((file, line.strip(), str(place), change), node.lineno, mutated))
    return found


def _mutable(node: ast.AST) -> Iterator[ast.expr | ast.AugAssign]:
    """Yield the expressions of a tree, but for texts and what only describes."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.keyword) and node.arg == "strict"):
        return
    if isinstance(node, ast.expr | ast.AugAssign):
        yield node
    for name, child in ast.iter_fields(node):
        if name not in LEFT_ALONE:
            for part in child if isinstance(child, list) else [child]:
                if isinstance(part, ast.AST):
                    yield from _mutable(part)


def _changes(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901 - one case a kind
    """Yield what may stand in the place of a node."""
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                ops = [*node.ops[:index], OPERATORS[type(operator)](), *node.ops[index + 1 :]]
                yield _changed(node, ops=ops)
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign() if type(node.op) in OPERATORS:
            yield _changed(node, op=OPERATORS[type(node.op)]())
        case ast.UnaryOp():
            yield node.operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=(int() | float()) as value) if abs(value) <= LARGEST_NUMBER:
            yield ast.Constant(value + 1)
        case ast.Slice():
            for bound in ("lower", "upper"):
                place = getattr(node, bound)
                if place is not None and not isinstance(place, ast.Constant):
                    later = ast.BinOp(place, ast.Add(), ast.Constant(1))
                    yield _changed(node, **{bound: later})
        case ast.Call():
            yield from _changed_calls(node)


def _changed_calls(node: ast.Call) -> Iterator[ast.AST]:
    first, second = node.args if len(node.args) == 2 else (None, None)
    opposites = [
        _changed(node.func, **{field: NAMES[name]})
        for field in ("id", "attr")
        if (name := getattr(node.func, field, "")) in NAMES
    ]
    for opposite in opposites:
        yield _changed(node, func=opposite)
    if opposites:  # max(a, b) is max(b, a)
        pass
    elif isinstance(first, ast.Name) and isinstance(second, ast.Name) and first.id != second.id:
        yield _changed(node, args=[second, first])
    for place, keyword in enumerate(node.keywords):
        others = [*node.keywords[:place], *node.keywords[place + 1 :]]
        match keyword:
            case ast.keyword(arg="axis", value=ast.Constant(value=1)):  # 0 -> 1 is n -> n + 1
                axis = ast.keyword("axis", ast.Constant(0))
                yield _changed(node, keywords=[*others, axis])
            case ast.keyword(arg="kind", value=ast.Constant(value="stable")):
                yield _changed(node, keywords=others)


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})
