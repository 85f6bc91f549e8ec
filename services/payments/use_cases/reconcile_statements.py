"""Takes the bank's statements, day by day, and lets each line of them confirm, return or contradict a payment."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.end_to_end_id import EndToEndIdInvalid, parse_end_to_end_id
from services.payments.domain.ledger import Books, TransferCode, transfer_of
from services.payments.domain.reconciliation import ExceptionKind, Verdict, verdict_on_credit, verdict_on_debit
from services.payments.gateways.bank import Bank
from services.payments.gateways.iso20022 import BankMessageInvalid, Statement, read_statement
from services.payments.store import bank_statements, disbursements, exceptions, ledger, pay_files
from services.payments.store.bank_statements import BankMessage, BankStatement
from services.payments.store.disbursements import Disbursement
from services.payments.use_cases.advance_lines import Move, Who, advance_lines, worker
from services.shared.runtime import audit
from services.shared.runtime.clock import china_date
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime


def reconcile_statements(runtime: Runtime, bank: Bank) -> None:
    """The job: take every closed day that is new, then explain what is unexplained.

    A statement that cannot be read opens an exception and is asked for again; days after it wait, so that none is
    skipped. Raises BankUnavailable; the next run does the same work.
    """
    after = runtime.database.read(_last_day, runtime)
    if after is None:
        return  # nothing was ever sent
    for day in bank.closed_days(after):
        if not _take_day(runtime, bank, day):
            break
    while runtime.database.transact(explain_messages, runtime):
        pass


def _take_day(runtime: Runtime, bank: Bank, day: date) -> bool:
    content = bank.statement(day)
    if content is None:
        return False
    try:
        runtime.database.transact(take_statement, runtime, day, content, read_statement(content))
    except BankMessageInvalid:
        runtime.database.transact(_open_unreadable, runtime, day)
        return False
    return True


def _open_unreadable(tx: Transaction, runtime: Runtime, day: date) -> None:
    subject = exceptions.Subject(bank=runtime.configuration.own.bank_name, statement=day.isoformat())
    exceptions.open_exception(tx, ExceptionKind.STATEMENT_UNREADABLE, subject, runtime.now())


def take_statement(tx: Transaction, runtime: Runtime, day: date, content: bytes, statement: Statement) -> None:
    """Record one day's statement. The first one also opens the books with the treasury's money on the account.

    Raises BankMessageInvalid when it is of another account.
    """
    own, who = runtime.configuration.own, worker(runtime)
    bank_statements.lock_bank(tx, own.bank_name)
    if statement.account != own.payer_account:
        raise BankMessageInvalid("a statement is of another account")
    record = BankStatement(
        own.bank_name,
        statement.statement_id,
        day,
        statement.opening_fen,
        statement.closing_fen,
        hashlib.sha256(content).hexdigest(),
        who.now,
    )
    before = bank_statements.find_latest(tx, own.bank_name)
    if not bank_statements.insert_statement(tx, record, _messages(own.bank_name, statement)):
        return
    about: audit.Details = {
        "opening_fen": statement.opening_fen,
        "closing_fen": statement.closing_fen,
        "sha256": record.sha256,
    }
    event = audit.Event(who.now, who.actor, "take_statement", "bank_statement", statement.statement_id)
    audit.append(tx, runtime.tables, event, about)
    if before is None:
        _open_books(tx, who, record)
    elif before.closing_fen != record.opening_fen:
        subject = exceptions.Subject(bank=record.bank, statement=record.statement)
        exceptions.open_exception(tx, ExceptionKind.STATEMENT_BALANCE_DIFFERS, subject, who.now)


def explain_messages(tx: Transaction, runtime: Runtime) -> bool:
    """Judge the statement lines that nothing explains yet; True when something came of it and more may wait."""
    who, bank = worker(runtime), runtime.configuration.own.bank_name
    bank_statements.lock_bank(tx, bank)
    messages = bank_statements.list_unexplained(tx, bank)
    lines = _lines_of(tx, messages)
    judged = [(message, _judge(tx, who, lines, message)) for message in messages]
    moves = [(message, found) for message, found in judged if found is not None and found.verdict.to_state is not None]
    # A line may be debited and credited back in the statements at hand: it settles before it returns.
    for to_state in (DisbursementState.SETTLED, DisbursementState.RETURNED):
        _move(tx, runtime, who, to_state, [(m, found.line) for m, found in moves if found.verdict.to_state is to_state])
    return any(found is None or not found.verdict.must_wait for _, found in judged)


def _last_day(tx: Transaction, runtime: Runtime) -> date | None:
    bank = runtime.configuration.own.bank_name
    latest = bank_statements.find_latest(tx, bank)
    if latest is not None:
        return latest.day
    first = pay_files.first_created_at(tx, bank)
    return None if first is None else china_date(first) - timedelta(days=1)


def _messages(bank: str, statement: Statement) -> list[BankMessage]:
    return [
        BankMessage(
            bank,
            statement.statement_id,
            entry.line_number,
            entry.end_to_end_id,
            entry.is_credit,
            entry.amount_fen,
            entry.booked_on,
            entry.value_on,
            entry.return_reason,
            entry.bank_reference,
        )
        for entry in statement.entries
    ]


def _open_books(tx: Transaction, who: Who, record: BankStatement) -> None:
    if record.opening_fen <= 0:
        return
    transfer = transfer_of(TransferCode.FUND, Books(record.bank), record.opening_fen)
    # The opening balance is no line of the statement: line 0 stands for it.
    cause = ledger.Cause(bank=record.bank, statement=record.statement, line=0)
    ledger.append_transfers(tx, [ledger.Booking(transfer, cause, record.day)], who.now)


@dataclass(frozen=True, slots=True)
class _Found:
    """The line that a message names, as it stood then, and what the message means for it."""

    line: Disbursement
    verdict: Verdict


def _lines_of(tx: Transaction, messages: Sequence[BankMessage]) -> dict[str, Disbursement]:
    keys = []
    for message in messages:
        with suppress(EndToEndIdInvalid):
            keys.append(parse_end_to_end_id(message.end_to_end_id or ""))
    return {line.end_to_end_id: line for line in disbursements.lock_by_keys(tx, keys)} if keys else {}


def _judge(tx: Transaction, who: Who, lines: dict[str, Disbursement], message: BankMessage) -> _Found | None:
    line = lines.get(message.end_to_end_id or "")
    if line is None:
        _open(tx, who, ExceptionKind.UNKNOWN_END_TO_END_ID, message, None)
        _book_unknown_credit(tx, who, message)
        return None
    judge = verdict_on_credit if message.is_credit else verdict_on_debit
    verdict = judge(line.state, line.amount_fen, message.amount_fen)
    if verdict.exception is not None:
        _open(tx, who, verdict.exception, message, line.id)
    if verdict.to_state is not None:
        lines[line.end_to_end_id] = replace(line, state=verdict.to_state)
    return _Found(line, verdict)


def _move(
    tx: Transaction,
    runtime: Runtime,
    who: Who,
    to_state: DisbursementState,
    moved: Sequence[tuple[BankMessage, Disbursement]],
) -> None:
    # One statement for all lines that change alike.
    alike: dict[Any, list[tuple[BankMessage, Disbursement]]] = {}
    for message, line in moved:
        change = message.return_reason if to_state is DisbursementState.RETURNED else message.value_on
        alike.setdefault(change, []).append((message, line))
    column = "reason" if to_state is DisbursementState.RETURNED else "value_on"
    for change, some in alike.items():
        messages = {line.id: message for message, line in some}
        move = Move(to_state, "bank_statement", {column: change}, messages)
        advance_lines(tx, runtime, who, [line for _, line in some], move)


def _open(tx: Transaction, who: Who, kind: ExceptionKind, message: BankMessage, line_id: str | None) -> None:
    subject = exceptions.Subject(
        disbursement=line_id, bank=message.bank, statement=message.statement, line=message.line
    )
    exceptions.open_exception(tx, kind, subject, who.now)


def _book_unknown_credit(tx: Transaction, who: Who, message: BankMessage) -> None:
    if not message.is_credit:
        return
    transfer = transfer_of(TransferCode.UNKNOWN_IN, Books(message.bank), message.amount_fen)
    cause = ledger.Cause(bank=message.bank, statement=message.statement, line=message.line)
    ledger.append_transfers(tx, [ledger.Booking(transfer, cause, message.value_on)], who.now)
