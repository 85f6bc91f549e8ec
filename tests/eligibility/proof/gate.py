"""What CI asks of the proof: the score of a date, with those mutants tried on few of which a reason is listed."""

from dataclasses import replace
from datetime import date

from tests.eligibility.proof.population import neighbourhoods
from tests.eligibility.proof.score import Score, score, survivors_of
from tests.eligibility.proof.survivors import listed
from tests.eligibility.proof.worlds import worlds

LEAST_SHARE = 0.95
"""Of all mutants of a date at least this share must be given away, those that no household could tell included."""
OTHER_SEEDS = (1, 2)
"""Searches from other beginnings for what one search missed: any change of a rule or case leads it elsewhere."""


def gate_score(on: date) -> Score:
    """The score of a date as CI counts it: what is listed is tried on few households, what is not by more searches."""
    names = frozenset(listed())
    found = score(worlds(on), neighbourhoods(on), names)
    new = tuple(mutant for mutant in found.survivors if mutant.name not in names)
    for seed in OTHER_SEEDS:
        if new:
            new = survivors_of(new, worlds(on), neighbourhoods(on, seed))
    return replace(found, survivors=(*(mutant for mutant in found.survivors if mutant.name in names), *new))
