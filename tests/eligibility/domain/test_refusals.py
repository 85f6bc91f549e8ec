"""Refusals are put together once for each name, kept within a bound, and say the same however often they are made."""

from dataclasses import replace
from datetime import date

import pytest

from services.eligibility.domain import answer
from services.eligibility.domain.answer import Refusals
from services.eligibility.domain.facts import SCHEMA
from services.eligibility.gateways.pack_folder import read_packs
from services.shared.policy.rulebook import rulebook_of


@pytest.fixture(scope="module")
def tekun():
    return rulebook_of(SCHEMA, [pack for pack in read_packs() if pack.id == "cn"], date(2026, 3, 1)).programmes["tekun"]


def refused(refusals, programme, subject, decision_level="county", region=None):
    return refusals.refusal(programme, subject, decision_level, region, lambda: ("1",))


def test_a_refusal_is_of_its_subject_level_and_place_alone(tekun):
    refusals = Refusals()
    for subject, level, region in (("m1", "county", None), ("m2", "county", None), ("m1", None, "430100")):
        for _ in range(2):
            made = refused(refusals, tekun, subject, level, region)
            assert (made.subject, made.decision_level, made.region) == (subject, level, region)
            assert made.explain() == ("1",)
    assert refused(refusals, tekun, "m1") == refused(Refusals(), tekun, "m1")


def test_no_more_refusals_are_kept_than_the_bound(tekun, monkeypatch):
    monkeypatch.setattr(answer, "MAX_REFUSALS", 3)
    refusals = Refusals()
    for number in range(7):
        refused(refusals, tekun, f"m{number}")
        assert len(refusals._made) <= 3


def test_a_refusal_that_is_changed_is_told_as_changed(tekun):
    made = refused(Refusals(), tekun, "m1").changed(excluded_by="orphan_allowance", forgone_fen=100)
    whole = replace(made, around=None)
    assert answer._results([made]) == answer._results([whole])
    assert "orphan_allowance" in "".join(answer._results([made]))
