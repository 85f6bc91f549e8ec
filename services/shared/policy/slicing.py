"""Which rules beneath a rule made it what it is: the false parts of a false conjunction, the branch that was taken."""

from collections.abc import Callable

from services.shared.policy import tree
from services.shared.policy.abstract import Possible, Row
from services.shared.policy.evaluation import Evaluation
from services.shared.policy.rulebook import Rule, Rulebook
from services.shared.policy.tree import Node
from services.shared.policy.truth import FALSE, TRUE

Beneath = list[tuple[Rule, Row]]
"""Rules with a sentence, each with the row it is said of, in the order they are written."""

Slice = Callable[[Evaluation, Row, Possible, Beneath], None]
"""Adds what is beneath a node to a list; takes what the node can be where that is known already, else None."""


def slice_of(book: Rulebook, rule: Rule) -> Slice | None:
    """The slice of a rule's expression, made once for a book; None when nothing beneath it has a sentence."""
    found: Slice | None = book.remembered(f"slice {rule.id}", lambda: _slice(book, rule.node))
    return found


def _slice(book: Rulebook, node: Node) -> Slice | None:
    if isinstance(node, tree.RuleRef):
        return _of_rule(book, book.rules[node.rule])
    if isinstance(node, tree.Junction):
        return _of_junction(book, node)
    if isinstance(node, tree.Choice):
        return _of_choice(book, node)
    if isinstance(node, tree.Aggregate):
        return _of_aggregate(book, node)
    parts = [part for part in (_slice(book, child) for child in tree.children_of(node)) if part is not None]
    if not parts:
        return None
    return _of_settled(node, parts[0]) if isinstance(node, tree.Settled) else _of_all(parts)


def _of_rule(book: Rulebook, rule: Rule) -> Slice | None:
    if rule.has_sentence:
        return lambda seen, row, _, found: _say(rule, seen, row, found)
    inner = slice_of(book, rule)
    if inner is None:
        return None

    def through(seen: Evaluation, row: Row, _: Possible, found: Beneath) -> None:
        own = row.of(rule.entity)
        inner(seen, own, seen.seen(rule.id, own)[0], found)

    return through


def _say(rule: Rule, seen: Evaluation, row: Row, found: Beneath) -> None:
    own = row.of(rule.entity)
    if rule.sentence(seen.seen(rule.id, own)[0]) is None:
        return
    if rule.shown_when is None or seen.node_seen(rule.shown_when, own)[0] != FALSE:
        found.append((rule, own))


def _of_all(parts: list[Slice]) -> Slice:
    def every(seen: Evaluation, row: Row, _: Possible, found: Beneath) -> None:
        for part in parts:
            part(seen, row, None, found)

    return every


def _of_settled(node: tree.Settled, part: Slice) -> Slice:
    def when_true(seen: Evaluation, row: Row, _: Possible, found: Beneath) -> None:
        if seen.node_seen(node.operand, row)[0] == TRUE:
            part(seen, row, TRUE, found)

    return when_true


def _of_junction(book: Rulebook, node: tree.Junction) -> Slice | None:
    sliced = [(operand, _slice(book, operand)) for operand in node.operands]
    parts = [(operand, part) for operand, part in sliced if part is not None]
    if not parts:
        return None

    def decisive(seen: Evaluation, row: Row, whole: Possible, found: Beneath) -> None:
        # A conjunction is false because of its false parts alone; a true one rests on all of them.
        if whole is None:
            whole = seen.node_seen(node, row)[0]
        for operand, part in parts:
            if seen.node_seen(operand, row)[0] == whole:
                part(seen, row, whole, found)

    return decisive


def _of_choice(book: Rulebook, node: tree.Choice) -> Slice | None:
    condition, then, otherwise = (_slice(book, part) for part in (node.condition, node.then, node.otherwise))
    if condition is None and then is None and otherwise is None:
        return None
    is_exception = isinstance(node.condition, tree.RuleRef) and node.condition.rule in book.exceptions

    def taken(seen: Evaluation, row: Row, whole: Possible, found: Beneath) -> None:
        possible = seen.node_seen(node.condition, row)[0]
        # An exception that does not apply is not worth a line.
        if condition is not None and (possible != FALSE or not is_exception):
            condition(seen, row, possible, found)
        if then is not None and possible != FALSE:
            then(seen, row, whole if possible == TRUE else None, found)
        if otherwise is not None and possible != TRUE:
            otherwise(seen, row, whole if possible == FALSE else None, found)

    return taken


def _of_aggregate(book: Rulebook, node: tree.Aggregate) -> Slice | None:
    operand = _slice(book, node.operand)
    condition = None if node.condition is None else _slice(book, node.condition)
    if operand is None and condition is None:
        return None

    def row_by_row(seen: Evaluation, row: Row, _: Possible, found: Beneath) -> None:
        for below in seen.rows(node.entity, row):
            taken = TRUE if node.condition is None else seen.node_seen(node.condition, below)[0]
            if condition is not None and taken != TRUE:
                condition(seen, below, taken, found)
            if operand is not None and taken != FALSE:
                operand(seen, below, None, found)

    return row_by_row
