"""Contradictions between the books and the world, opened once each, for people to look at."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.payments.store.tables import exceptions
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id

PAGE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Subject:
    """What contradicts: a line, a file, an award's month, a line of a statement; what is known of these."""

    disbursement: str | None = None
    pay_file: str | None = None
    award: str | None = None
    month: date | None = None
    bank: str | None = None
    statement: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class OpenException:
    """One contradiction as it stands."""

    id: str
    kind: str
    disbursement: str | None
    pay_file: str | None
    award: str | None
    month: date | None
    bank: str | None
    statement: str | None
    line: int | None
    opened_at: datetime


def open_exception(tx: Transaction, kind: str, subject: Subject, now: datetime) -> str | None:
    """Open an exception and give its id; None when the same one stands already."""
    row = {name: getattr(subject, name) for name in Subject.__dataclass_fields__}
    opened = insert(exceptions).values({**row, "id": new_id("exception"), "kind": kind, "opened_at": now})
    return tx.execute(opened.on_conflict_do_nothing().returning(exceptions.c.id)).scalar()


def list_exceptions(tx: Transaction, after: str, limit: int) -> list[OpenException]:
    """Exceptions whose id follows `after`, in order of id."""
    columns = [exceptions.c[name] for name in OpenException.__dataclass_fields__]
    query = select(*columns).where(exceptions.c.id > after).order_by(exceptions.c.id).limit(min(limit, PAGE_LIMIT))
    return [OpenException(*row) for row in tx.execute(query)]
