"""The ledger's transfers, written once, and the balances computed from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_if_absent

from services.payments.domain.ledger import Transfer
from services.payments.store.tables import accounts, transfers
from services.shared.runtime.database import Transaction


@dataclass(frozen=True, slots=True)
class Cause:
    """What a transfer follows: an event of a line, or a message of the bank, or both."""

    disbursement: str | None = None
    event_number: int | None = None
    bank: str | None = None
    statement: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """A transfer with its cause and value date."""

    transfer: Transfer
    cause: Cause
    value_on: date


@dataclass(frozen=True, slots=True)
class Balance:
    """What went in and out of an account, in fen; the balance is debits less credits."""

    account: str
    debits_fen: int
    credits_fen: int


@dataclass(frozen=True, slots=True)
class BookedTransfer:
    """A transfer as it stands in the ledger."""

    code: str
    debit_account: str
    credit_account: str
    amount_fen: int
    booked_at: datetime
    value_on: date


def append_transfers(tx: Transaction, bookings: Sequence[Booking], now: datetime) -> None:
    """Write transfers, opening the accounts that are new."""
    if not bookings:
        return
    codes = {code for b in bookings for code in (b.transfer.debit_account, b.transfer.credit_account)}
    opened = insert_if_absent(accounts).values([_account(code) for code in sorted(codes)])
    tx.execute(opened.on_conflict_do_nothing())
    tx.execute(insert(transfers), [_row(booking, now) for booking in bookings])


def list_balances(tx: Transaction) -> list[Balance]:
    """Every account that was ever moved, by code."""
    debits = select(transfers.c.debit_account.label("account"), transfers.c.amount_fen.label("debit"), _zero("credit"))
    credits = select(transfers.c.credit_account, _zero("debit"), transfers.c.amount_fen)
    both = debits.union_all(credits).subquery()
    query = select(both.c.account, func.sum(both.c.debit), func.sum(both.c.credit)).group_by(both.c.account)
    return [Balance(row[0], int(row[1]), int(row[2])) for row in tx.execute(query.order_by(both.c.account))]


def balance_fen(tx: Transaction, account: str) -> int:
    """Debits less credits of one account, in fen."""

    def total(column):  # type: ignore[no-untyped-def]
        return select(func.coalesce(func.sum(transfers.c.amount_fen), 0)).where(column == account).scalar_subquery()

    return int(tx.execute(select(total(transfers.c.debit_account) - total(transfers.c.credit_account))).scalar_one())


def list_of_disbursement(tx: Transaction, disbursement_id: str) -> list[BookedTransfer]:
    """A line's transfers, first to last."""
    columns = [transfers.c[name] for name in BookedTransfer.__dataclass_fields__]
    query = select(*columns).where(transfers.c.disbursement == disbursement_id).order_by(transfers.c.id)
    return [BookedTransfer(*row) for row in tx.execute(query)]


def _zero(name: str):  # type: ignore[no-untyped-def]
    return literal(0, transfers.c.amount_fen.type).label(name)


def _account(code: str) -> dict[str, str | None]:
    kind, _, owner = code.partition(":")
    region, _, programme = owner.partition(":")
    if programme:
        return {"code": code, "kind": kind, "region": region, "programme": programme, "bank": None}
    return {"code": code, "kind": kind, "region": None, "programme": None, "bank": owner}


def _row(booking: Booking, now: datetime) -> dict[str, object]:
    transfer, cause = booking.transfer, booking.cause
    moved = {name: getattr(transfer, name) for name in ("code", "debit_account", "credit_account", "amount_fen")}
    because = {name: getattr(cause, name) for name in Cause.__dataclass_fields__}
    return {**moved, **because, "booked_at": now, "value_on": booking.value_on}
