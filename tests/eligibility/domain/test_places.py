"""The place of a request: which codes are taken, and what is answered for one that was given up."""

import json

import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import render_answer
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import evaluate_household, pack_set_of
from services.shared.vocabulary.invalid_body import InvalidBody
from services.shared.vocabulary.region import NATION, place_of, places_upwards

PACKS = pack_set_of(read_packs())


def body(region, as_of="2026-08-01", **more):
    return json.dumps({"as_of": as_of, "region": region, "household": {"members": [{"id": "m1"}]}, **more}).encode()


def shown(*told, **more):
    return json.loads(render_answer(evaluate_household(PACKS, parse_request(body(*told, **more)))))


def refusals(raw):
    with pytest.raises(InvalidBody) as refused:
        parse_request(raw)
    return {error.pointer: error for error in refused.value.errors}


def test_every_pack_that_ships_is_for_places_of_today():
    for pack in PACKS.packs:
        codes = {pack.jurisdiction, *pack.covers} - {NATION}
        assert [code for code in codes if place_of(code) is None or place_of(code).until] == [], pack.id
        assert [code for code in pack.covers if pack.jurisdiction not in places_upwards(code)] == [], pack.id


@pytest.mark.parametrize("region", ["420000", "420100", "420102", "429004", "441900", "659013", "710000", "810000"])
def test_a_place_of_any_level_is_taken_and_stands_for_itself(region):
    answer = shown(region)
    assert answer["region"] == region
    assert "region_resolved" not in answer


@pytest.mark.parametrize("region", ["420199", "429900", "110100", "429000", "130103"])
def test_what_is_no_place_is_refused_in_both_languages(region):
    """A code of nobody, two groups of places, and one given up before 2015."""
    [(pointer, error)] = refusals(body(region)).items()
    assert (pointer, error.code) == ("/region", "region_unknown")
    assert "上一级" in error.zh and "the place above" in error.en
    assert region not in error.zh + error.en


def test_the_place_of_an_event_is_a_place_too():
    assert {at: error.code for at, error in refusals(body("420100", events=[{"region": "420199"}])).items()} == {
        "/events/0/region": "region_unknown"
    }


def test_a_code_that_was_given_up_is_answered_for_its_successor_and_stays_as_asked():
    answer = shown("500105")
    assert (answer["region"], answer["region_resolved"]) == ("500105", "500157")


@pytest.mark.parametrize(("as_of", "resolved"), [("2025-11-06", None), ("2025-11-07", "500157")])
def test_the_successor_stands_from_its_first_day(as_of, resolved):
    assert shown("500105", as_of).get("region_resolved") == resolved


def test_a_place_that_was_divided_is_refused_and_its_parts_are_named():
    error = refusals(body("500112"))["/region"]
    assert error.code == "region_divided"
    assert "500157 两江新区、500109 北碚区" in error.zh
    assert "500157 两江新区, 500109 北碚区" in error.en
    assert "500112" not in error.zh + error.en


def test_before_it_was_divided_a_place_is_taken():
    assert shown("500112", "2025-11-06")["region"] == "500112"


def test_the_place_of_an_event_may_not_be_a_divided_one():
    assert {at: error.code for at, error in refusals(body("420100", events=[{"region": "500112"}])).items()} == {
        "/events/0/region": "region_divided"
    }


def test_a_divided_place_is_told_with_the_other_errors():
    raw = body("500112").replace(b'"m1"', b'"m1","sex":"x"')
    assert {at: error.code for at, error in refusals(raw).items()} == {
        "/region": "region_divided",
        "/household/members/0/sex": "unknown_code",
    }


@pytest.mark.parametrize("as_of", [None, 1, "x", [], {}])
def test_without_a_date_no_place_is_divided(as_of):
    assert list(refusals(body("500112", as_of))) == ["/as_of"]
