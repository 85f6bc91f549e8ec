"""After a death record only what must wait waits, for a bounded time, and two persons decide."""

import dataclasses
import threading
import time
from datetime import date, datetime

import pytest

from services.payments.gateways.policy_pack import read_payment_pack
from services.payments.store.awards import count_stopped
from services.payments.store.disbursements import lock_disbursement
from services.payments.use_cases.advance_lines import Who
from services.payments.use_cases.place_hold import MONITORING, DeathAlert, place_hold
from services.payments.use_cases.replace_line import Part, replace_line
from services.payments.use_cases.schedule_lines import schedule_lines

RULE = {"id": "M12", "instrument": "关于进一步做好最低生活保障等社会救助兜底保障工作的通知", "article": "七"}
MONTH, UNTIL = "2025-09", "2025-11"


@pytest.fixture(scope="module", autouse=True)
def clock(payments):
    payments.put_clock("2025-08-20T09:00:00+08:00")


def alert(payments, body, member: int = 0, died_on: str = "2025-08-19", **changes):
    """A death alert as monitoring sends it."""
    number = body["members"][member]["id_number"]
    heard = {"alert_id": f"alert_{body['award_id']}_{member}", "id_number": number, "died_on": died_on}
    return payments.post("/death-alerts", {**heard, "source": "殡仪馆", "rule": RULE, **changes}, "monitoring")


@pytest.fixture
def alone(payments, new_award_body):
    """The award of a man who lives alone."""
    body = new_award_body(
        people=1, amount="1155.00", programme="tekun", region="530113", subject="m1", month=MONTH, until=UNTIL
    )
    payments.done("/awards", body, "eligibility")
    return body


@pytest.fixture
def family(payments, new_award_body):
    """The award of a family of three."""
    body = new_award_body(people=3, month=MONTH, until=UNTIL)
    payments.done("/awards", body, "eligibility")
    return body


def live(payments, body) -> list[tuple[str, str]]:
    lines = payments.lines(body["award_id"], month=MONTH)
    return sorted((line["amount"], line["state"]) for line in lines if line["state"] != "CANCELLED")


def test_who_lived_alone_has_the_next_payment_held_whole(payments, alone) -> None:
    answer = alert(payments, alone)
    assert answer.status_code == 201
    [placed] = answer.json()["holds"]
    assert answer.json()["outcome"] == "HELD" and placed["answer_by"] == "2025-08-27"
    assert live(payments, alone) == [("1155.00", "HELD")]
    hold = payments.get(f"/holds/{placed['id']}")
    assert (hold["state"], hold["must_be_answered_by"]) == ("OPEN", "county_civil_affairs:530113")
    assert (hold["month"], hold["amount"], hold["is_overdue"]) == (MONTH, "1155.00", False)
    assert placed["id"] in {listed["id"] for listed in payments.get("/holds")["data"]}


def test_in_a_family_only_the_dead_persons_share_waits(payments, family) -> None:
    alert(payments, family, member=2)
    assert live(payments, family) == [("340.00", "HELD"), ("680.00", "CREATED")]
    [rest] = [line for line in payments.lines(family["award_id"]) if line["state"] == "CREATED"]
    batch = payments.batch(month=MONTH)
    assert rest["id"] in {line["id"] for line in payments.get(f"/batches/{batch['id']}/lines")["data"]}
    payments.done(f"/batches/{batch['id']}/cancel", {}, "maker")


def test_the_same_alert_holds_once(payments, alone) -> None:
    assert alert(payments, alone).json() == alert(payments, alone).json()
    other = alert(payments, alone, alert_id="alert_of_another_source")
    assert other.json() == alert(payments, alone).json()
    assert live(payments, alone) == [("1155.00", "HELD")]


def test_an_approved_line_keeps_its_approval_for_the_rest_of_the_family(payments, family) -> None:
    batch = payments.batch(month=MONTH)
    batch_id = payments.release(batch)
    alert(payments, family, member=1)
    assert live(payments, family) == [("340.00", "HELD"), ("680.00", "QUEUED")]
    assert payments.pay(batch_id)
    assert live(payments, family) == [("340.00", "HELD"), ("680.00", "ACCEPTED")]
    assert payments.broken_invariants() == {}


