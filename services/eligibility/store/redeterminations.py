"""Redeterminations: what a recorded determination's months came to anew, as it was answered."""

from datetime import date, datetime

from sqlalchemy import insert, select

from services.eligibility.store.tables import redeterminations
from services.shared.runtime.database import Transaction


def insert_redetermination(
    tx: Transaction,
    *,
    id: str,
    determination: str,
    from_month: date,
    until_month: date,
    still_due_fen: int,
    granted_too_much_fen: int,
    answer: bytes,
    redetermined_by: str,
    event_id: str,
    redetermined_at: datetime,
) -> None:
    """Record a redetermination; it is never changed again."""
    row = {
        "id": id,
        "determination": determination,
        "from_month": from_month,
        "until_month": until_month,
        "still_due_fen": still_due_fen,
        "granted_too_much_fen": granted_too_much_fen,
        "answer": answer,
        "redetermined_by": redetermined_by,
        "event_id": event_id,
        "redetermined_at": redetermined_at,
    }
    tx.execute(insert(redeterminations).values(row))


def find_redetermination(tx: Transaction, redetermination_id: str) -> tuple[str, bytes] | None:
    """The determination that a redetermination is of, and its answer, if there is one of that id."""
    query = select(redeterminations.c.determination, redeterminations.c.answer)
    row = tx.execute(query.where(redeterminations.c.id == redetermination_id)).first()
    return None if row is None else (row.determination, row.answer)
