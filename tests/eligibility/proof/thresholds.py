"""A household at the thresholds of its rules: one fact at a time on both sides of every value that matters."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from services.shared.policy.open_value import OpenValueUsed
from services.shared.policy.schema import BOOL, DATE, MONEY, Fact
from tests.eligibility.proof.rows import Place, Row, value_at, with_value

MOST_FEN = 2 * 10**10
"""Two hundred million yuan: above every threshold, those that only keep numbers small included."""
OLDEST_YEARS, LAST_YEARS = 110, 20
YEAR = 10_000
FEW = 12
"""A range of so few numbers is looked at whole."""


def around_thresholds(row: Row, place: Place, as_of: int, signature: Callable[[Row], Any]) -> Iterator[Row]:
    """The household with the fact on each side of every value at which the signature changes; nothing if it never does.

    Of few values each is looked at. Of many, a change and its reversal between two values looked at are not seen.
    """
    values = _few(place.fact)
    if values:
        rows = [with_value(row, place, value) for value in values]
        signatures = [signature(each) for each in rows]
        if not all(_same(signatures[0], other) for other in signatures[1:]):
            yield from rows
        return
    yield from _halved(row, place, as_of, signature)


def _few(fact: Fact) -> Sequence[Any]:
    if fact.kind == BOOL:
        return (False, True)
    return fact.kind.codes or (range(fact.least, fact.most + 1) if fact.most - fact.least < FEW else ())


def _halved(row: Row, place: Place, as_of: int, signature: Callable[[Row], Any]) -> Iterator[Row]:
    low, high = _range(place.fact, as_of)
    points = [low, min(max(value_at(row, place), low), high), high]
    seen = [(point, signature(with_value(row, place, point))) for point in points]
    pending = list(itertools.pairwise(seen))
    while pending:
        (low, at_low), (high, at_high) = pending.pop()
        if _same(at_low, at_high) or high == low:
            continue
        if high - low == 1:
            yield with_value(row, place, low)
            yield with_value(row, place, high)
            continue
        middle = (low + high) // 2
        at_middle = signature(with_value(row, place, middle))
        pending += [((low, at_low), (middle, at_middle)), ((middle, at_middle), (high, at_high))]


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except OpenValueUsed:
        # One is open where the other is not.
        return False


def _range(fact: Fact, as_of: int) -> tuple[int, int]:
    if fact.kind == DATE:
        return as_of - OLDEST_YEARS * YEAR, as_of + LAST_YEARS * YEAR
    return fact.least, min(fact.most, MOST_FEN) if fact.kind == MONEY else fact.most
