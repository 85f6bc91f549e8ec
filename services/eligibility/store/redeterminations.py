"""Redeterminations: what a recorded determination's months came to anew, as it was answered."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select

from services.eligibility.store.tables import redeterminations
from services.shared.runtime.database import Transaction


@dataclass(frozen=True, slots=True)
class Redetermination:
    """A recorded redetermination of the months from the first on, before `until_month`; `answer` is the exact bytes."""

    id: str
    determination: str
    from_month: date
    until_month: date
    still_due_fen: int
    granted_too_much_fen: int
    answer: bytes
    redetermined_by: str
    event_id: str
    redetermined_at: datetime


def insert_redetermination(tx: Transaction, redetermination: Redetermination) -> None:
    """Record `redetermination`; it is never changed again."""
    columns = Redetermination.__dataclass_fields__
    tx.execute(insert(redeterminations).values({name: getattr(redetermination, name) for name in columns}))


def find_redetermination(tx: Transaction, redetermination_id: str) -> Redetermination | None:
    """The redetermination of that id, if there is one."""
    query = select(redeterminations).where(redeterminations.c.id == redetermination_id)
    row = tx.execute(query).mappings().first()
    return None if row is None else Redetermination(**row)
