"""The test bank, spoken to as payments speaks to it: HTTP, and the messages of ISO 20022."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from stdnum import luhn

from services.payments.domain.payee import Payee
from services.payments.gateways.iso20022 import (
    CreditLine,
    PayFileHeader,
    read_statement,
    read_status_report,
    write_pay_file,
)
from tests.running_bank import ACCOUNT, RunningBank, running_bank

MORNING = "2023-09-08T09:00:00+08:00"
XML = {"Content-Type": "application/xml"}


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[RunningBank]:
    with running_bank(tmp_path, opening_yuan=10_000) as running:
        running.put_clock(MORNING)
        yield running


def card(magic: str) -> str:
    body = f"9000000000000{magic}"
    return body + luhn.calc_check_digit(body)


def pay_file(msg_id: str, *lines: tuple[str, int, str], account: str = ACCOUNT) -> bytes:
    header = PayFileHeader(
        msg_id, datetime(2023, 9, 8, 1, tzinfo=UTC), date(2023, 9, 8), "武汉市民政局", account, "test_bank"
    )
    return write_pay_file(
        header, [CreditLine(name, fen, Payee("王 小明", card(magic)), "低保 2023-09") for name, fen, magic in lines]
    )


def send(bank: RunningBank, content: bytes) -> httpx.Response:
    return bank.post("/pay-files", content=content)


def balance(bank: RunningBank) -> str:
    return bank.get(f"/accounts/{ACCOUNT}/balance").json()["balance"]


def report(bank: RunningBank, msg_id: str) -> list[tuple[str, str, str | None]]:
    answer = read_status_report(bank.get(f"/pay-files/{msg_id}/report").content)
    return [(line.end_to_end_id, line.status, line.reason) for line in answer.lines]


def test_a_file_is_taken_and_each_line_has_its_fate(bank: RunningBank) -> None:
    content = pay_file("M1", ("E1", 102_000, "00"), ("E2", 500, "01"), ("E3", 700, "02"), ("E4", 900, "03"))
    taken = read_status_report(send(bank, content).content)
    assert (taken.original_msg_id, taken.group_status) == ("M1", "ACTC")
    assert report(bank, "M1") == [
        ("E1", "ACSP", None),
        ("E2", "RJCT", "AC04"),
        ("E3", "ACSP", None),
        ("E4", "ACSP", None),
    ]
    # The refused line's money never left.
    assert balance(bank) == "8964.00"


def test_the_statements_show_the_debits_and_a_day_later_the_returns(bank: RunningBank) -> None:
    send(bank, pay_file("M1", ("E1", 102_000, "00"), ("E2", 500, "01"), ("E3", 700, "02"), ("E4", 900, "03")))
    bank.put_clock("2023-09-09T00:00:00+08:00")
    first = read_statement(bank.get("/statements/2023-09-08").content)
    assert [(e.end_to_end_id, e.is_credit, e.amount_fen) for e in first.entries] == [
        ("E1", False, 102_000),
        ("E3", False, 700),
        ("E4", False, 900),
    ]
    assert (first.account, first.opening_fen, first.closing_fen) == (ACCOUNT, 1_000_000, 896_400)
    bank.put_clock("2023-09-10T00:00:00+08:00")
    second = read_statement(bank.get("/statements/2023-09-09").content)
    assert [(e.end_to_end_id, e.is_credit, e.amount_fen, e.return_reason) for e in second.entries] == [
        ("E3", True, 700, "AC01"),
        ("E4", True, 900, "AC06"),
    ]
    assert (second.opening_fen, second.closing_fen) == (896_400, 898_000)
    assert bank.get("/statements?after=2023-09-01").json() == {"days": ["2023-09-08", "2023-09-09"]}
    assert bank.get("/statements?after=2023-09-08").json() == {"days": ["2023-09-09"]}


def test_a_statement_exists_only_when_its_day_is_over(bank: RunningBank) -> None:
    send(bank, pay_file("M1", ("E1", 1, "00")))
    bank.put_clock("2023-09-08T23:59:59+08:00")
    assert bank.get("/statements/2023-09-08").status_code == 404
    assert bank.get("/statements?after=2023-09-01").json() == {"days": []}
    bank.put_clock("2023-09-08T16:00:00+00:00")  # midnight in China
    assert bank.get("/statements/2023-09-08").status_code == 200


def test_the_same_bytes_again_are_paid_once(bank: RunningBank) -> None:
    content = pay_file("M1", ("E1", 100, "00"))
    first, second = send(bank, content), send(bank, content)
    assert first.content == second.content
    assert balance(bank) == "9999.00"


def test_other_bytes_under_a_known_id_are_refused(bank: RunningBank) -> None:
    send(bank, pay_file("M1", ("E1", 100, "00")))
    assert send(bank, pay_file("M1", ("E2", 100, "00"))).status_code == 409
    assert balance(bank) == "9999.00"


def test_a_line_paid_before_is_refused_under_another_message_id(bank: RunningBank) -> None:
    send(bank, pay_file("M1", ("E1", 100, "00")))
    again = read_status_report(send(bank, pay_file("M2", ("E1", 100, "00"), ("E2", 100, "00"))).content)
    assert (again.group_status, again.group_reason) == ("RJCT", "AM05")
    assert balance(bank) == "9999.00"


@pytest.mark.parametrize(("amount_fen", "status"), [(1_000_000, "ACTC"), (1_000_001, "RJCT")])
def test_the_account_pays_to_its_last_fen_and_not_one_more(bank: RunningBank, amount_fen: int, status: str) -> None:
    answer = read_status_report(send(bank, pay_file("M1", ("E1", amount_fen, "00"))).content)
    assert answer.group_status == status
    assert answer.group_reason == (None if status == "ACTC" else "AM04")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda x: x.replace(b"<NbOfTxs>1<", b"<NbOfTxs>2<", 1), "AM18"),
        (lambda x: x.replace(b"<CtrlSum>1.00<", b"<CtrlSum>1.01<", 1), "AM10"),
        (lambda x: x.replace(ACCOUNT.encode(), b"999"), "AC01"),
    ],
)
def test_wrong_totals_and_accounts_refuse_the_file(
    bank: RunningBank, change: Callable[[bytes], bytes], reason: str
) -> None:
    content = change(pay_file("M1", ("E1", 100, "00")))
    answer = read_status_report(send(bank, content).content)
    assert (answer.group_status, answer.group_reason) == ("RJCT", reason)
    assert report(bank, "M1") == []


def test_a_misbooked_line_is_debited_one_fen_more(bank: RunningBank) -> None:
    send(bank, pay_file("M1", ("E1", 100, "04")))
    bank.put_clock("2023-09-09T00:00:00+08:00")
    assert [e.amount_fen for e in read_statement(bank.get("/statements/2023-09-08").content).entries] == [101]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<Document/>",
        "<?xml version='1.0' encoding='UTF-16'?><Document/>".encode("utf-16"),
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>',
    ],
)
def test_hostile_bodies_are_refused(bank: RunningBank, body: bytes) -> None:
    answer = send(bank, body)
    assert answer.status_code == 400
    assert "root:" not in answer.text


def test_a_body_beyond_the_bound_is_refused(bank: RunningBank) -> None:
    assert send(bank, b" " * (32 * 1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic a-key-for-tests-only"}]
)
def test_no_key_no_service(bank: RunningBank, header: dict[str, str]) -> None:
    assert bank.call("GET", f"/accounts/{ACCOUNT}/balance", headers=header).status_code == 401


def test_the_clock_never_goes_back(bank: RunningBank) -> None:
    assert bank.post("/test-helpers/clock", json={"now": "2023-09-08T08:59:59+08:00"}).status_code == 409
    assert bank.post("/test-helpers/clock", json={"now": MORNING}).status_code == 200
    assert bank.post("/test-helpers/clock", json={"now": "2023-09-09T09:00:00"}).status_code == 422


def plan(bank: RunningBank, kind: str, seconds: float) -> None:
    bank.post("/test-helpers/faults", json={"next_pay_file": kind, "seconds": seconds}).raise_for_status()


def test_a_bank_that_hangs_after_accepting_knows_the_file(bank: RunningBank) -> None:
    plan(bank, "accept_then_hang", 60)
    with pytest.raises(httpx.ReadTimeout):
        bank.post("/pay-files", content=pay_file("M1", ("E1", 100, "00")), timeout=0.5)
    assert read_status_report(bank.get("/pay-files/M1").content).group_status == "ACTC"


def test_a_bank_that_hangs_before_accepting_books_once_with_the_resend(bank: RunningBank) -> None:
    plan(bank, "hang_before_accept", 2)
    content = pay_file("M1", ("E1", 100, "00"))
    late = threading.Thread(target=lambda: bank.post("/pay-files", content=content))
    late.start()
    time.sleep(0.5)
    assert bank.get("/pay-files/M1").status_code == 404
    assert send(bank, content).status_code == 200
    late.join()
    assert balance(bank) == "9999.00"


def test_a_refusal_for_the_moment_books_nothing_and_passes(bank: RunningBank) -> None:
    plan(bank, "refuse_503", 0)
    content = pay_file("M1", ("E1", 100, "00"))
    assert send(bank, content).status_code == 503
    assert bank.get("/pay-files/M1").status_code == 404
    assert send(bank, content).status_code == 200


def test_a_killed_bank_keeps_what_it_answered(bank: RunningBank) -> None:
    send(bank, pay_file("M1", ("E1", 100, "00")))
    bank.kill()
    bank.start()
    assert balance(bank) == "9999.00"
    assert report(bank, "M1") == [("E1", "ACSP", None)]
