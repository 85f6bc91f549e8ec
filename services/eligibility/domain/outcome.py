"""What a programme's own tests say for a row: eligible and how much, not eligible, or not yet to be told."""

from functools import cache

from services.eligibility.domain.answer import Outcome
from services.shared.policy.evaluation import Evaluation, Row
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import Programme


def outcome_of(evaluation: Evaluation, programme: Programme, row: Row) -> tuple[Outcome, int | None]:
    """The outcome by the programme's own tests, and the amount in fen when it is eligible and pays."""
    entitled = evaluation.truth(_eligible(programme.id), row)
    if not entitled:
        return ("undetermined" if entitled is None else "ineligible"), None
    rule = programme.monthly or programme.one_off
    if not rule:
        return "eligible", None
    amount = evaluation.settled(rule, row)
    return ("undetermined", None) if isinstance(amount, Unknown) else ("eligible", amount)


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
