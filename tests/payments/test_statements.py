"""What contradicts the books opens an exception and changes no state; the books say where the difference lies."""

import threading
from datetime import date, timedelta

import pytest

from services.payments.domain.disbursement import DisbursementState
from services.payments.gateways.iso20022 import BankMessageInvalid, Statement, StatementEntry
from services.payments.store import bank_statements, disbursements
from services.payments.use_cases.advance_lines import Move, advance_lines, worker
from services.payments.use_cases.build_pay_file import build_pay_file
from services.payments.use_cases.reconcile_statements import explain_messages, reconcile_statements, take_statement
from tests.running_bank import ACCOUNT


@pytest.fixture(scope="module")
def settled(payments) -> dict:
    """A settled line, and a misbooked one beside it."""
    awards = {"right": payments.award(), "misbooked": payments.award(magic="04", amount="10.00")}
    payments.put_clock("2023-09-06T09:00:00+08:00")
    payments.pay(payments.release(payments.batch()))
    payments.put_clock("2023-09-07T09:00:00+08:00")
    payments.tick()
    return {name: payments.line(award) for name, award in awards.items()}


def exceptions(payments) -> set[tuple[str, str | None]]:
    return {(e["kind"], e["disbursement_id"]) for e in payments.get("/exceptions")["data"]}


def balances(payments) -> dict[str, str]:
    return {a["account"]: a["balance"] for a in payments.get("/ledger/balances")["accounts"]}


def entry(number: int, amount_fen: int, end_to_end_id: str | None, is_credit: bool = False) -> StatementEntry:
    day = date(2023, 9, 7)
    return StatementEntry(number, is_credit, amount_fen, day, day, end_to_end_id, None, f"B{number}")


def take(payments, day: date, *entries: StatementEntry, opening_fen: int | None = None) -> None:
    """A statement as the bank might write it one day."""
    before = payments.get("/ledger/balances")["bank"]["closing"].replace(".", "")
    opening = int(before) if opening_fen is None else opening_fen
    closing = opening + sum(e.amount_fen if e.is_credit else -e.amount_fen for e in entries)
    statement = Statement(f"by-hand-{day}", ACCOUNT, opening, closing, entries)
    database = payments.runtime.database
    database.transact(take_statement, payments.runtime, day, b"by hand", statement)
    while database.transact(explain_messages, payments.runtime):
        pass


def test_one_fen_too_much_settles_nothing(payments, settled) -> None:
    line = settled["misbooked"]
    assert (line["state"], settled["right"]["state"]) == ("ACCEPTED", "SETTLED")
    assert ("amount_differs", line["id"]) in exceptions(payments)
    bank = payments.get("/ledger/balances")["bank"]
    assert (bank["is_equal"], bank["difference"]) == (False, "-10.01")
    assert payments.broken_invariants() == {}


def test_the_bank_debits_a_settled_line_again(payments, settled) -> None:
    take(payments, date(2023, 9, 7), entry(1, 102_000, settled["right"]["end_to_end_id"]))
    assert ("debited_twice", settled["right"]["id"]) in exceptions(payments)
    assert payments.line(settled["right"]["award_id"])["state"] == "SETTLED"


def test_money_from_nowhere_goes_to_suspense(payments, settled) -> None:
    end_to_end_id = settled["right"]["end_to_end_id"]
    unknown = f"{end_to_end_id[:8]}999999999999{end_to_end_id[20:]}"
    take(payments, date(2023, 9, 8), entry(1, 777, None, True), entry(2, 23, unknown, True), entry(3, 5, "RENT"))
    assert ("unknown_end_to_end_id", None) in exceptions(payments)
    assert balances(payments)["SUSPENSE_UNKNOWN:test_bank"] == "-8.00"
    assert payments.broken_invariants() == {}


def test_a_return_of_another_amount_returns_nothing(payments, settled) -> None:
    take(payments, date(2023, 9, 9), entry(1, 101_999, settled["right"]["end_to_end_id"], True))
    assert ("amount_differs", settled["right"]["id"]) in exceptions(payments)
    assert payments.line(settled["right"]["award_id"])["state"] == "SETTLED"


def test_a_return_ends_it_and_a_second_one_is_noticed(payments, settled) -> None:
    end_to_end_id = settled["right"]["end_to_end_id"]
    take(payments, date(2023, 9, 10), entry(1, 102_000, end_to_end_id, True), entry(2, 102_000, end_to_end_id, True))
    assert payments.line(settled["right"]["award_id"])["state"] == "RETURNED"
    assert ("returned_twice", settled["right"]["id"]) in exceptions(payments)
    assert balances(payments)["SUSPENSE_RETURN:test_bank"] == "-1020.00"


def test_a_gap_between_two_statements_is_noticed(payments, settled) -> None:
    take(payments, date(2023, 9, 11), opening_fen=1)
    assert ("statement_balance_differs", None) in exceptions(payments)


