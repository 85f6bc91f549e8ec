"""What a programme's own tests say for a row: eligible and how much, not eligible, or not yet to be told."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from services.eligibility.domain.answer import Outcome
from services.shared.policy.evaluation import Evaluation, Row
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import Programme

Found = tuple[Outcome, int | None]
"""An outcome, and the amount in fen where it is eligible and pays."""


def outcome_of(evaluation: Evaluation, programme: Programme, row: Row) -> Found:
    """The outcome by the programme's own tests, and the amount in fen when it is eligible and pays."""
    rule = _eligible(programme.id)
    entitled = evaluation.value(rule, row)
    if entitled is not True and entitled is not False:
        entitled = evaluation.truth(rule, row)
    if not entitled:
        return _OPEN if entitled is None else _REFUSED
    rule = programme.monthly or programme.one_off
    if not rule:
        return "eligible", None
    amount = evaluation.settled(rule, row)
    return _OPEN if isinstance(amount, Unknown) else ("eligible", amount)


_OPEN: Found = "undetermined", None
_REFUSED: Found = "ineligible", None


def entitled(evaluation: Evaluation, programme: Programme) -> Sequence[Any]:
    """Whether each row's conditions hold, by what the program computed: True, False, or OPEN as far as that goes."""
    *above, own = evaluation.policy.program.places[_eligible(programme.id)]
    if not above:
        return (evaluation.frame[own],)
    [slot] = above
    return [values[own] for values in evaluation.frame[slot]]


@cache
def _eligible(programme: str) -> str:
    return f"{programme}.eligible"


def open_paths(evaluation: Evaluation, programme: Programme, row: Row) -> tuple[str, ...]:
    """The open facts and figures that outcome and amount hang on, as far as ranges of values tell.

    They come in the order in which to ask: what the first condition needs, then the second, then the amount.
    """
    live = frozenset[str]().union(*(evaluation.seen(rule, row)[1] for rule in programme.rules))
    steps = [*programme.conditions, *programme.rules]
    asked = dict.fromkeys(path for rule in steps for path in sorted(evaluation.seen(rule, row)[1]))
    return tuple(path for path in asked if path in live)