def test_what_has_left_is_not_held_but_the_next_month_is(payments, family) -> None:
    batch_id = payments.release(payments.batch(month=MONTH))
    payments.pay(batch_id)
    answer = alert(payments, family)
    assert answer.json()["outcome"] == "HELD"
    hold = payments.get(f"/holds/{answer.json()['holds'][0]['id']}")
    assert hold["disbursement_id"] is None
    assert live(payments, family) == [("1020.00", "ACCEPTED")]


def test_months_before_the_death_are_owed(payments, alone) -> None:
    assert alert(payments, alone, died_on="2025-10-01").json()["outcome"] == "HELD"
    assert live(payments, alone) == [("1155.00", "CREATED")]


def test_a_stranger_is_on_no_roll(payments, alone, demo_id_number) -> None:
    answer = alert(payments, alone, id_number=demo_id_number(999, "19310101"), alert_id="alert_stranger")
    assert answer.json() == {"outcome": "NOT_ON_ROLL", "holds": []}


def hold_of(payments, body, **changes) -> str:
    return alert(payments, body, **changes).json()["holds"][0]["id"]


def test_two_persons_end_it_and_it_stays_ended(payments, family) -> None:
    hold_id = hold_of(payments, family, member=2)
    payments.done(f"/holds/{hold_id}/answer", {"answer": "stop"}, "caseworker")
    answer = payments.post(f"/holds/{hold_id}/confirm", {}, "caseworker")
    assert (answer.status_code, answer.json()["code"]) == (409, "second_person_needed_for_hold")
    assert live(payments, family) == [("340.00", "HELD"), ("680.00", "CREATED")]
    assert payments.done(f"/holds/{hold_id}/confirm", {}, "confirmer")["state"] == "STOPPED"
    assert live(payments, family) == [("680.00", "CREATED")]
    assert alert(payments, family, member=2, alert_id="alert_again").json()["outcome"] == "NOT_ON_ROLL"


def test_the_next_months_are_without_the_ended_share(payments, family) -> None:
    hold_id = hold_of(payments, family, member=0)
    payments.done(f"/holds/{hold_id}/answer", {"answer": "stop"}, "caseworker")
    payments.done(f"/holds/{hold_id}/confirm", {}, "confirmer")
    stopped = payments.runtime.database.read(count_stopped, family["award_id"])
    assert stopped == 1
    later = datetime.fromisoformat("2025-10-01T09:00:00+08:00")
    runtime = dataclasses.replace(payments.runtime, now=lambda: later)
    runtime.database.transact(schedule_lines, runtime, read_payment_pack())
    october = payments.lines(family["award_id"], month="2025-10")
    assert [line["amount"] for line in october] == ["680.00"]


def test_two_persons_let_it_be_paid(payments, alone) -> None:
    hold_id = hold_of(payments, alone)
    payments.done(f"/holds/{hold_id}/answer", {"answer": "pay"}, "caseworker")
    payments.done(f"/holds/{hold_id}/confirm", {}, "caseworker:2")
    assert live(payments, alone) == [("1155.00", "CREATED")]
    answer = payments.post(f"/holds/{hold_id}/answer", {"answer": "stop"}, "caseworker")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_in_this_state")


def test_the_county_of_another_place_may_not_answer(payments, alone) -> None:
    hold_id = hold_of(payments, alone)
    wrong = payments.post(f"/holds/{hold_id}/answer", {"answer": "pay"}, "caseworker", regions=("420100",))
    assert wrong.status_code == 404
    right = payments.post(f"/holds/{hold_id}/answer", {"answer": "pay"}, "caseworker", regions=("530113",))
    assert right.status_code == 200


@pytest.mark.parametrize("role", ["eligibility", "checker", "caseworker", "operator"])
def test_only_monitoring_places_holds(payments, alone, role: str) -> None:
    heard = {"alert_id": "a", "id_number": alone["members"][0]["id_number"], "died_on": "2025-08-19"}
    answer = payments.post("/death-alerts", {**heard, "source": "x", "rule": RULE}, role)
    assert answer.status_code == 403
    assert live(payments, alone) == [("1155.00", "CREATED")]


