"""Evaluates rules over sets of values, so that an open fact leaves open what hangs on it and nothing else."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.shared.policy import tree
from services.shared.policy.figures import round_to
from services.shared.policy.open_value import Unknown
from services.shared.policy.rulebook import Rulebook
from services.shared.policy.schema import (
    BOOL,
    DEFAULT_RANGE,
    FRACTION,
    MONEY,
    NUMBERS,
    PARAMETER_MAX_FEN,
    RATE_SCALE,
    Entity,
    Kind,
    Schema,
)
from services.shared.policy.tree import Node
from services.shared.policy.truth import EITHER, FALSE, TRUE
from services.shared.vocabulary.period import full_months, full_years

Range = tuple[int, int]
Possible = Any
"""The values a node can have: bits for a condition, a range for a number, a frozenset for a code."""

Paths = frozenset[str]
NOTHING: Paths = frozenset()

UNTOLD = -1
"""The index of the row that stands for those nobody told."""

Seen = tuple[Possible, Paths]
"""What a node can be, and the open facts and figures that it hangs on; none when it is settled."""


@dataclass(slots=True, eq=False)
class Row:
    """A row of an entity inside its parent's; `facts` is an Unknown for a row that nobody told.

    Never changed; it is not frozen because that would take three times as long to make.
    """

    entity: str
    facts: Any
    parent: "Row | None"
    indices: tuple[int, ...]

    def of(self, entity: str) -> "Row":
        """This row or the one of `entity` that it lies in."""
        row: Row = self
        while row.entity != entity:
            assert row.parent is not None, f"{entity} is no row here"
            row = row.parent
        return row


ParameterValues = Mapping[str, Mapping[tuple[str, ...], Any]]
"""For each parameter and each combination of its key codes, its value or the Unknown that stands for it."""


class AbstractEvaluator:
    """What each rule of a rulebook can be, given what is known; values that are known already come from `known`."""

    def __init__(
        self,
        book: Rulebook,
        parameters: ParameterValues,
        held: Mapping[str, bool] | Mapping[str, None],
        as_of: Range,
        known: Callable[[str, Row], Any],
        *,
        hasty: bool = False,
    ) -> None:
        self._book, self._parameters, self._held = book, parameters, held
        self._as_of, self._known, self._hasty = as_of, known, hasty
        self._seen: dict[tuple[str, tuple[int, ...]], Seen] = {}
        self._rows: dict[tuple[str, tuple[int, ...]], tuple[list[Row], Row | None]] = {}
        # Nodes live as long as their rulebook, so their identity names them.
        self._nodes: dict[tuple[int, tuple[int, ...], str], Seen] = {}

    def rule(self, name: str, row: Row) -> Seen:
        """What the rule can be for the row (or the row that it lies in)."""
        rule = self._book.rules[name]
        own = row.of(rule.entity)
        key = (name, own.indices)
        if key not in self._seen:
            value = self._known(name, own)
            self._seen[key] = self.node(rule.node, own) if isinstance(value, Unknown) else (lifted(value), NOTHING)
        return self._seen[key]

    def node(self, node: Node, row: Row) -> Seen:
        """What the node can be for the row."""
        kind = type(node)
        if kind is tree.RuleRef:
            return self.rule(node.rule, row)  # type: ignore[union-attr]
        if kind is tree.FactRef or kind is tree.Const:
            return _EVALUATORS[kind](self, node, row)
        key = (id(node), row.indices, row.entity)
        seen = self._nodes.get(key)
        if seen is None:
            value, paths = _EVALUATORS[kind](self, node, row)
            seen = self._nodes[key] = value, (NOTHING if is_single(value) else paths)
        return seen

    def rows(self, entity: Entity, row: Row) -> tuple[list[Row], Row | None]:
        """The rows of `entity` below a row of its parent, and the row that stands for those nobody told, if any."""
        assert entity.parent is not None
        parent = row.of(entity.parent)
        key = (entity.name, parent.indices)
        if key not in self._rows:
            self._rows[key] = self._rows_of(entity, parent)
        return self._rows[key]

    def _rows_of(self, entity: Entity, parent: Row) -> tuple[list[Row], Row | None]:
        if isinstance(parent.facts, Unknown):
            return [], Row(entity.name, parent.facts, parent, (*parent.indices, UNTOLD))
        told = told_rows(self._book.schema, entity.name, parent)
        complete = parent.facts[self._book.schema.rows_slot(entity.name) + 1]
        return told, None if complete is True else Row(entity.name, complete, parent, (*parent.indices, UNTOLD))

    # --- leaves ------------------------------------------------------------------------------------------------

    def _const(self, node: tree.Const, _: Row) -> Seen:
        return lifted(node.value), NOTHING

    def _fact(self, node: tree.FactRef, row: Row) -> Seen:
        facts = row.of(node.entity).facts
        value = facts if isinstance(facts, Unknown) else facts[node.position]
        if not isinstance(value, Unknown):
            return lifted(value), NOTHING
        fact = self._book.schema.by_name[node.entity].facts[node.position]
        possible = _anything(fact.kind, fact.least, fact.most)
        return possible, (NOTHING if is_single(possible) else frozenset((value.path,)))

    def _rule(self, node: tree.RuleRef, row: Row) -> Seen:
        return self.rule(node.rule, row)

    def _parameter(self, node: tree.ParameterRef, row: Row) -> Seen:
        keys = [self.node(key, row) for key in node.keys]
        table = self._parameters[node.name]
        values = [table[codes] for codes in itertools.product(*(sorted(possible) for possible, _ in keys))]
        paths = frozenset().union(*(live for _, live in keys))
        paths |= {value.path for value in values if isinstance(value, Unknown)}
        return _joined([self._figure(value, node.kind) for value in values]), paths

    def _figure(self, value: Any, kind: Kind) -> Possible:
        if not isinstance(value, Unknown):
            return lifted(value)
        least, most = (0, PARAMETER_MAX_FEN) if kind == MONEY else DEFAULT_RANGE.get(kind, (0, 0))
        return _anything(kind, least, most)

    def _is_held(self, node: tree.Held, _: Row) -> Seen:
        held = self._held[node.name]
        return EITHER if held is None else lifted(held), NOTHING

    def _date(self, _: tree.AsOf, __: Row) -> Seen:
        return self._as_of, NOTHING

    # --- conditions --------------------------------------------------------------------------------------------

    def _not(self, node: tree.Not, row: Row) -> Seen:
        value, paths = self.node(node.operand, row)
        return _negated(value), paths

    def _junction(self, node: tree.Junction, row: Row) -> Seen:
        decisive, neutral = (FALSE, TRUE) if node.operator == "and" else (TRUE, FALSE)
        value, paths = neutral, NOTHING
        for operand in node.operands:
            possible, live = self.node(operand, row)
            if possible == decisive:
                return decisive, NOTHING
            if possible == EITHER:
                value, paths = EITHER, paths | live
        return value, paths

    def _comparison(self, node: tree.Comparison, row: Row) -> Seen:
        if node.left.kind not in NUMBERS:
            (left, left_live), (right, right_live) = self.node(node.left, row), self.node(node.right, row)
            equal = _same_codes(left, right)
            return (equal if node.operator == "==" else _negated(equal)), left_live | right_live
        if node.left.kind is not FRACTION and node.right.kind is not FRACTION:
            (left, left_live), (right, right_live) = self.node(node.left, row), self.node(node.right, row)
            return _compared(node.operator, left, right), left_live | right_live
        left, left_divisor, left_live = self.ratio(node.left, row)
        right, right_divisor, right_live = self.ratio(node.right, row)
        compared = _compared(node.operator, _times(left, right_divisor), _times(right, left_divisor))
        return compared, left_live | right_live

    def _among(self, node: tree.Among, row: Row) -> Seen:
        value, paths = self.node(node.operand, row)
        if isinstance(value, frozenset):
            inside, outside = bool(value & set(node.values)), bool(value - set(node.values))
        else:
            least, most = value
            hits = {item for item in node.values if isinstance(item, int) and least <= item <= most}
            inside, outside = bool(hits), len(hits) < most - least + 1
        return (TRUE if inside else 0) | (FALSE if outside else 0), paths

    def _settled(self, node: tree.Settled, row: Row) -> Seen:
        if self._hasty and isinstance(node.operand, tree.RuleRef):
            value = self._known(node.operand.rule, row.of(node.operand.entity))
            return (FALSE if isinstance(value, Unknown) else lifted(value)), NOTHING
        return (TRUE if self.node(node.operand, row)[0] == TRUE else FALSE), NOTHING

    def _is_known(self, node: tree.Known, row: Row) -> Seen:
        value, paths = self.node(node.operand, row)
        return (TRUE if is_single(value) else EITHER), paths

    # --- numbers -----------------------------------------------------------------------------------------------

    def ratio(self, node: Node, row: Row) -> tuple[Range, Range, Paths]:
        """A number as numerator and divisor, each a range, the divisor at least 1."""
        if isinstance(node, tree.Share):
            amount, divisor, live = self.ratio(node.amount, row)
            rate, rate_live = self.node(node.rate, row)
            return _times(amount, rate), _times(divisor, (RATE_SCALE, RATE_SCALE)), live | rate_live
        if isinstance(node, tree.Quotient):
            amount, divisor, live = self.ratio(node.amount, row)
            (least, most), parts_live = self.node(node.divisor, row)
            return amount, _times(divisor, (max(least, 1), max(most, 1))), live | parts_live
        value, live = self.node(node, row)
        return value, (1, 1), live

    def _fraction(self, node: tree.Share | tree.Quotient, row: Row) -> Seen:
        amount, divisor, live = self.ratio(node, row)
        return (amount[0] // divisor[1], -(-amount[1] // divisor[0])), live

    def _rounded(self, node: tree.Rounded, row: Row) -> Seen:
        amount, divisor, live = self.ratio(node.operand, row)
        least = round_to(node.mode, amount[0], divisor[1] * node.unit_fen) * node.unit_fen
        return (least, round_to(node.mode, amount[1], divisor[0] * node.unit_fen) * node.unit_fen), live

    def _arithmetic(self, node: tree.Arithmetic, row: Row) -> Seen:
        (left, left_live), (right, right_live) = self.node(node.left, row), self.node(node.right, row)
        if node.operator == "*":
            value = _times(left, right)
        elif node.operator == "+":
            value = (left[0] + right[0], left[1] + right[1])
        else:
            value = (left[0] - right[1], left[1] - right[0])
        return value, left_live | right_live

    def _choice(self, node: tree.Choice, row: Row) -> Seen:
        condition, live = self.node(node.condition, row)
        if condition != EITHER:
            return self.node(node.then if condition == TRUE else node.otherwise, row)
        then, otherwise = self.node(node.then, row), self.node(node.otherwise, row)
        return _joined([then[0], otherwise[0]]), live | then[1] | otherwise[1]

    def _extreme(self, node: tree.Extreme, row: Row) -> Seen:
        return _extreme_of(node.operator, [self.node(operand, row) for operand in node.operands])

    def _span(self, node: tree.Span, row: Row) -> Seen:
        (earlier, earlier_live), (later, later_live) = self.node(node.earlier, row), self.node(node.later, row)
        count = full_years if node.unit == "years" else full_months
        least = count(earlier[1], later[0]) if earlier[1] <= later[0] else 0
        most = count(earlier[0], later[1]) if earlier[0] <= later[1] else 0
        return (least, most), earlier_live | later_live

    # --- gatherings --------------------------------------------------------------------------------------------

    def _aggregate(self, node: tree.Aggregate, row: Row) -> Seen:
        entity = self._book.schema.by_name[node.entity]
        told, untold = self.rows(entity, row)
        if node.operator in ("any", "all"):
            return self._any_or_all(node, [*told, *([untold] if untold else [])])
        if node.operator in ("min", "max"):
            return self._extreme_row(node, [*told, *([untold] if untold else [])])
        seen = [self._contribution(node, each) for each in told]
        if untold is not None:
            seen.append(self._untold(node, untold, entity.max_rows - len(told)))
        value = (sum(value[0] for value, _ in seen), sum(value[1] for value, _ in seen))
        return value, frozenset().union(*(live for _, live in seen))

    def _any_or_all(self, node: tree.Aggregate, rows: list[Row]) -> Seen:
        decisive, neutral = (TRUE, FALSE) if node.operator == "any" else (FALSE, TRUE)
        value, paths = neutral, NOTHING
        for row in rows:
            possible, live = self._condition_of(node, row, decisive, neutral)
            told = not isinstance(row.facts, Unknown)
            if possible == decisive and told:
                return decisive, NOTHING
            if possible != neutral:
                value, paths = EITHER, paths | (live if told else live | {row.facts.path})
        return value, paths

    def _condition_of(self, node: tree.Aggregate, row: Row, decisive: int, neutral: int) -> Seen:
        operand, live = self.node(node.operand, row)
        if node.condition is None or operand == neutral:
            return operand, live
        condition, condition_live = self.node(node.condition, row)
        if condition == FALSE:
            return neutral, NOTHING
        if condition == TRUE:
            return operand, live
        return EITHER, live | condition_live

    def _extreme_row(self, node: tree.Aggregate, rows: list[Row]) -> Seen:
        sure: list[Seen] = []
        doubtful: list[Seen] = []
        for row in rows:
            condition, live = self.node(node.condition, row) if node.condition else (TRUE, NOTHING)
            if condition == FALSE:
                continue
            value, value_live = self.node(node.operand, row)
            told = condition == TRUE and not isinstance(row.facts, Unknown)
            path = {row.facts.path} if isinstance(row.facts, Unknown) else NOTHING
            (sure if told else doubtful).append((value, live | value_live | path))
        if not sure:
            sure.append(((0, 0), NOTHING))
        pick = max if node.operator == "max" else min
        least = pick(value[0] for value, _ in sure)
        most = pick(value[1] for value, _ in sure)
        for value, _ in doubtful:
            least, most = (least, max(most, value[1])) if pick is max else (min(least, value[0]), most)
        return (least, most), frozenset().union(*(paths for _, paths in [*sure, *doubtful]))

    def _contribution(self, node: tree.Aggregate, row: Row) -> Seen:
        condition, condition_live = self.node(node.condition, row) if node.condition else (TRUE, NOTHING)
        if condition == FALSE:
            return (0, 0), NOTHING
        value, live = self.node(node.operand, row)
        if node.operator == "count":
            value = (1 if value == TRUE else 0, 0 if value == FALSE else 1)
        if condition == EITHER:
            value, live = (min(0, value[0]), max(0, value[1])), live | condition_live
        return value, (NOTHING if is_single(value) else live)

    def _untold(self, node: tree.Aggregate, row: Row, most_rows: int) -> Seen:
        value, live = self._contribution(node, row)
        bounds = (min(0, value[0]) * most_rows, max(0, value[1]) * most_rows)
        return bounds, (NOTHING if is_single(bounds) else live | {row.facts.path})


def told_rows(schema: Schema, entity: str, parent: Row) -> list[Row]:
    """The rows of an entity that were told, below a row of its parent."""
    rows = () if isinstance(parent.facts, Unknown) else parent.facts[schema.rows_slot(entity)]
    return [Row(entity, facts, parent, (*parent.indices, index)) for index, facts in enumerate(rows)]


def lifted(value: Any) -> Possible:
    """One value as the set of it alone."""
    if value is True:
        return TRUE
    if value is False:
        return FALSE
    return (value, value) if isinstance(value, int) else frozenset((value,))


def is_single(value: Possible) -> bool:
    """Whether only one value is possible."""
    if isinstance(value, tuple):
        return value[0] == value[1]
    return len(value) == 1 if isinstance(value, frozenset) else value != EITHER


def only_value(value: Possible) -> Any:
    """The one value that is possible. Meaningless when there are several."""
    if isinstance(value, tuple):
        return value[0]
    return next(iter(value)) if isinstance(value, frozenset) else value == TRUE


def _anything(kind: Kind, least: int, most: int) -> Possible:
    if kind == BOOL:
        return EITHER
    return frozenset(kind.codes) if kind.codes else (least, most)


def _negated(value: int) -> int:
    return {FALSE: TRUE, TRUE: FALSE, EITHER: EITHER}[value]


def _joined(values: list[Possible]) -> Possible:
    first = values[0]
    if isinstance(first, tuple):
        return min(value[0] for value in values), max(value[1] for value in values)
    if isinstance(first, frozenset):
        return frozenset().union(*values)
    joined = 0
    for value in values:
        joined |= value
    return joined


def _same_codes(left: frozenset[str], right: frozenset[str]) -> int:
    if not left & right:
        return FALSE
    return TRUE if len(left) == len(right) == 1 else EITHER


def _times(left: Range, right: Range) -> Range:
    products = [a * b for a in left for b in right]
    return min(products), max(products)


def _compared(operator: str, left: Range, right: Range) -> int:
    if operator in (">", ">="):
        return _compared({">": "<", ">=": "<="}[operator], right, left)
    if operator == "<":
        return TRUE if left[1] < right[0] else FALSE if left[0] >= right[1] else EITHER
    if operator == "<=":
        return TRUE if left[1] <= right[0] else FALSE if left[0] > right[1] else EITHER
    disjoint = left[1] < right[0] or right[1] < left[0]
    equal = FALSE if disjoint else TRUE if left[0] == left[1] == right[0] == right[1] else EITHER
    return equal if operator == "==" else _negated(equal)


def _extreme_of(operator: str, seen: list[Seen]) -> Seen:
    pick = max if operator == "max" else min
    least, most = pick(value[0] for value, _ in seen), pick(value[1] for value, _ in seen)
    # What can never be the greatest (the least) leaves nothing open.
    live = [paths for value, paths in seen if (value[1] > least if operator == "max" else value[0] < most)]
    return (least, most), frozenset().union(*live)


_EVALUATORS: dict[type, Callable[[AbstractEvaluator, Any, Row], Seen]] = {
    tree.Const: AbstractEvaluator._const,
    tree.FactRef: AbstractEvaluator._fact,
    tree.RuleRef: AbstractEvaluator._rule,
    tree.ParameterRef: AbstractEvaluator._parameter,
    tree.Held: AbstractEvaluator._is_held,
    tree.AsOf: AbstractEvaluator._date,
    tree.Not: AbstractEvaluator._not,
    tree.Junction: AbstractEvaluator._junction,
    tree.Comparison: AbstractEvaluator._comparison,
    tree.Among: AbstractEvaluator._among,
    tree.Arithmetic: AbstractEvaluator._arithmetic,
    tree.Share: AbstractEvaluator._fraction,
    tree.Quotient: AbstractEvaluator._fraction,
    tree.Rounded: AbstractEvaluator._rounded,
    tree.Choice: AbstractEvaluator._choice,
    tree.Extreme: AbstractEvaluator._extreme,
    tree.Span: AbstractEvaluator._span,
    tree.Aggregate: AbstractEvaluator._aggregate,
    tree.Settled: AbstractEvaluator._settled,
    tree.Known: AbstractEvaluator._is_known,
}