class BankThatGarbles:
    """A line to a bank whose statement of one day cannot be read."""

    def closed_days(self, after: date) -> list[date]:
        return [after + timedelta(1), after + timedelta(2)]

    def statement(self, day: date) -> bytes:
        return b"<Document>garbled</Document>"


def test_a_statement_that_cannot_be_read_is_noticed_and_skips_no_day(payments, settled) -> None:
    before = payments.rows("select count(*) from payments.bank_statements")
    reconcile_statements(payments.runtime, BankThatGarbles())
    reconcile_statements(payments.runtime, BankThatGarbles())
    assert len([e for e in payments.get("/exceptions")["data"] if e["kind"] == "statement_unreadable"]) == 1
    assert payments.rows("select count(*) from payments.bank_statements") == before


def test_the_same_statement_again_is_nothing_new(payments, settled) -> None:
    before = payments.rows("select count(*) from payments.bank_messages")
    take(payments, date(2023, 9, 10), entry(1, 102_000, settled["right"]["end_to_end_id"], True))
    assert payments.rows("select count(*) from payments.bank_messages") == before


def test_a_statement_of_another_account_is_not_taken(payments, settled) -> None:
    statement = Statement("elsewhere", "999", 0, 0, ())
    with pytest.raises(BankMessageInvalid):
        payments.runtime.database.transact(take_statement, payments.runtime, date(2023, 9, 20), b"x", statement)


def test_two_readers_at_once_take_no_second_look_for_a_second_debit(payments, settled) -> None:
    awards = [payments.award(month="2023-10", until="2023-11", amount="1.00") for _ in range(8)]
    payments.put_clock("2023-10-01T09:00:00+08:00")
    payments.pay(payments.release(payments.batch(month="2023-10")))
    lines = [payments.line(award) for award in awards]
    day, runtime = date(2023, 10, 1), payments.runtime
    entries = tuple(entry(number, 100, line["end_to_end_id"]) for number, line in enumerate(lines, start=1))
    statement = Statement("two-readers", ACCOUNT, 10_000, 9_200, entries)
    start = threading.Barrier(4)

    def read() -> None:
        start.wait()
        runtime.database.transact(take_statement, runtime, day, b"two readers", statement)
        while runtime.database.transact(explain_messages, runtime):
            pass

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert {payments.line(award)["state"] for award in awards} == {"SETTLED"}
    assert not {line["id"] for line in lines} & {line_id for _, line_id in exceptions(payments)}


@pytest.fixture
def unreported(payments, settled) -> list[dict]:
    """Three sent lines of a file whose report never comes."""
    awards = [payments.award(month="2023-11", until="2023-12", amount="2.00") for _ in range(3)]
    payments.put_clock("2023-11-01T09:00:00+08:00")
    batch_id = payments.release(payments.batch(month="2023-11"))
    payments.runtime.database.transact(build_pay_file, payments.runtime, batch_id)
    return [payments.line(award) for award in awards]


def test_lines_that_wait_for_their_report_keep_no_other_waiting(payments, unreported, monkeypatch) -> None:
    monkeypatch.setattr(bank_statements, "WAITING_LIMIT", 2)
    assert {line["state"] for line in unreported} == {"SENT"}
    debits = [entry(number, 200, line["end_to_end_id"]) for number, line in enumerate(unreported, start=1)]
    take(payments, date(2023, 11, 1), *debits, entry(9, 5, "RENT"))
    told = {(e["kind"], e["statement"], e["line"]) for e in payments.get("/exceptions")["data"]}
    assert ("unknown_end_to_end_id", "by-hand-2023-11-01", 9) in told
    assert {payments.line(line["award_id"])["state"] for line in unreported} == {"SENT"}
    runtime = payments.runtime

    def report(tx) -> None:
        lines = [disbursements.lock_disbursement(tx, line["id"]) for line in unreported]
        advance_lines(tx, runtime, worker(runtime), lines, Move(DisbursementState.ACCEPTED, "test"))

    runtime.database.transact(report)
    while runtime.database.transact(explain_messages, runtime):
        pass
    assert {payments.line(line["award_id"])["state"] for line in unreported} == {"SETTLED"}


def test_a_debit_that_fits_no_sent_line_does_not_wait(payments, settled) -> None:
    award = payments.award(month="2023-12", until="2024-01", amount="3.00")
    payments.put_clock("2023-12-01T09:00:00+08:00")
    batch_id = payments.release(payments.batch(month="2023-12"))
    payments.runtime.database.transact(build_pay_file, payments.runtime, batch_id)
    line = payments.line(award)
    take(payments, date(2023, 12, 1), entry(1, 301, line["end_to_end_id"]), entry(2, 300, "DB" + "9" * 28 + "B"))
    told = {(e["kind"], e["statement"], e["line"]) for e in payments.get("/exceptions")["data"]}
    assert {("amount_differs", "by-hand-2023-12-01", 1), ("unknown_end_to_end_id", "by-hand-2023-12-01", 2)} <= told
    assert payments.line(award)["state"] == "SENT"
