"""Redeterminations: a standard raised after the fact, month by month, each with the packs that say so."""

import pytest

from services.eligibility.use_cases.published_policy import PublishedPolicy
from tests.eligibility.api.test_determinations import publish

BEFORE_THE_RISE = "2023-03-20"
"""Wuhan's standard rose on 2023-04-01, which was announced in June and paid back: 910.00 to 940.00 a head."""


def anew(eligibility, determination, first="2023-04", until="2023-07", role="caseworker", **options):
    body = {"determination_id": determination["id"], "from": first, "until": until}
    return eligibility.post("/redeterminations", body, role, **options)


@pytest.fixture
def granted_before(eligibility):
    found = eligibility.determined(eligibility.household(as_of=BEFORE_THE_RISE))
    assert (found["totals"]["monthly"], found["results"][0]["from"]) == ("930.00", "2023-04")
    return found


def test_each_month_shows_what_was_granted_what_is_due_and_the_difference(eligibility, granted_before):
    answer = anew(eligibility, granted_before)
    assert answer.status_code == 201, answer.text
    months = answer.json()["months"]
    assert [month["month"] for month in months] == ["2023-04", "2023-05", "2023-06"]
    line = {"programme": "dibao", "subject": "household", "before": "930.00", "after": "1020.00"}
    assert [month["lines"] for month in months] == [[{**line, "difference": "90.00", "missing": []}]] * 3
    assert (answer.json()["still_due"], answer.json()["granted_too_much"]) == ("270.00", "0.00")
    assert answer.json()["needs_hearing"] is False


def test_months_before_the_rise_differ_in_nothing(eligibility):
    found = eligibility.determined(eligibility.household(as_of="2023-01-20"))
    months = anew(eligibility, found, "2023-02", "2023-05").json()["months"]
    assert [month["lines"][0]["difference"] for month in months] == ["0.00", "0.00", "90.00"]


def test_each_line_rests_on_the_packs_that_are_in_force_now(eligibility):
    kept = eligibility.app.state.published_policy
    granted = eligibility.determined()
    newer = publish(eligibility, granted["packs"][-1], "940.00", "950.00")
    eligibility.app.state.published_policy = PublishedPolicy(eligibility.runtime.database)
    try:
        answer = anew(eligibility, granted, "2023-09", "2023-11").json()
    finally:
        where = "delete from eligibility.policy_packs where version = :version"
        eligibility._past_the_guards("eligibility.policy_packs", where, newer)
        eligibility.app.state.published_policy = kept
    assert answer["packs_before"] == granted["packs"]
    assert [month["packs"][-1] for month in answer["months"]] == [newer, newer]
    assert answer["still_due"] == "60.00"


def test_a_fall_is_shown_and_not_set_against_what_is_due(eligibility):
    kept = eligibility.app.state.published_policy
    granted = eligibility.determined()
    newer = publish(eligibility, granted["packs"][-1], "940.00", "930.00")
    eligibility.app.state.published_policy = PublishedPolicy(eligibility.runtime.database)
    try:
        answer = anew(eligibility, granted, "2023-09", "2023-10").json()
    finally:
        where = "delete from eligibility.policy_packs where version = :version"
        eligibility._past_the_guards("eligibility.policy_packs", where, newer)
        eligibility.app.state.published_policy = kept
    assert answer["months"][0]["lines"][0]["difference"] == "-30.00"
    assert (answer["still_due"], answer["granted_too_much"], answer["needs_hearing"]) == ("0.00", "30.00", True)


def test_a_month_without_a_figure_is_open_and_counts_for_nothing(eligibility, granted_before):
    answer = anew(eligibility, granted_before, "2024-03", "2024-05").json()
    lines = [month["lines"][0] for month in answer["months"]]
    assert [line["after"] for line in lines] == ["1020.00", None]
    assert lines[1]["missing"] == ["dibao_standard"] and lines[1]["difference"] is None
    assert answer["still_due"] == "90.00"


def test_it_is_kept_byte_for_byte_with_its_event(eligibility, granted_before):
    answer = anew(eligibility, granted_before)
    kept = eligibility.get(f"/redeterminations/{answer.json()['id']}")
    assert kept.content == answer.content
    events = eligibility.rows(
        "select action from eligibility.audit_events where entity_id = :id", id=answer.json()["id"]
    )
    assert [event.action for event in events] == ["redetermine"]


def test_the_same_key_records_once(eligibility, granted_before):
    first, second = (anew(eligibility, granted_before, key="once") for _ in range(2))
    assert first.content == second.content and second.headers["idempotent-replay"] == "true"


@pytest.mark.parametrize(
    ("first", "until", "status"),
    [
        ("2023-04", "2023-05", 201),
        ("2023-03", "2023-05", 422),
        ("2023-05", "2023-05", 422),
        ("2023-04", "2026-04", 201),
        ("2023-04", "2026-05", 422),
        ("2098-01", "2098-02", 422),
    ],
)
def test_months_lie_between_the_first_granted_and_the_present_one(eligibility, granted_before, first, until, status):
    answer = anew(eligibility, granted_before, first, until)
    assert answer.status_code == status, answer.text
    assert status == 201 or answer.json()["code"] == "redetermination_months_wrong"


def test_where_nothing_was_granted_monthly_there_is_nothing_to_make_up_for(eligibility):
    rich = eligibility.household()
    rich["household"]["members"][0]["income"] = [{"kind": "wage", "monthly": "9000.00"}]
    answer = anew(eligibility, eligibility.determined(rich), "2023-09", "2023-10")
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_granted")


def test_another_places_caseworker_does_not_learn_of_it(eligibility, granted_before):
    assert anew(eligibility, granted_before, regions=("110000",)).status_code == 404
    made = anew(eligibility, granted_before).json()["id"]
    assert eligibility.get(f"/redeterminations/{made}", regions=("110000",)).status_code == 404
    assert eligibility.get("/redeterminations/redetermination_01h455vb4pex5vsknk084sn02q").status_code == 404
