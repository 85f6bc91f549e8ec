"""Who is exactly at a line is told so: no sentence says that somebody is 0.00 above or below it."""

import pytest

from services.eligibility.gateways.pack_folder import read_packs
from services.shared.vocabulary.region import NATION
from tests.eligibility.proof.sentences import at_the_lines
from tests.eligibility.proof.worlds import DATES

ON = DATES[-1]
PLACES = [
    pack.jurisdiction for pack in read_packs() if any(rule.gap and rule.period.contains(ON) for rule in pack.rules)
]
NO_GAP = "0.00"
NEVER_AT_THE_LINE = {
    "property.financial",
    "property.businesses",
    "rigid.financial",
    "margin.not_below_standard",
    "rigid.spending_test",
}
"""Rules that hold at their line, so that there is always a gap where they do not."""


def test_the_nation_is_looked_at():
    assert NATION in PLACES


@pytest.mark.parametrize("place", PLACES)
def test_a_refusal_at_the_line_says_so_and_never_that_there_is_a_gap_of_nothing(place):
    told = list(at_the_lines(ON, place))
    refused = [(rule, reason) for rule, reason in told if reason.holds is False]
    assert {rule.id for rule, _ in refused} == {rule.id for rule, _ in told}
    for rule, reason in refused:
        for fails, said in ((rule.written.fails.zh, reason.text.zh), (rule.written.fails.en, reason.text.en)):
            without_gap = fails.replace("{gap}", NO_GAP).format(**reason.values)
            assert said != without_gap, rule.id
    at_the_line = {rule.id for rule, reason in refused if reason.values["gap"] == NO_GAP}
    assert at_the_line == {rule.id for rule, _ in refused} - NEVER_AT_THE_LINE
