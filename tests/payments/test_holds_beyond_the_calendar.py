"""A death alert whose answer day lies in a year without notice: the hold is placed, and the day follows."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.shared.runtime.database import violated_constraint
from tests.running_payments import award_body

RULE = {"id": "M12", "instrument": "关于进一步做好最低生活保障等社会救助兜底保障工作的通知", "article": "七"}
NOTICE_OF_2027 = (
    "insert into payments.calendar_years values (2027, '{2027-01-01}', '{}', 'a notice', 'li', 'wang', now())"
    " returning year"
)


@pytest.fixture(scope="module")
def heard(payments) -> dict:
    """The award and monitoring's answer: five working days from 28 December end in the year to come."""
    payments.put_clock("2026-12-28T09:00:00+08:00")
    body = award_body(people=1, month="2026-12", until="2027-02")
    payments.done("/awards", body, "eligibility")
    alert = {"alert_id": "alert_of_december", "id_number": body["members"][0]["id_number"], "died_on": "2026-12-27"}
    answer = payments.post("/death-alerts", {**alert, "source": "殡仪馆", "rule": RULE}, "monitoring")
    return {"award": body["award_id"], "answer": answer}


def state(payments, heard: dict) -> str:
    return payments.line(heard["award"], month="2026-12")["state"]


def hold(payments, heard: dict) -> dict:
    return payments.get(f"/holds/{heard['answer'].json()['holds'][0]['id']}")


def test_the_hold_is_placed_without_a_guess_of_its_day(payments, heard: dict) -> None:
    answer = heard["answer"]
    assert answer.status_code == 201
    assert (answer.json()["outcome"], answer.json()["holds"][0]["answer_by"]) == ("HELD", None)
    assert state(payments, heard) == "HELD"


def test_it_is_shown_as_not_known_yet(payments, heard: dict) -> None:
    shown = hold(payments, heard)
    assert (shown["state"], shown["answer_by"], shown["is_overdue"]) == ("OPEN", None, False)
    assert "放假" in shown["answer_by_note"]["zh"] and "notice" in shown["answer_by_note"]["en"]
    assert shown["id"] in {listed["id"] for listed in payments.get("/holds")["data"]}


def test_a_person_sees_that_the_year_is_missing(payments, heard: dict) -> None:
    exceptions = [e for e in payments.get("/exceptions")["data"] if e["award_id"] == heard["award"]]
    assert [(e["kind"], e["month"]) for e in exceptions] == [("calendar_year_missing", "2027-01")]


def test_it_does_not_lapse_while_the_year_is_missing(payments, heard: dict) -> None:
    payments.put_clock("2027-01-05T09:00:00+08:00")
    payments.tick()
    assert (state(payments, heard), hold(payments, heard)["answer_by"]) == ("HELD", None)


def test_the_day_is_filled_in_with_the_year_counted_from_the_placing(payments, heard: dict) -> None:
    payments.rows(NOTICE_OF_2027)
    payments.tick()
    shown = hold(payments, heard)
    assert (shown["state"], shown["answer_by"], shown["answer_by_note"]) == ("OPEN", "2027-01-05", None)
    assert state(payments, heard) == "HELD"


def test_a_day_once_known_is_never_changed(payments, heard: dict) -> None:
    with payments.runtime.database.engine.connect() as service, pytest.raises(DBAPIError) as refused:
        service.execute(text("update payments.holds set answer_by = answer_by + 1"))
    assert violated_constraint(refused.value) == "hold_keeps_its_answer_day"


def test_a_hold_without_a_day_cannot_lapse(payments, heard: dict) -> None:
    columns = (
        "insert into payments.holds select 'x', 'x', award, member, region, source, rule, from_month, placed_at, null,"
        " answered_by_office, 'LAPSED' from payments.holds"
    )
    with payments.runtime.database.engine.connect() as service, pytest.raises(DBAPIError) as refused:
        service.execute(text(columns))
    assert violated_constraint(refused.value) == "hold_lapses_after_its_day"


def test_then_it_lapses_like_any_other(payments, heard: dict) -> None:
    payments.put_clock("2027-01-06T00:00:00+08:00")
    payments.tick()
    assert (state(payments, heard), hold(payments, heard)["state"]) == ("CREATED", "LAPSED")
    assert payments.broken_invariants() == {}


def test_an_answer_needs_no_day(payments, heard: dict) -> None:
    """Two persons end a hold whose day is not known."""
    payments.put_clock("2027-12-29T09:00:00+08:00")
    body = award_body(people=1, month="2027-12", until="2028-02")
    payments.done("/awards", body, "eligibility")
    alert = {"alert_id": "alert_of_2027", "id_number": body["members"][0]["id_number"], "died_on": "2027-12-27"}
    answer = payments.post("/death-alerts", {**alert, "source": "殡仪馆", "rule": RULE}, "monitoring")
    hold_id = answer.json()["holds"][0]["id"]
    payments.done(f"/holds/{hold_id}/answer", {"answer": "stop"}, "caseworker")
    payments.done(f"/holds/{hold_id}/confirm", {}, "confirmer")
    assert payments.line(body["award_id"], month="2027-12")["state"] == "CANCELLED"
