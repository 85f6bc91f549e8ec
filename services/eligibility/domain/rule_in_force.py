"""What remains of a rule at a place on a day, once the choices that its figures make are made."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from services.shared.policy import tree
from services.shared.policy.figures import FigureInForce
from services.shared.policy.rulebook import Rulebook
from services.shared.policy.schema import BOOL, INT, MONEY
from services.shared.policy.tree import Const, Node

BEYOND_ANY_FEN = 10**9
"""Ten million yuan: no income, bill or spending that aid is reckoned from."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class InForce:
    """Rules of one book with the branches left out that its figures never take there."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._rules: dict[str, tuple[Node, list[tuple[str, Node]]]] = {}

    def rule(self, name: str) -> tuple[Node, list[tuple[str, Node]]]:
        """A rule's expression without its exceptions, and each exception's rule with the value it gives."""
        if name not in self._rules:
            node, found = self._book.rules[name].node, []
            while self._is_exception(node):
                found.append((node.condition.rule, self.node(node.then)))  # type: ignore[union-attr]
                node = node.otherwise  # type: ignore[union-attr]
            node, met = self._met(self.node(node), found)
            self._rules[name] = node, met
        return self._rules[name]

    def _met(self, node: Node, found: list[tuple[str, Node]]) -> tuple[Node, list[tuple[str, Node]]]:
        """Exceptions that can still come; one that always holds there is the rule."""
        left: list[tuple[str, Node]] = []
        # The last to be written lies outermost and wins.
        for name, value in reversed(found):
            when = self.rule(name)[0]
            if when == Const(True, BOOL):
                node, left = value, []
            elif when != Const(False, BOOL):
                left.append((name, value))
        return node, left[::-1]

    def _is_exception(self, node: Node) -> bool:
        if not isinstance(node, tree.Choice) or not isinstance(node.condition, tree.RuleRef):
            return False
        return node.condition.rule in self._book.exceptions

    def node(self, node: Node) -> Node:
        """The node with everything put in that is fixed there: choices among codes, and whether a figure is held."""
        simpler = _SIMPLER.get(type(node))
        return node if simpler is None else simpler(self, node)

    def _parameter(self, node: tree.ParameterRef) -> Node:
        """A choice among codes, and a figure that is nothing for everyone, are put in; others keep their name."""
        values = {
            held.value if isinstance(held, FigureInForce) else None for held in self._book.figures[node.name].values()
        }
        only = values.pop() if len(values) == 1 else None
        is_choice = self._book.declarations[node.name].type in ("enum", "bool")
        return Const(only, node.kind) if only is not None and (is_choice or only == 0) else node

    def _held(self, node: tree.Held) -> Node:
        return Const(any(isinstance(item, FigureInForce) for item in self._book.figures[node.name].values()), BOOL)

    def _rule_ref(self, node: tree.RuleRef) -> Node:
        inner, exceptions = self.rule(node.rule)
        # A rule that is another by a second name there is told once.
        return inner if isinstance(inner, Const | tree.RuleRef) and not exceptions else node

    def _not(self, node: tree.Not) -> Node:
        operand = self.node(node.operand)
        return Const(not operand.value, BOOL) if isinstance(operand, Const) else replace(node, operand=operand)

    def _junction(self, node: tree.Junction) -> Node:
        decisive = node.operator == "or"
        left: list[Node] = []
        for operand in map(self.node, node.operands):
            if isinstance(operand, tree.Junction) and operand.operator == node.operator:
                left += operand.operands
            elif not isinstance(operand, Const):
                left.append(operand)
            elif operand.value is decisive:
                return operand
        if not left:
            return Const(not decisive, BOOL)
        return left[0] if len(left) == 1 else replace(node, operands=tuple(left))

    def _comparison(self, node: tree.Comparison) -> Node:
        left, right = self.node(node.left), self.node(node.right)
        if isinstance(left, Const) and isinstance(right, Const):
            return Const(_COMPARE[node.operator](left.value, right.value), BOOL)
        if node.operator == "<" and node.left.kind == INT and _is(right, 0):
            return Const(False, BOOL)
        return replace(node, left=left, right=right)

    def _among(self, node: tree.Among) -> Node:
        operand = self.node(node.operand)
        if isinstance(operand, Const):
            return Const(operand.value in node.values, BOOL)
        return replace(node, operand=operand)

    def _choice(self, node: tree.Choice) -> Node:
        condition = self.node(node.condition)
        if isinstance(condition, Const):
            return self.node(node.then if condition.value else node.otherwise)
        then, otherwise = self.node(node.then), self.node(node.otherwise)
        return then if then == otherwise else replace(node, condition=condition, then=then, otherwise=otherwise)

    def _arithmetic(self, node: tree.Arithmetic) -> Node:
        left, right = self.node(node.left), self.node(node.right)
        if node.operator == "*":
            nothing = next((part for part in (left, right) if _is(part, 0)), None)
            if nothing is not None:
                return Const(0, node.kind)
            return right if _is(left, 1) else left if _is(right, 1) else replace(node, left=left, right=right)
        if _is(right, 0):
            return left
        return right if node.operator == "+" and _is(left, 0) else replace(node, left=left, right=right)

    def _share(self, node: tree.Share) -> Node:
        amount, rate = self.node(node.amount), self.node(node.rate)
        return Const(0, MONEY) if _is(amount, 0) or _is(rate, 0) else replace(node, amount=amount, rate=rate)

    def _quotient(self, node: tree.Quotient) -> Node:
        amount = self.node(node.amount)
        return amount if _is(amount, 0) else replace(node, amount=amount, divisor=self.node(node.divisor))

    def _operand(self, node: Any) -> Node:
        operand = self.node(node.operand)
        return Const(0, node.kind) if _is(operand, 0) else replace(node, operand=operand)

    def _extreme(self, node: tree.Extreme) -> Node:
        operands = [operand for operand in map(self.node, node.operands) if not _is_technical(node, operand)]
        operands = [each for each in operands if not (_is(each, 0) and any(_is_bounded(self, o) for o in operands))]
        return operands[0] if len(operands) == 1 else replace(node, operands=tuple(operands))

    def _aggregate(self, node: tree.Aggregate) -> Node:
        operand = self.node(node.operand)
        condition = None if node.condition is None else self.node(node.condition)
        if _is(operand, 0) and node.operator == "sum":
            return Const(0, node.kind)
        if condition == Const(True, BOOL):
            condition = None
        return replace(node, operand=operand, condition=condition)

    def _settled(self, node: tree.Settled) -> Node:
        return self.node(node.operand)


def _is_bounded(rules: InForce, node: Node) -> bool:
    """Whether a rule is nothing at the least by its own words."""
    inner = rules.rule(node.rule)[0] if isinstance(node, tree.RuleRef) else node
    return isinstance(inner, tree.Extreme) and inner.operator == "max" and any(_is(part, 0) for part in inner.operands)


def _is_technical(node: tree.Extreme, operand: Node) -> bool:
    """A bound that keeps a product within 64 bits and that no household reaches."""
    is_large = isinstance(operand, Const) and type(operand.value) is int and operand.value >= BEYOND_ANY_FEN
    return node.operator == "min" and node.kind == MONEY and is_large


def _is(node: Node, number: int) -> bool:
    return isinstance(node, Const) and type(node.value) is int and node.value == number


_SIMPLER: dict[type, Callable[[InForce, Any], Node]] = {
    tree.ParameterRef: InForce._parameter,
    tree.Held: InForce._held,
    tree.RuleRef: InForce._rule_ref,
    tree.Not: InForce._not,
    tree.Junction: InForce._junction,
    tree.Comparison: InForce._comparison,
    tree.Among: InForce._among,
    tree.Choice: InForce._choice,
    tree.Arithmetic: InForce._arithmetic,
    tree.Share: InForce._share,
    tree.Quotient: InForce._quotient,
    tree.Rounded: InForce._operand,
    tree.Extreme: InForce._extreme,
    tree.Aggregate: InForce._aggregate,
    tree.Settled: InForce._settled,
    # Whether something is known yet is a matter of one case, not of the rule.
    tree.Known: lambda _, node: Const(True, BOOL),
}
