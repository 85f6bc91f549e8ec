"""Nothing is paid on one person's word; a batch is approved as this very list, in its state, by its place."""

import hashlib
import itertools
import threading

import httpx
import pytest

from services.payments.store import disbursements
from tests.running_payments import award_body

MONTHS = (f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13))


@pytest.fixture(scope="module", autouse=True)
def clock(payments):
    payments.put_clock("2023-12-01T09:00:00+08:00")


@pytest.fixture
def month() -> str:
    """An entitlement month that no other test pays."""
    return next(MONTHS)


def after(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12}-{number % 12 + 1:02d}"


def award(payments, month: str, **changes) -> str:
    return payments.award(month=month, until=after(month), **changes)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_the_root_can_be_computed_from_the_list(payments, month: str) -> None:
    award(payments, month)
    award(payments, month, amount="0.01")
    batch = payments.batch(month=month)
    lines = payments.get(f"/batches/{batch['id']}/lines")["data"]
    text = "".join(sorted(f"{line['end_to_end_id']},{line['amount'].replace('.', '').lstrip('0')}\n" for line in lines))
    assert batch["lines_root"] == hashlib.sha256(text.encode()).hexdigest()
    assert (batch["line_count"], batch["total"]) == (2, "1020.01")


def test_who_submitted_may_not_approve(payments, month: str) -> None:
    award(payments, month)
    batch = payments.batch(month=month)
    path = f"/batches/{batch['id']}"
    payments.done(f"{path}/submit", {}, "maker")
    # The same person, with a checker's token as well.
    payments.rows(
        "update payments.batches set submitted_by = 'development/checker-1' where state = 'SUBMITTED' returning id"
    )
    approval = {"lines_root": batch["lines_root"]}
    assert code_of(payments.post(f"{path}/approve", approval, "checker")) == (409, "second_person_needed")
    assert code_of(payments.post(f"{path}/reject", {}, "checker")) == (409, "second_person_needed")
    assert payments.done(f"{path}/approve", approval, "checker:2")["state"] == "APPROVED"


def test_who_made_the_list_may_not_approve_it_when_another_submits(payments, month: str) -> None:
    award(payments, month)
    batch = payments.batch(month=month)
    path = f"/batches/{batch['id']}"
    payments.done(f"{path}/submit", {}, "maker:2")
    # The same person, with a checker's token as well.
    payments.rows(
        "update payments.batches set created_by = 'development/checker-1'"
        " where submitted_by = 'development/maker-2' returning id"
    )
    approval = {"lines_root": batch["lines_root"]}
    assert code_of(payments.post(f"{path}/approve", approval, "checker")) == (409, "second_person_needed")
    assert code_of(payments.post(f"{path}/reject", {}, "checker")) == (409, "second_person_needed")
    assert payments.done(f"{path}/approve", approval, "checker:2")["state"] == "APPROVED"


def test_the_checker_must_quote_this_list(payments, month: str) -> None:
    award(payments, month)
    batch = payments.batch(month=month)
    path = f"/batches/{batch['id']}"
    payments.done(f"{path}/submit", {}, "maker")
    answer = payments.post(f"{path}/approve", {"lines_root": "0" * 64}, "checker")
    assert code_of(answer) == (409, "control_totals_differ")
    assert payments.get(path)["state"] == "SUBMITTED"


@pytest.mark.parametrize("role", ["maker", "auditor", "operator", "caseworker", "eligibility"])
def test_no_other_role_approves(payments, role: str) -> None:
    assert payments.post("/batches/batch_x/approve", {"lines_root": "0" * 64}, role).status_code == 403


def test_a_step_out_of_turn_is_refused(payments, month: str) -> None:
    award(payments, month)
    batch = payments.batch(month=month)
    path = f"/batches/{batch['id']}"
    refused = (409, "not_allowed_in_this_state")
    assert code_of(payments.post(f"{path}/release", {}, "checker")) == refused
    assert code_of(payments.post(f"{path}/approve", {"lines_root": batch["lines_root"]}, "checker")) == refused
    payments.done(f"{path}/submit", {}, "maker")
    assert code_of(payments.post(f"{path}/submit", {}, "maker")) == refused
    assert code_of(payments.post(f"{path}/release", {}, "checker")) == refused


def test_a_line_is_in_one_batch(payments, month: str) -> None:
    award(payments, month)
    payments.batch(month=month)
    answer = payments.post("/batches", {"programme": "dibao", "month": month, "region": "420100"}, "maker")
    assert code_of(answer) == (422, "no_lines_wait")


def test_two_makers_at_once_take_each_line_once(payments, month: str) -> None:
    for _ in range(4):
        award(payments, month)
    wanted = {"programme": "dibao", "month": month, "region": "420100"}
    keys = itertools.count()
    answers: list[httpx.Response] = []
    start = threading.Barrier(4)

    def make() -> None:
        start.wait()
        answers.append(payments.post("/batches", wanted, "maker", key=f"{month}-{next(keys)}"))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answer.json()["line_count"] for answer in answers if answer.is_success) == 4
    assert {answer.status_code for answer in answers} <= {201, 422}


