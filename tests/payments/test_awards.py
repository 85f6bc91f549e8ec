"""An award is taken once, from eligibility alone, and owes what it says: no month twice, none lost."""

from collections import Counter
from datetime import date

import pytest

from services.payments.store import awards


@pytest.fixture(scope="module", autouse=True)
def first_of_september(payments):
    payments.put_clock("2023-08-01T09:00:00+08:00")


def test_the_first_payment_is_scheduled_on_arrival(payments, new_award_body) -> None:
    body = new_award_body()
    answer = payments.post("/awards", body, "eligibility")
    assert answer.status_code == 201
    assert answer.json() == {"award_id": body["award_id"], "first_due_on": "2023-09-08"}


def test_the_same_award_again_changes_nothing(payments, new_award_body) -> None:
    body = new_award_body()
    first = payments.post("/awards", body, "eligibility", key="message-1")
    again = payments.post("/awards", body, "eligibility", key="message-1")
    under_another_key = payments.post("/awards", body, "eligibility", key="message-2")
    assert first.json() == again.json() == under_another_key.json()
    assert again.headers["idempotent-replay"] == "true"
    assert len(payments.lines(body["award_id"])) == 1


def test_an_advance_is_due_the_day_it_was_confirmed(payments) -> None:
    award = payments.award(month=None, programme="small_advance", amount="744.00", confirmed_on="2023-08-05", people=1)
    line = payments.line(award)
    assert (line["due_on"], line["month"], line["kind"]) == ("2023-08-05", "2023-08", "one_off")


def test_a_second_emergency_of_one_month_is_paid_too(payments, new_award_body) -> None:
    body = new_award_body(month=None, programme="small_advance", people=1)
    second = {**body, "award_id": f"{body['award_id']}-2"}
    for each in (body, second):
        payments.done("/awards", each, "eligibility")
        assert len(payments.lines(each["award_id"])) == 1


def test_missed_months_are_still_made_and_each_once(payments) -> None:
    award = payments.award(until="2024-02")
    payments.put_clock("2023-12-05T09:00:00+08:00")
    payments.tick()
    payments.tick()
    months = Counter(line["month"] for line in payments.lines(award))
    assert months == {"2023-09": 1, "2023-10": 1, "2023-11": 1, "2023-12": 1}
    payments.put_clock("2024-03-01T09:00:00+08:00")
    payments.tick()
    assert sorted(line["month"] for line in payments.lines(award))[-1] == "2024-01"


def test_two_awards_do_not_pay_one_month_twice(payments, new_award_body) -> None:
    body = new_award_body(month="2024-04", until="2024-05")
    other = {**body, "award_id": f"{body['award_id']}-b"}
    payments.done("/awards", body, "eligibility")
    payments.done("/awards", other, "eligibility")
    assert len(payments.lines(body["award_id"])) == 1
    assert payments.lines(other["award_id"]) == []
    kinds = {(e["kind"], e["award_id"]) for e in payments.get("/exceptions")["data"]}
    assert ("month_owed_by_another_award", other["award_id"]) in kinds


def test_a_year_without_notice_is_not_guessed_and_the_award_not_lost(payments) -> None:
    award = payments.award(month="2027-01", until="2027-03")
    assert payments.lines(award) == []
    exceptions = [e for e in payments.get("/exceptions")["data"] if e["award_id"] == award]
    assert [(e["kind"], e["month"]) for e in exceptions] == [("calendar_year_missing", "2027-01")]
    payments.rows(
        "insert into payments.calendar_years values (2027, '{2027-01-01}', '{}', 'a notice', 'li', 'wang', now())"
        " returning year"
    )
    payments.put_clock("2027-01-04T09:00:00+08:00")
    payments.tick()
    assert payments.line(award)["due_on"] == "2027-01-08"


def test_awards_that_wait_for_a_year_keep_no_other_waiting(payments, monkeypatch) -> None:
    monkeypatch.setattr(awards, "SCHEDULE_LIMIT", 2)
    stuck = [payments.award(month="2027-12", until="2028-03") for _ in range(5)]
    needs_no_calendar = payments.award(month="2027-12", until="2028-03", programme="small_advance")
    payments.put_clock("2028-01-05T09:00:00+08:00")
    payments.tick()
    waiting = [e["award_id"] for e in payments.get("/exceptions")["data"] if e["month"] == "2028-01"]
    assert sorted(waiting) == stuck
    assert [line["month"] for line in payments.lines(needs_no_calendar)] == ["2027-12", "2028-01"]
    payments.rows(
        "insert into payments.calendar_years values (2028, '{2028-01-03}', '{}', 'a notice', 'li', 'wang', now())"
        " returning year"
    )
    payments.tick()
    assert {tuple(line["month"] for line in payments.lines(award)) for award in stuck} == {("2027-12", "2028-01")}


def test_what_waits_for_a_year_is_not_looked_at_again_before_it_comes(payments) -> None:
    award = payments.award(month="2029-01", until="2029-03")
    payments.put_clock("2029-01-05T09:00:00+08:00")
    payments.tick()
    first, transact = date(2029, 1, 1), payments.runtime.database.transact
    without, loaded = (transact(awards.lock_due_schedules, first, years) for years in ({2028}, {2028, 2029}))
    assert (without, loaded) == ([], [(award, first)])


@pytest.mark.parametrize("sender", ["monitoring", "maker", "caseworker"])
def test_nobody_else_sends_awards(payments, new_award_body, sender: str) -> None:
    assert payments.post("/awards", new_award_body(), sender).status_code == 403


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"amount": 1020.0}, {"/amount"}),
        ({"amount": "1020"}, {"/amount"}),
        ({"amount": "-1.00"}, {"/amount"}),
        ({"amount": "1e3"}, {"/amount"}),
        ({"region": "42010"}, {"/region"}),
        ({"from": "2023-13"}, {"/from"}),
        ({"surprise": 1}, {"/surprise"}),
        ({"members": []}, {"/members"}),
        ({"kind": "weekly", "amount": "x"}, {"/kind", "/amount"}),
    ],
)
def test_every_error_of_a_body_is_told_at_once(payments, new_award_body, changes, pointers) -> None:
    answer = payments.post("/awards", new_award_body(**changes), "eligibility")
    assert answer.status_code == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == pointers
    assert all(error["text"]["zh"] and error["text"]["en"] for error in answer.json()["errors"])


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"amount": "0.00"}, 422, "award_contradicts_itself"),
        ({"programme": "price_subsidy"}, 422, "programme_not_paid_here"),
        ({"month": None, "kind": "monthly"}, 400, "invalid_body"),
        ({"month": "2023-09", "kind": "one_off"}, 400, "invalid_body"),
        ({"subject": "m1"}, 400, "invalid_body"),
        ({"until": "2023-09"}, 422, "award_contradicts_itself"),
    ],
)
def test_an_award_that_contradicts_itself_is_refused(payments, new_award_body, changes, status, code) -> None:
    body = new_award_body(**changes)
    answer = payments.post("/awards", body, "eligibility")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert payments.lines(body["award_id"]) == []


def test_what_was_sent_is_not_echoed(payments, new_award_body) -> None:
    body = new_award_body()
    number = body["payee"]["id_number"][:-1] + ("0" if body["payee"]["id_number"][-1] != "0" else "1")
    body["payee"] = {**body["payee"], "id_number": number, "card_number": "62220210011122233"}
    answer = payments.post("/awards", body, "eligibility")
    assert answer.status_code == 400
    assert number not in answer.text and "演示" not in answer.text and "6222" not in answer.text


def test_the_invariants_hold(payments) -> None:
    assert payments.broken_invariants() == {}
