"""Which households are compared, and which are timed: the same for every engine, in every process."""

from collections.abc import Iterator

from benchmarks.comparison.household import Household, random_households, threshold_households

SEED = 20_261_125
COMPARED, SMOKE_COMPARED = 2_000, 400
"""So many at thresholds, and as many random ones."""
TIMED = 64
TIMED_ON = "2026-09-15"


def compared(count: int = COMPARED) -> Iterator[Household]:
    """Households at every threshold and random ones, on every day that matters."""
    yield from threshold_households(SEED, count)
    yield from random_households(SEED, count)


def timed() -> tuple[Household, ...]:
    """Random households of one day, in as many places as it happens; they have three members in the middle."""
    return tuple(random_households(SEED, TIMED, TIMED_ON))
