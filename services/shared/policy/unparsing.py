"""Writes a typed tree as an expression of the rule language again."""

from collections.abc import Callable
from typing import Any

from services.shared.policy import tree
from services.shared.policy.expression import ROUNDING_UNITS_FEN
from services.shared.policy.schema import MONEY, RATE, RATE_SCALE, Kind
from services.shared.policy.tree import Node
from services.shared.vocabulary.money import yuan_of

_UNITS = {fen: name for name, fen in ROUNDING_UNITS_FEN.items()}


def written(node: Node) -> str:
    """The expression that reads as this tree: `household.homes <= homes_max`."""
    return _WRITERS[type(node)](node)


def constant(value: int | bool | str, kind: Kind) -> str:
    """A written value: `True`, `3`, `"urban"`, `yuan("1.50")`, `rate("0.3")`."""
    if isinstance(value, bool) or (isinstance(value, int) and value == 0):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if kind == MONEY:
        return f'yuan("{yuan_of(value)}")'
    return f'rate("{rate_text(value)}")' if kind == RATE else str(value)


def rate_text(value: int) -> str:
    """Ten-thousandths as a decimal: 15000 is "1.5"."""
    return f"{value // RATE_SCALE}.{value % RATE_SCALE:04d}".rstrip("0").rstrip(".")


def _inner(node: Node) -> str:
    """In brackets where what stands around it could bind more closely."""
    bare = isinstance(node, tree.Junction | tree.Comparison | tree.Arithmetic | tree.Choice | tree.Not | tree.Among)
    return f"({written(node)})" if bare or isinstance(node, tree.Share | tree.Quotient) else written(node)


def _infix(operator: str, *operands: Node) -> str:
    return f" {operator} ".join(map(_inner, operands))


def _call(name: str, *arguments: str) -> str:
    return f"{name}({', '.join(arguments)})"


def _among(node: tree.Among) -> str:
    listed = ", ".join(constant(value, node.operand.kind) for value in node.values)
    return f"{_inner(node.operand)} in ({listed}{',' * (len(node.values) == 1)})"


def _choice(node: tree.Choice) -> str:
    return f"{_inner(node.then)} if {_inner(node.condition)} else {_inner(node.otherwise)}"


def _span(node: tree.Span) -> str:
    if node.unit == "years" and isinstance(node.later, tree.AsOf):
        return _call("age", written(node.earlier))
    return _call(f"{node.unit}_between", written(node.earlier), written(node.later))


def _rounded(node: tree.Rounded) -> str:
    return _call(f"{node.mode}_to", written(node.operand), _UNITS[node.unit_fen])


def _aggregate(node: tree.Aggregate) -> str:
    condition = "" if node.condition is None else f" if {written(node.condition)}"
    return f"{node.operator}({written(node.operand)} for {node.entity} in ...{condition})"


_WRITERS: dict[type, Callable[[Any], str]] = {
    tree.Const: lambda node: constant(node.value, node.kind),
    tree.FactRef: lambda node: f"{node.entity}.{node.name}",
    tree.RuleRef: lambda node: node.rule,
    tree.ParameterRef: lambda node: node.name,
    tree.Held: lambda node: _call("held", node.name),
    tree.AsOf: lambda node: "as_of",
    tree.Not: lambda node: f"not {_inner(node.operand)}",
    tree.Junction: lambda node: _infix(node.operator, *node.operands),
    tree.Comparison: lambda node: _infix(node.operator, node.left, node.right),
    tree.Among: _among,
    tree.Arithmetic: lambda node: _infix(node.operator, node.left, node.right),
    tree.Share: lambda node: _infix("*", node.amount, node.rate),
    tree.Quotient: lambda node: _infix("/", node.amount, node.divisor),
    tree.Rounded: _rounded,
    tree.Choice: _choice,
    tree.Extreme: lambda node: _call(node.operator, *map(written, node.operands)),
    tree.Span: _span,
    tree.Aggregate: _aggregate,
    tree.Settled: lambda node: _call("settled", written(node.operand)),
    tree.Known: lambda node: _call("known", written(node.operand)),
}
