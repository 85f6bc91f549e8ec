"""What contradicts the books opens an exception and changes no state; the books say where the difference lies."""

from datetime import date, timedelta

import pytest

from services.payments.gateways.iso20022 import Statement, StatementEntry
from services.payments.use_cases.reconcile_statements import explain_messages, take_statement
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


def test_the_same_statement_again_is_nothing_new(payments, settled) -> None:
    before = payments.rows("select count(*) from payments.bank_messages")
    payments.rows("select 1")
    take(payments, date(2023, 9, 10) + timedelta(0), entry(1, 102_000, settled["right"]["end_to_end_id"], True))
    assert payments.rows("select count(*) from payments.bank_messages") == before
