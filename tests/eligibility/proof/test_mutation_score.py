"""The gate: nearly every small mistake in the nation's rules changes some household's answer; the others are listed."""

from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.eligibility.proof.gate import LEAST_SHARE, gate_score
from tests.eligibility.proof.mutants import all_mutants
from tests.eligibility.proof.survivors import listed
from tests.eligibility.proof.worlds import DATES, worlds

PROCESSES = 2


@pytest.fixture(scope="module")
def scores():
    with ProcessPoolExecutor(PROCESSES) as pool:
        return dict(zip(DATES, pool.map(gate_score, DATES), strict=True))


@pytest.mark.parametrize("on", DATES, ids=str)
def test_small_mistakes_in_the_rules_are_given_away(scores, on):
    found = scores[on]
    assert found.share >= LEAST_SHARE, [mutant.name for mutant in found.survivors]


@pytest.mark.parametrize("on", DATES, ids=str)
def test_each_survivor_is_listed_with_its_reason(scores, on):
    assert [mutant.name for mutant in scores[on].survivors if mutant.name not in listed()] == []


def test_the_list_names_mutants_that_there_are_and_gives_each_a_reason():
    there_are = {mutant.name for on in DATES for group in all_mutants(worlds(on).book).values() for mutant in group}
    assert listed().keys() - there_are == set()
    assert all(listed().values())
