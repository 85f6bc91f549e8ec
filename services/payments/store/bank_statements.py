"""Statements that the bank published, each taken once, line by line."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Table, exists, func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_if_absent

from services.payments.store.disbursements import is_of_a_sent_line
from services.payments.store.tables import bank_messages, bank_statements, disbursement_events, exceptions, transfers
from services.shared.runtime.database import Transaction

WAITING_LIMIT = 500
STATEMENT_LOCK = 0x0D0D3
"""Advisory lock: two that explain one statement line at once would take the second look for a second debit."""


@dataclass(frozen=True, slots=True)
class BankStatement:
    """One day of the payer's account as the bank tells it, in fen."""

    bank: str
    statement: str
    day: date
    opening_fen: int
    closing_fen: int
    sha256: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class BankMessage:
    """One line of a statement."""

    bank: str
    statement: str
    line: int
    end_to_end_id: str | None
    is_credit: bool
    amount_fen: int
    booked_on: date
    value_on: date
    return_reason: str | None
    bank_reference: str


def insert_statement(tx: Transaction, statement: BankStatement, messages: list[BankMessage]) -> bool:
    """Take a statement with its lines; False when it was taken before, and then nothing is written."""
    row = {name: getattr(statement, name) for name in BankStatement.__dataclass_fields__}
    taken = insert_if_absent(bank_statements).values(row).on_conflict_do_nothing()
    if tx.execute(taken.returning(bank_statements.c.statement)).first() is None:
        return False
    if messages:
        names = BankMessage.__dataclass_fields__
        tx.execute(insert(bank_messages), [{name: getattr(message, name) for name in names} for message in messages])
    return True


def lock_bank(tx: Transaction, bank: str) -> None:
    """Make every other reader of this bank's statements wait until this transaction ends."""
    tx.execute(select(func.pg_advisory_xact_lock(STATEMENT_LOCK, func.hashtext(bank))))


def find_latest(tx: Transaction, bank: str) -> BankStatement | None:
    """The statement of the latest day taken."""
    columns = [bank_statements.c[name] for name in BankStatement.__dataclass_fields__]
    query = select(*columns).where(bank_statements.c.bank == bank).order_by(bank_statements.c.day.desc()).limit(1)
    row = tx.execute(query).first()
    return None if row is None else BankStatement(*row)


def list_unexplained(tx: Transaction, bank: str) -> list[BankMessage]:
    """Lines that neither moved a line of ours nor opened an exception yet, in the bank's order; at most WAITING_LIMIT.

    What names a line still SENT is left out: it waits for the status report, and must keep nothing else waiting.
    """
    message = bank_messages.c

    def mentioned(table: Table) -> ColumnElement[bool]:
        same = (table.c.bank == message.bank, table.c.statement == message.statement, table.c.line == message.line)
        return exists().where(*same)

    query = select(*(message[name] for name in BankMessage.__dataclass_fields__)).where(
        message.bank == bank,
        ~mentioned(disbursement_events),
        ~mentioned(exceptions),
        ~mentioned(transfers),
        ~is_of_a_sent_line(message.end_to_end_id, message.amount_fen),
    )
    rows = tx.execute(query.order_by(message.booked_on, message.statement, message.line).limit(WAITING_LIMIT))
    return [BankMessage(*row) for row in rows]
