"""Determinations: the request, the packs by hash and the answer, as they were."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select

from services.eligibility.store.tables import determinations
from services.shared.runtime.database import Transaction


@dataclass(frozen=True, slots=True)
class Determination:
    """A recorded determination; `request` and `answer` are the exact bytes."""

    id: str
    as_of: date
    region: str
    request: bytes
    answer: bytes
    packs: list[dict[str, Any]]
    determined_by: str
    event_id: str
    determined_at: datetime


def insert_determination(tx: Transaction, determination: Determination) -> None:
    """Record `determination`; it is never changed again."""
    columns = Determination.__dataclass_fields__
    tx.execute(insert(determinations).values({name: getattr(determination, name) for name in columns}))


def find_determination(tx: Transaction, determination_id: str) -> Determination | None:
    """The determination of that id, if there is one."""
    row = tx.execute(select(determinations).where(determinations.c.id == determination_id)).mappings().first()
    return None if row is None else Determination(**row)
