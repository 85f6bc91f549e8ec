"""Which places' policies are prepared as one, and what is remembered of regions."""

from dataclasses import replace
from datetime import date

import pytest

from services.eligibility.use_cases.prepare_population import prepare_population
from services.shared.policy.columns.places import NotInOneKernel
from services.shared.policy.pack import Presumption
from services.shared.policy.text import Text
from tests.eligibility.proof.worlds import shipped

ON = date(2026, 8, 1)
PLACES = ("420100", "330000")
FEW = {"observed": ["child.minor"], "only_observed": True}
"""What is quick to compile."""


@pytest.mark.parametrize("fact", [("household", "vehicles", []), ("supporter", "legal_capacity", False)])
@pytest.mark.parametrize("places", [PLACES, PLACES[::-1]])
def test_places_that_presume_other_things_are_not_computed_together(tmp_path, fact, places):
    entity, key, _ = fact
    with pytest.raises(NotInOneKernel, match=rf"presumed of {entity}\.{key} is not the same"):
        prepare_population(_presuming(*fact), places, ON, tmp_path, **FEW)
    assert prepare_population(_presuming(*fact), places, ON, tmp_path, presume=False, **FEW)


def test_places_that_presume_the_same_in_other_words_are_computed_together(tmp_path):
    policy = prepare_population(_presuming("household", "events", []), PLACES, ON, tmp_path, **FEW)
    assert policy.place_of("330000") == 1


def _presuming(entity, key, value):
    """The packs that ship, of which one province presumes something of its own."""
    [pack] = [pack for pack in shipped().packs if pack.jurisdiction == "330000"]
    return shipped().with_pack(replace(pack, presumptions=(Presumption(entity, key, value, Text("另", "other")),)))


def test_only_codes_of_regions_are_remembered(tmp_path):
    policy = prepare_population(shipped(), PLACES, ON, tmp_path, **FEW)
    before = len(policy.place_of.__self__._of_region)
    assert [policy.place_of(text) for text in ("no region", "", "000000", *PLACES)] == [None, None, None, 0, 1]
    assert len(policy.place_of.__self__._of_region) <= before + len(PLACES)
