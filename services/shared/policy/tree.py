"""The typed tree of an expression: what remains after the grammar, names, kinds and units were checked."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.shared.policy.schema import Kind


@dataclass(frozen=True, slots=True)
class Const:
    """A number in its kind's unit, a truth value or a code."""

    value: int | bool | str
    kind: Kind


@dataclass(frozen=True, slots=True)
class FactRef:
    """A fact of the row of `entity` that the rule stands in."""

    entity: str
    name: str
    position: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class RuleRef:
    """The value of another rule, for the same row or the row it lies in."""

    rule: str
    entity: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class ParameterRef:
    """A figure in force; `keys` choose its row where it differs by a fact."""

    name: str
    keys: tuple["Node", ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Held:
    """Whether any pack in the chain, or the call, holds the parameter on the date."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class AsOf:
    """The date whose law and figures apply."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    operand: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Junction:
    """`and` or `or` over truth values."""

    operator: str
    operands: tuple["Node", ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values of one kind compared; fractions of money are compared crosswise, exactly."""

    operator: str
    left: "Node"
    right: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a code or a whole number is one of those listed."""

    operand: "Node"
    values: tuple[int | str, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+`, `-` or `*` on whole numbers of one unit."""

    operator: str
    left: "Node"
    right: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Share:
    """money * rate: a fraction of money."""

    amount: "Node"
    rate: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Quotient:
    """money / int: a fraction of money."""

    amount: "Node"
    divisor: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Rounded:
    """A fraction of money or an amount, brought to whole units of `unit_fen`: floor, ceil or half_up."""

    mode: str
    unit_fen: int
    operand: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Choice:
    """`then if condition else otherwise`."""

    condition: "Node"
    then: "Node"
    otherwise: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Extreme:
    """The least or greatest of some values of one kind."""

    operator: str
    operands: tuple["Node", ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Span:
    """Full years or full months between two dates, 0 when the first is later."""

    unit: str
    earlier: "Node"
    later: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Aggregate:
    """sum, count, any, all, min or max of `operand` over the rows of `entity` for which `condition` holds.

    Of no rows: 0, false for any, true for all.
    """

    operator: str
    entity: str
    operand: "Node"
    condition: "Node | None"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Settled:
    """True when the operand is known to be true; false when it is false or open."""

    operand: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True)
class Known:
    """True when the operand's value is settled; open otherwise."""

    operand: "Node"
    kind: Kind


Node = (
    Const
    | FactRef
    | RuleRef
    | ParameterRef
    | Held
    | AsOf
    | Not
    | Junction
    | Comparison
    | Among
    | Arithmetic
    | Share
    | Quotient
    | Rounded
    | Choice
    | Extreme
    | Span
    | Aggregate
    | Settled
    | Known
)


_BELOW: dict[type, tuple[str, ...]] = {
    ParameterRef: ("keys",),
    Not: ("operand",),
    Junction: ("operands",),
    Comparison: ("left", "right"),
    Among: ("operand",),
    Arithmetic: ("left", "right"),
    Share: ("amount", "rate"),
    Quotient: ("amount", "divisor"),
    Rounded: ("operand",),
    Choice: ("condition", "then", "otherwise"),
    Extreme: ("operands",),
    Span: ("earlier", "later"),
    Aggregate: ("condition", "operand"),
    Settled: ("operand",),
    Known: ("operand",),
}


def children_of(node: Node) -> Iterator[Node]:
    """The nodes directly below, in the order they are looked at."""
    for name in _BELOW.get(type(node), ()):
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from value
        elif value is not None:
            yield value


def depth_of(node: Node) -> int:
    """How many nodes lie one in the other; the expression's bound keeps it small."""
    return 1 + max(map(depth_of, children_of(node)), default=0)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        if type(node) in _BELOW:
            pending.extend(reversed(list(children_of(node))))