@pytest.mark.parametrize("way", ["reject", "cancel_calculated", "cancel_submitted", "cancel_approved"])
def test_a_batch_given_up_costs_nobody_the_month(payments, month: str, way: str) -> None:
    of = award(payments, month)
    batch = payments.batch(month=month)
    path = f"/batches/{batch['id']}"
    if way != "cancel_calculated":
        payments.done(f"{path}/submit", {}, "maker")
    if way == "cancel_approved":
        payments.done(f"{path}/approve", {"lines_root": batch["lines_root"]}, "checker")
    payments.done(f"{path}/{way.split('_')[0]}", {}, "checker")
    again = payments.batch(month=month)
    assert (again["line_count"], again["total"]) == (1, "1020.00")
    live = [line for line in payments.lines(of) if line["state"] != "CANCELLED"]
    assert [line["batch_id"] for line in live] == [again["id"]]
    assert payments.broken_invariants() == {}


def test_what_a_hold_split_is_released_whole_also_beyond_the_limit_of_a_batch(payments, month, monkeypatch) -> None:
    monkeypatch.setattr(disbursements, "BATCH_LINE_LIMIT", 1)
    body = award_body(month=month, until=after(month), people=2)
    payments.done("/awards", body, "eligibility")
    batch = payments.batch(month=month)
    path = f"/batches/{batch['id']}"
    payments.done(f"{path}/submit", {}, "maker")
    payments.done(f"{path}/approve", {"lines_root": batch["lines_root"]}, "checker")
    dead = {"id_number": body["members"][1]["id_number"], "died_on": f"{month}-01", "source": "x"}
    alert = {**dead, "alert_id": f"alert_{month}", "rule": {"id": "M12", "instrument": "x", "article": "x"}}
    [hold] = payments.done("/death-alerts", alert, "monitoring")["holds"]
    payments.done(f"/holds/{hold['id']}/answer", {"answer": "pay"}, "caseworker")
    payments.done(f"/holds/{hold['id']}/confirm", {}, "confirmer")
    payments.done(f"{path}/release", {}, "checker")
    assert states_of(payments, body) == ["QUEUED", "QUEUED"]
    assert payments.pay(batch["id"])
    assert states_of(payments, body) == ["ACCEPTED", "ACCEPTED"]
    # The file keeps to the limit, and the next one takes the rest.
    assert [file["line_count"] for file in payments.get(path)["pay_files"]] == [1, 1]


def states_of(payments, body) -> list[str]:
    return [line["state"] for line in payments.lines(body["award_id"]) if line["state"] != "CANCELLED"]


def test_nobody_reaches_beyond_their_region(payments, month: str) -> None:
    of = award(payments, month, region="530113", programme="tekun", subject="m1", people=1)
    wanted = {"programme": "tekun", "month": month, "region": "530113"}
    wuhan, kunming = ("420100",), ("530100",)
    assert payments.post("/batches", wanted, "maker", regions=wuhan).status_code == 403
    batch = payments.done("/batches", wanted, "maker", regions=kunming)
    line_id = payments.line(of)["id"]
    for path in (f"/batches/{batch['id']}", f"/batches/{batch['id']}/lines", f"/disbursements/{line_id}"):
        assert payments.call("GET", path, "auditor", wuhan).status_code == 404
        assert payments.call("GET", path, "auditor", kunming).status_code == 200
    assert payments.post(f"/batches/{batch['id']}/submit", {}, "maker", regions=wuhan).status_code == 404
    assert payments.call("GET", "/disbursements", "auditor", wuhan, params={"region": "530113"}).status_code == 404
    seen = payments.get("/disbursements", regions=wuhan)["data"]
    assert {line["region"] for line in seen} == {"420100"}
    assert payments.get("/disbursements", regions=())["data"] == []


def test_the_office_of_a_place_pays_what_was_merged_into_it(payments, month: str) -> None:
    """371202 was a district of Laiwu, which became a part of Jinan (370100); Qingdao is 370200."""
    of = award(payments, month, region="371202", programme="tekun", subject="m1", people=1)
    wanted = {"programme": "tekun", "month": month, "region": "370100"}
    jinan, qingdao = ("370100",), ("370200",)
    assert payments.get("/disbursements", regions=qingdao)["data"] == []
    assert [line["award_id"] for line in payments.get("/disbursements", regions=jinan)["data"]] == [of]
    batch = payments.done("/batches", wanted, "maker", regions=jinan)
    lines = payments.get(f"/batches/{batch['id']}/lines", regions=jinan)["data"]
    assert [line["id"] for line in lines] == [payments.line(of)["id"]]


def test_a_post_needs_its_key(payments) -> None:
    answer = payments.call(
        "POST", "/batches", "maker", json={"programme": "dibao", "month": "2024-01", "region": "420100"}
    )
    assert code_of(answer) == (400, "idempotency_key_missing")


def test_a_key_with_another_body_is_refused(payments, month: str) -> None:
    award(payments, month)
    body = {"programme": "dibao", "month": month, "region": "420100"}
    first = payments.post("/batches", body, "maker", key=f"key {month}")
    assert payments.post("/batches", body, "maker", key=f"key {month}").json() == first.json()
    other = {**body, "programme": "tekun"}
    assert code_of(payments.post("/batches", other, "maker", key=f"key {month}")) == (409, "idempotency_key_reused")


def test_the_invariants_hold(payments) -> None:
    assert payments.broken_invariants() == {}