def test_the_parts_of_a_line_make_up_its_amount(payments, family) -> None:
    runtime = payments.runtime
    line_id = payments.line(family["award_id"])["id"]

    def work(tx) -> None:
        line = lock_disbursement(tx, line_id)
        replace_line(tx, runtime, Who("li", runtime.now()), line, (Part(68_000, 2), Part(33_999, 1)), "test")

    with pytest.raises(ValueError, match="make up"):
        runtime.database.transact(work)
    assert live(payments, family) == [("1020.00", "CREATED")]


def jobs_for(payments, batch_id: str) -> int:
    """How often the worker is asked to pay the batch."""
    waiting = payments.rows(
        "select convert_from(payload, 'UTF8') from payments.pgqueuer where entrypoint = 'pay_batch'"
    )
    return [payload for (payload,) in waiting].count(batch_id)


def test_a_freed_line_of_a_released_batch_goes_to_the_bank_by_itself(payments, alone) -> None:
    batch_id = payments.release(payments.batch("tekun", MONTH, "530113"))
    hold_id = hold_of(payments, alone)
    assert payments.pay(batch_id)
    assert live(payments, alone) == [("1155.00", "HELD")]
    asked = jobs_for(payments, batch_id)
    payments.done(f"/holds/{hold_id}/answer", {"answer": "pay"}, "caseworker")
    payments.done(f"/holds/{hold_id}/confirm", {}, "confirmer")
    assert live(payments, alone) == [("1155.00", "QUEUED")]
    assert jobs_for(payments, batch_id) == asked + 1
    assert payments.pay(batch_id)
    assert live(payments, alone) == [("1155.00", "ACCEPTED")]


def test_the_rest_of_a_queued_line_is_asked_for_again(payments, family) -> None:
    batch_id = payments.release(payments.batch(month=MONTH))
    asked = jobs_for(payments, batch_id)
    alert(payments, family)
    assert jobs_for(payments, batch_id) > asked


def test_an_approved_batch_with_a_held_line_is_not_cancelled(payments, alone) -> None:
    batch = payments.batch("tekun", MONTH, "530113")
    path = f"/batches/{batch['id']}"
    payments.done(f"{path}/submit", {}, "maker")
    payments.done(f"{path}/approve", {"lines_root": batch["lines_root"]}, "checker")
    alert(payments, alone)
    answer = payments.post(f"{path}/cancel", {}, "maker")
    assert (answer.status_code, answer.json()["code"]) == (409, "batch_has_held_lines")
    assert live(payments, alone) == [("1155.00", "HELD")]


def test_a_second_death_in_a_family_holds_a_share_of_the_rest(payments, family) -> None:
    first = hold_of(payments, family, member=1)
    payments.done(f"/holds/{first}/answer", {"answer": "pay"}, "caseworker")
    payments.done(f"/holds/{first}/confirm", {}, "confirmer")
    second = hold_of(payments, family, member=2)
    assert live(payments, family) == [("340.00", "CREATED"), ("340.00", "CREATED"), ("340.00", "HELD")]
    held = payments.get(f"/disbursements/{payments.get(f'/holds/{second}')['disbursement_id']}")
    assert held["member"] == "m3"
    again = hold_of(payments, family, member=1, alert_id="alert_of_the_first_again")
    of_first = payments.get(f"/disbursements/{payments.get(f'/holds/{again}')['disbursement_id']}")
    assert (of_first["member"], of_first["amount"]) == ("m2", "340.00")


def test_an_award_that_is_over_holds_nothing(payments, new_award_body) -> None:
    body = new_award_body(people=1, month="2025-07", until="2025-08")
    payments.done("/awards", body, "eligibility")
    payments.pay(payments.release(payments.batch(month="2025-07")))
    assert alert(payments, body).json() == {"outcome": "NOT_ON_ROLL", "holds": []}


def test_an_unanswered_hold_lapses_after_its_day_and_not_before(payments, alone, family) -> None:
    """The last of the module: the clock moves here."""
    of_alone, of_family = hold_of(payments, alone), hold_of(payments, family, member=1)
    payments.done(f"/holds/{of_family}/answer", {"answer": "stop"}, "caseworker")
    payments.put_clock("2025-08-27T23:59:00+08:00")
    payments.tick()
    assert live(payments, alone) == [("1155.00", "HELD")]
    payments.put_clock("2025-08-28T00:00:00+08:00")
    payments.tick()
    assert live(payments, alone) == [("1155.00", "CREATED")]
    hold = payments.get(f"/holds/{of_alone}")
    assert (hold["state"], hold["is_overdue"]) == ("LAPSED", True)
    events = payments.get(f"/disbursements/{hold['disbursement_id']}")["events"]
    assert [event["cause"] for event in events] == ["owed_by_award", "death_alert", "hold_lapsed"]
    # One person has answered; it waits for the second one and is overdue, but does not lapse.
    waiting = payments.get(f"/holds/{of_family}")
    assert (waiting["state"], waiting["is_overdue"]) == ("ANSWERED", True)
    assert ("340.00", "HELD") in live(payments, family)


