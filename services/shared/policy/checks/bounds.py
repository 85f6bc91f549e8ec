"""What could go wrong for some values of facts and figures, and what can never matter, by ranges of every value."""

from collections.abc import Iterator

from services.shared.policy import tree
from services.shared.policy.abstract import NOTHING, UNTOLD, AbstractEvaluator, Range, Row, Seen, is_single
from services.shared.policy.checks.place import Place
from services.shared.policy.fault import PackFault
from services.shared.policy.open_value import OPEN, Unknown, unknown_parameter
from services.shared.policy.rulebook import Rule, Rulebook, sub_rules
from services.shared.policy.schema import BOOL, DEFAULT_RANGE, FRACTION, Kind
from services.shared.policy.text import Text
from services.shared.policy.tree import Node
from services.shared.policy.truth import EITHER, TRUE
from services.shared.policy.unparsing import written

LARGEST = 2**63 - 1
"""What 64 bits hold: a larger value would wrap in a column or in SQL."""

ANY_DATE: Range = (1949_10_01, 2999_12_31)
ANY_FACT = "any"

DIVIDES_BY_NOTHING = Text("除数可能为零", "it may divide by nothing"), Text("除以 max(..., 1)", "divide by max(..., 1)")
ROUNDS_A_NEGATIVE = (
    Text("取整的金额可能为负", "it may round a negative amount"),
    Text("在差的外面加上 max(..., 0)", "write max(..., 0) around the difference"),
)
OVERFLOWS = (
    Text("值可能超出 64 位整数", "a value may be larger than 64 bits hold"),
    Text("先取整再相乘，或给因数设上限", "round before multiplying, or bound a factor"),
)

Meaning = int
"""A number for what a rule says, with all that it rests on: equal rules of different days and places share it."""


class Bounds:
    """Looks at every rule of many places; a rule that says what one before it said is not looked at again."""

    def __init__(self) -> None:
        self._meanings: dict[object, Meaning] = {}
        self._seen: set[Meaning] = set()

    def faults(self, place: Place) -> Iterator[PackFault]:
        """What could go wrong in the place's rules, and which conditions of its own pack can never be met or missed."""
        for book in place.books:
            unseen = list(self._unseen(book))
            if not unseen:
                continue
            ranges, conditions = _Ranges(book), _Ranges(book, fixed_rules_vary=True)
            for rule in unseen:
                yield from _dangers(rule, rule.node, ranges)
                if rule.pack == place.pack.id:
                    yield from _idle(rule, conditions)

    def _unseen(self, book: Rulebook) -> Iterator[Rule]:
        known: dict[str, Meaning] = {}
        for name, rule in book.rules.items():
            says = (rule.entity, rule.node, tuple(known[used] for used in sub_rules(rule.node)))
            known[name] = self._meanings.setdefault(says, len(self._meanings))
            if known[name] not in self._seen:
                self._seen.add(known[name])
                yield rule


class _Ranges(AbstractEvaluator):
    """Ranges over any facts and figures; a rule is looked at for any row of its entity.

    With `fixed_rules_vary`, a rule that a place has set to one value could be anything, as it is elsewhere.
    """

    def __init__(self, book: Rulebook, *, fixed_rules_vary: bool = False) -> None:
        self._fixed_rules_vary = fixed_rules_vary
        anything = {name: {codes: unknown_parameter(name) for codes in table} for name, table in book.figures.items()}
        super().__init__(book, anything, dict.fromkeys(book.declarations), ANY_DATE, lambda rule, row: OPEN)
        self._any_row: dict[str, Row] = {}
        for entity in book.schema.entities:
            parent = self._any_row[entity.parent] if entity.parent else None
            indices = (*parent.indices, UNTOLD) if parent else ()
            self._any_row[entity.name] = Row(entity.name, Unknown(ANY_FACT), parent, indices)

    def any_row(self, entity: str) -> Row:
        """The row that stands for every row of the entity."""
        return self._any_row[entity]

    def rule(self, name: str, row: Row) -> Seen:
        """What the rule can be."""
        rule = self._book.rules[name]
        if self._fixed_rules_vary and isinstance(rule.node, tree.Const):
            return _anything(rule.kind), NOTHING
        return super().rule(name, row)

    def node(self, node: Node, row: Row) -> Seen:
        """What the node can be. Something open here is settled for others, so `settled` may be either."""
        if isinstance(node, tree.Settled) and super().node(node.operand, row)[0] == EITHER:
            return EITHER, NOTHING
        return super().node(node, row)


def _anything(kind: Kind) -> object:
    if kind == BOOL:
        return EITHER
    return frozenset(kind.codes) if kind.codes else DEFAULT_RANGE[kind]


def _dangers(rule: Rule, node: Node, ranges: _Ranges) -> Iterator[PackFault]:
    for part, row in _parts(node, ranges.any_row(rule.entity), ranges):
        problem = _danger(part, row, ranges)
        if problem is not None:
            yield PackFault(rule.pack, f"rule {rule.id}", 0, *problem)


def _parts(node: Node, row: Row, ranges: _Ranges) -> Iterator[tuple[Node, Row]]:
    """Every node with the row it stands for, what lies deeper first."""
    below = ranges.any_row(node.entity) if isinstance(node, tree.Aggregate) else row
    for child in tree.children_of(node):
        yield from _parts(child, below, ranges)
    yield node, row


def _danger(node: Node, row: Row, ranges: _Ranges) -> tuple[Text, Text] | None:
    if isinstance(node, tree.Quotient) and ranges.node(node.divisor, row)[0][0] < 1:
        return DIVIDES_BY_NOTHING
    if isinstance(node, tree.Rounded) and ranges.ratio(node.operand, row)[0][0] < 0:
        return ROUNDS_A_NEGATIVE
    if any(abs(bound) > LARGEST for size in _sizes(node, row, ranges) for bound in size):
        return OVERFLOWS
    return None


def _sizes(node: Node, row: Row, ranges: _Ranges) -> Iterator[Range]:
    """The ranges of everything that computing the node holds on the way."""
    if isinstance(node, tree.Comparison) and FRACTION in (node.left.kind, node.right.kind):
        left, left_divisor, _ = ranges.ratio(node.left, row)
        right, right_divisor, _ = ranges.ratio(node.right, row)
        yield left[0] * right_divisor[1], left[1] * right_divisor[1]
        yield right[0] * left_divisor[1], right[1] * left_divisor[1]
    elif isinstance(node, tree.Rounded):
        amount, divisor, _ = ranges.ratio(node.operand, row)
        yield 2 * amount[0], 2 * amount[1] + divisor[1] * node.unit_fen
    elif isinstance(node, tree.Arithmetic) or (isinstance(node, tree.Aggregate) and node.operator == "sum"):
        yield ranges.node(node, row)[0]


def _idle(rule: Rule, ranges: _Ranges) -> Iterator[PackFault]:
    """The first condition of the rule that is the same for all facts and figures: its other branch is never taken."""
    for part, row in _parts(rule.node, ranges.any_row(rule.entity), ranges):
        if isinstance(part, tree.Comparison | tree.Among):
            possible = ranges.node(part, row)[0]
            if is_single(possible):
                always = Text("总是成立", "is always true") if possible == TRUE else Text("从不成立", "is never true")
                said = written(part)
                problem = Text(
                    f"条件 {said} {always.zh}，另一分支不会用到", f"{said} {always.en}: its other branch is never taken"
                )
                remedy = Text("改正条件，或删除它", "correct the condition, or remove it")
                yield PackFault(rule.pack, f"rule {rule.id}", 0, problem, remedy)
                return
