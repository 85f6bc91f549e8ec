"""How an expression is spelt in Python; what its facts, rules and figures are called is left to each program."""

from abc import ABC, abstractmethod

from services.shared.policy import tree
from services.shared.policy.schema import FRACTION, RATE_SCALE
from services.shared.policy.tree import Node

ParameterSlot = tuple[str, bool]
"""A parameter that a program takes: its name, and whether it is its value or whether it is held."""


class Spelling(ABC):
    """Spells checked trees: names are numbered, codes are the schema's, numbers are ours; no text of a pack remains.

    What is spelt raises OpenValueUsed where it needs a value that is open, and may be OPEN where it passes one on.
    """

    def __init__(self) -> None:
        self.parameters: list[ParameterSlot] = []
        self._temporaries = 0

    def spell(self, node: Node) -> str:
        """The Python expression that computes the node."""
        spelt: str = getattr(self, _SPELLINGS[type(node)])(node)
        return spelt

    @abstractmethod
    def fact(self, node: tree.FactRef) -> str:
        """Where the fact lies."""

    @abstractmethod
    def rule(self, node: tree.RuleRef) -> str:
        """Where the rule's value lies."""

    @abstractmethod
    def aggregate(self, node: tree.Aggregate) -> str:
        """Where what was gathered lies."""

    @abstractmethod
    def slot(self, slot: ParameterSlot) -> str:
        """What the parameter is called."""

    def slot_number(self, slot: ParameterSlot) -> int:
        """Where among `parameters` the slot is; it is added when it is new."""
        if slot not in self.parameters:
            self.parameters.append(slot)
        return self.parameters.index(slot)

    def parameter(self, node: tree.ParameterRef) -> str:
        """The figure, looked up by its key codes."""
        slot = self.slot((node.name, True))
        if not node.keys:
            return slot
        return f"{slot}[{', '.join(self.spell(key) for key in node.keys)}]"

    def settled(self, node: tree.Settled) -> str:
        """An open fact is not settled; an open rule may yet be, which the abstract evaluator says."""
        operand = self.spell(node.operand)
        return f"({operand} is True)" if isinstance(node.operand, tree.FactRef) else f"(not not {operand})"

    def _const(self, node: tree.Const) -> str:
        return repr(node.value)

    def _held(self, node: tree.Held) -> str:
        return self.slot((node.name, False))

    def _as_of(self, _: tree.AsOf) -> str:
        return "as_of"

    def _not(self, node: tree.Not) -> str:
        return f"(not {self.spell(node.operand)})"

    def _junction(self, node: tree.Junction) -> str:
        return "(" + f" {node.operator} ".join(self.spell(operand) for operand in node.operands) + ")"

    def _comparison(self, node: tree.Comparison) -> str:
        if FRACTION not in (node.left.kind, node.right.kind):
            return f"({self.spell(node.left)} {node.operator} {self.spell(node.right)})"
        left, left_divisor = self._ratio(node.left)
        right, right_divisor = self._ratio(node.right)
        return f"({product(left, right_divisor)} {node.operator} {product(right, left_divisor)})"

    def _among(self, node: tree.Among) -> str:
        return f"({self.spell(node.operand)} in {{{', '.join(repr(value) for value in node.values)}}})"

    def _arithmetic(self, node: tree.Arithmetic) -> str:
        return f"({self.spell(node.left)} {node.operator} {self.spell(node.right)})"

    def _ratio(self, node: Node) -> tuple[str, str]:
        if isinstance(node, tree.Share):
            amount, divisor = self._ratio(node.amount)
            return f"({amount} * {self.spell(node.rate)})", product(divisor, str(RATE_SCALE))
        if isinstance(node, tree.Quotient):
            amount, divisor = self._ratio(node.amount)
            return amount, product(divisor, self.spell(node.divisor))
        return self.spell(node), "1"

    def _rounded(self, node: tree.Rounded) -> str:
        amount, divisor = self._ratio(node.operand)
        whole = product(divisor, str(node.unit_fen))
        less_one = str(int(whole) - 1) if whole.isdecimal() else f"{whole} - 1"
        steps = {
            "floor": f"{amount} // {whole}",
            "ceil": f"({amount} + {less_one}) // {whole}",
            "half_up": f"(2 * {amount} + {whole}) // {product('2', whole)}",
        }
        return product(f"({steps[node.mode]})", str(node.unit_fen))

    def _choice(self, node: tree.Choice) -> str:
        condition, then, otherwise = (self.spell(part) for part in (node.condition, node.then, node.otherwise))
        return f"({then} if {condition} else {otherwise})"

    def _extreme(self, node: tree.Extreme) -> str:
        printed = [self.spell(operand) for operand in node.operands]
        if len(printed) != 2:
            return f"{node.operator}({', '.join(printed)})"
        # Twice as quick as calling the built-in; the first is computed before the second, and both only once.
        (first, kept_first), (second, kept_second) = (self._kept(text) for text in printed)
        return f"({kept_first} if {first} {'>' if node.operator == 'max' else '<'} {second} else {kept_second})"

    def _kept(self, printed: str) -> tuple[str, str]:
        """The text where it is computed, and what it is called from then on."""
        if printed.isidentifier() or printed.isdecimal():
            return printed, printed
        self._temporaries += 1
        name = f"t{self._temporaries}"
        return f"({name} := {printed})", name

    def _span(self, node: tree.Span) -> str:
        earlier, later = self.spell(node.earlier), self.spell(node.later)
        years = f"({later} - {earlier}) // 10000" if node.unit == "years" else f"full_months({earlier}, {later})"
        return f"({years} if {earlier} <= {later} else 0)"

    def _known(self, node: tree.Known) -> str:
        operand = self.spell(node.operand)
        return f"({operand} == {operand})"


_SPELLINGS: dict[type, str] = {
    tree.Const: "_const",
    tree.FactRef: "fact",
    tree.RuleRef: "rule",
    tree.ParameterRef: "parameter",
    tree.Held: "_held",
    tree.AsOf: "_as_of",
    tree.Not: "_not",
    tree.Junction: "_junction",
    tree.Comparison: "_comparison",
    tree.Among: "_among",
    tree.Arithmetic: "_arithmetic",
    tree.Rounded: "_rounded",
    tree.Choice: "_choice",
    tree.Extreme: "_extreme",
    tree.Span: "_span",
    tree.Aggregate: "aggregate",
    tree.Settled: "settled",
    tree.Known: "_known",
}


def product(left: str, right: str) -> str:
    """The two multiplied, as far as that can be done now."""
    if left.isdecimal() and right.isdecimal():
        return str(int(left) * int(right))
    if "1" in (left, right):
        return right if left == "1" else left
    return f"({left} * {right})"