def test_a_hold_that_found_no_line_takes_the_next_months(payments, new_award_body) -> None:
    body = new_award_body(people=2, amount="100.01", month=MONTH, until="2025-12")
    payments.done("/awards", body, "eligibility")
    payments.pay(payments.release(payments.batch(month=MONTH)))
    payments.put_clock("2025-09-28T09:00:00+08:00")
    hold_id = hold_of(payments, body, died_on="2025-09-27")
    assert payments.get(f"/holds/{hold_id}")["disbursement_id"] is None
    payments.put_clock("2025-10-01T00:10:00+08:00")
    payments.tick()
    october = payments.lines(body["award_id"], month="2025-10")
    assert sorted((line["amount"], line["state"]) for line in october if line["state"] != "CANCELLED") == [
        ("50.00", "HELD"),
        ("50.01", "CREATED"),
    ]
    assert payments.get(f"/holds/{hold_id}")["amount"] == "50.00"


def test_the_invariants_hold(payments) -> None:
    assert payments.broken_invariants() == {}


def test_a_hold_that_meets_the_approval_leaves_nobody_behind(payments, new_award_body) -> None:
    """Approval, release and alerts at the same moment: every share is held, queued or waits for another batch."""
    month = "2025-11"
    bodies = [new_award_body(people=3, month=month, until="2025-12") for _ in range(6)]
    for body in bodies:
        payments.done("/awards", body, "eligibility")
    batch = payments.batch(month=month)
    path = f"/batches/{batch['id']}"
    payments.done(f"{path}/submit", {}, "maker")
    start = threading.Barrier(len(bodies) + 1)
    answers = []

    def decide() -> None:
        start.wait()
        payments.done(f"{path}/approve", {"lines_root": batch["lines_root"]}, "checker")
        payments.done(f"{path}/release", {}, "checker")

    def report_death(body) -> None:
        start.wait()
        answers.append(alert(payments, body, died_on="2025-10-30").status_code)

    threads = [threading.Thread(target=decide), *(threading.Thread(target=report_death, args=(b,)) for b in bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * len(bodies)
    payments.pay(batch["id"])
    for body in bodies:
        lines = [line for line in payments.lines(body["award_id"], month=month) if line["state"] != "CANCELLED"]
        assert sorted(line["amount"] for line in lines) == ["340.00", "680.00"]
        assert sorted(line["state"] for line in lines) in (["ACCEPTED", "HELD"], ["CREATED", "HELD"])
    assert payments.broken_invariants() == {}


def test_an_approval_that_waits_for_a_hold_sees_what_the_hold_made(payments, new_award_body) -> None:
    body = new_award_body(people=3, month="2025-12", until="2026-01")
    payments.done("/awards", body, "eligibility")
    batch = payments.batch(month="2025-12")
    path = f"/batches/{batch['id']}"
    payments.done(f"{path}/submit", {}, "maker")
    runtime = payments.runtime
    heard = DeathAlert("alert_slow", body["members"][1]["id_number"], date(2025, 11, 30), "x", RULE)
    approval = threading.Thread(
        target=payments.done, args=(f"{path}/approve", {"lines_root": batch["lines_root"]}, "checker")
    )
    with runtime.database.engine.begin() as tx:
        place_hold(tx, runtime, Who(MONITORING, runtime.now()), read_payment_pack(), heard)
        approval.start()
        time.sleep(0.5)
    approval.join()
    lines = payments.lines(body["award_id"], month="2025-12")
    assert sorted((line["amount"], line["state"]) for line in lines if line["state"] != "CANCELLED") == [
        ("340.00", "HELD"),
        ("680.00", "APPROVED"),
    ]
    assert payments.broken_invariants() == {}
