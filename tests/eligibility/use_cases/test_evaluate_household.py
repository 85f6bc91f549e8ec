"""An answer ready to be sent: it is refused when its reasons fill a book, and before they are all made."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from benchmarks.comparison.engine import comparison_packs, parsed
from benchmarks.comparison.sample import timed
from services.cli import main_job
from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.determination import NotAtOnce
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases import evaluate_household
from services.eligibility.use_cases.evaluate_household import AnswerTooLarge, pack_set_of, rendered_answer
from services.shared.policy import evaluation, explanation

FAMILY = Path(main_job.__file__).parent / "requests" / "wuhan_family.json"


@pytest.fixture(scope="module")
def packs():
    return pack_set_of(read_packs())


@pytest.fixture(scope="module")
def family():
    return parse_request(FAMILY.read_bytes())


def test_an_answer_is_sent_up_to_the_bound_and_refused_above_it(packs, family, monkeypatch):
    size = len(rendered_answer(packs, family).body)
    monkeypatch.setattr(evaluate_household, "MAX_ANSWER_BYTES", size)
    assert len(rendered_answer(packs, family).body) == size
    monkeypatch.setattr(evaluate_household, "MAX_ANSWER_BYTES", size - 1)
    with pytest.raises(AnswerTooLarge):
        rendered_answer(packs, family)


def test_reasons_that_are_made_without_end_are_refused_while_they_are_made(packs, family, monkeypatch):
    monkeypatch.setattr(explanation, "MAX_CHARACTERS", 1_000)
    with pytest.raises(AnswerTooLarge):
        rendered_answer(packs, family)


@pytest.fixture(scope="module")
def known():
    """A request in which nothing is open, with an event, and packs that answer it."""
    return comparison_packs(), parsed(next(household for household in timed() if household.emergency == "fire"))


def test_an_event_is_answered_at_once_where_every_place_is_prepared(known):
    packs, request = known
    with pytest.raises(NotAtOnce):
        rendered_answer(packs, request, at_once=True)
    whole = rendered_answer(packs, request)
    assert rendered_answer(packs, request, at_once=True) == whole

    elsewhere = replace(request, events=({**request.events[0], "region": "431300"},))
    with pytest.raises(NotAtOnce):
        rendered_answer(packs, elsewhere, at_once=True)
    whole = rendered_answer(packs, elsewhere)
    assert rendered_answer(packs, elsewhere, at_once=True) == whole


def test_many_events_are_not_answered_at_once(known):
    packs, request = known
    rendered_answer(packs, request)
    most = replace(request, events=request.events * evaluate_household.MAX_EVENTS_AT_ONCE)
    rendered_answer(packs, most, at_once=True)
    with pytest.raises(NotAtOnce):
        rendered_answer(packs, replace(most, events=(*most.events, *request.events)), at_once=True)


def test_no_more_prepared_places_and_days_are_kept_than_the_bound(known, monkeypatch):
    monkeypatch.setattr(evaluation, "MAX_PREPARED", 3)
    packs, request = known[0].with_pack(known[0].packs[0]), known[1]
    days = [date(2026, 9, day) for day in range(1, 8)]
    policies = [packs.prepare(request.region, day) for day in days]
    assert [policy.book.on for policy in policies] == days
    assert packs.prepare(request.region, days[-1]) is policies[-1]
    assert packs.prepare(request.region, days[0]).book.on == days[0]
    assert len(packs._found) <= 3 and len(packs._prepared) <= 3
