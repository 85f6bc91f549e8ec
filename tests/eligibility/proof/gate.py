"""What CI asks of the proof: the score of a date, with those mutants tried on few of which a reason is listed."""

from datetime import date

from tests.eligibility.proof.population import households
from tests.eligibility.proof.score import Score, score
from tests.eligibility.proof.survivors import listed
from tests.eligibility.proof.worlds import worlds

LEAST_SHARE = 0.95
"""Of the mutants of a date that differ from their rule at all, at least this share must be given away."""


def gate_score(on: date) -> Score:
    """The score of a date as CI counts it: what is listed counts as surviving unless a household near it tells."""
    return score(worlds(on), households(on), frozenset(listed()))
