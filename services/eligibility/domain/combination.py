"""Which of the aid that a household could have it should apply for, where taking one thing costs another."""

import itertools
from collections.abc import Callable, Iterator, Sequence

from services.eligibility.domain.answer import Combination, Result
from services.shared.policy.pack import Exclusion

MAX_CHOICES = 4
"""Programmes of which each is tried with and without: sixteen evaluations at most."""

Asking = Callable[[tuple[str, ...]], Sequence[Result]]
"""The results where only these programmes are asked for."""


def best_combination(
    results: Sequence[Result], asked: Sequence[str], exclusions: Sequence[Exclusion], asking: Asking
) -> Combination:
    """The programmes that pay the household most a month in all, and what to leave unasked for it.

    What is not asked for excludes nothing, so each winner of an exclusion is tried left out, alone and with others;
    not those that the law imposes (`binding`). Of equal sums the one that leaves out least is taken.
    """
    best = _combined(results, ())
    for left_out in _choices(results, exclusions):
        tried = _combined(asking(tuple(code for code in asked if code not in left_out)), left_out)
        if tried.monthly_fen > best.monthly_fen:
            best = tried
    return best


def _choices(results: Sequence[Result], exclusions: Sequence[Exclusion]) -> Iterator[tuple[str, ...]]:
    # Where nothing was given up for a winner, leaving it unasked brings nothing back.
    granted = {result.programme for result in results if result.chosen_over and result.outcome == "eligible"}
    if not granted:
        return
    imposed = {exclusion.winner for exclusion in exclusions if exclusion.is_binding}
    winners = {exclusion.winner for exclusion in exclusions} - imposed
    tried = sorted(winners & granted)[:MAX_CHOICES]
    for size in range(1, len(tried) + 1):
        yield from itertools.combinations(tried, size)


def _combined(results: Sequence[Result], left_out: tuple[str, ...]) -> Combination:
    # A top-up beside which as much is paid is nothing to draw.
    granted = tuple(result for result in results if result.outcome == "eligible" and result.together_fen != 0)
    return Combination(
        results=granted,
        monthly_fen=sum(result.paid_fen for result in granted),
        left_out=left_out,
        is_settled=all(result.outcome != "undetermined" for result in results),
    )
