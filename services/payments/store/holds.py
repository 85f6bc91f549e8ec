"""Holds after death alerts: who must answer, by when, and who did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Select, insert, or_, select, update

from services.payments.domain.hold import HoldAnswer, HoldState
from services.payments.store.tables import holds
from services.shared.runtime.database import Transaction

PAGE_LIMIT = 500
LAPSE_LIMIT = 200
UNDATED_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as it stands. `from_month` is that of the death: earlier months are owed whatever the answer.
    `disbursement` is the line held, None while the next line does not exist. `answer_by` is None while the calendar
    year that it falls in is not loaded."""

    id: str
    alert: str
    award: str
    member: str
    region: str
    source: str
    rule: dict[str, Any]
    from_month: date
    placed_at: datetime
    answer_by: date | None
    answered_by_office: str
    state: HoldState
    disbursement: str | None = None
    answer: HoldAnswer | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None
    confirmed_by: str | None = None
    ended_at: datetime | None = None


def insert_hold(tx: Transaction, hold: Hold) -> None:
    """Record a hold."""
    tx.execute(insert(holds).values({name: getattr(hold, name) for name in Hold.__dataclass_fields__}))


def find_hold(tx: Transaction, hold_id: str) -> Hold | None:
    """The hold of that id, if there is one."""
    return _first(tx, select(holds).where(holds.c.id == hold_id))


def lock_hold(tx: Transaction, hold_id: str) -> Hold | None:
    """The same, locked."""
    return _first(tx, select(holds).where(holds.c.id == hold_id).with_for_update())


def lock_waiting(tx: Transaction, award_id: str, member: str) -> Hold | None:
    """The hold about this member that still waits for people, locked."""
    waiting = (HoldState.OPEN, HoldState.ANSWERED)
    query = select(holds).where(holds.c.award == award_id, holds.c.member == member, holds.c.state.in_(waiting))
    return _first(tx, query.order_by(holds.c.id).limit(1).with_for_update())


def lock_without_line(tx: Transaction, award_id: str, month: date) -> list[Hold]:
    """Waiting holds of an award that have found no line yet and may hold one of `month`, locked."""
    waiting = (HoldState.OPEN, HoldState.ANSWERED)
    query = select(holds).where(
        holds.c.award == award_id,
        holds.c.disbursement.is_(None),
        holds.c.from_month <= month,
        holds.c.state.in_(waiting),
    )
    return [_hold(row) for row in tx.execute(query.order_by(holds.c.id).with_for_update()).mappings()]


def lock_past_answer(tx: Transaction, today: date) -> list[Hold]:
    """Open holds whose last day for an answer is before `today`, locked; at most LAPSE_LIMIT.

    An answer that waits for its second person does not lapse: people are at work on it. It is overdue, and shown so.
    """
    query = select(holds).where(holds.c.state == HoldState.OPEN, holds.c.answer_by < today)
    locked = query.order_by(holds.c.id).limit(LAPSE_LIMIT).with_for_update(skip_locked=True)
    return [_hold(row) for row in tx.execute(locked).mappings()]


def lock_undated(tx: Transaction, after: str) -> list[Hold]:
    """Waiting holds without a last day for the answer whose id follows `after`, in order of id, locked; at most
    UNDATED_LIMIT."""
    waiting = (HoldState.OPEN, HoldState.ANSWERED)
    query = select(holds).where(holds.c.state.in_(waiting), holds.c.answer_by.is_(None), holds.c.id > after)
    locked = query.order_by(holds.c.id).limit(UNDATED_LIMIT).with_for_update(skip_locked=True)
    return [_hold(row) for row in tx.execute(locked).mappings()]


def put_hold(tx: Transaction, hold_id: str, changes: Mapping[str, Any]) -> None:
    """Change a locked hold's state, day, line, answer or confirmation."""
    tx.execute(update(holds).where(holds.c.id == hold_id).values(**changes))


def list_holds(
    tx: Transaction, region_prefixes: tuple[str, ...], state: str | None, after: str, limit: int
) -> list[Hold]:
    """Holds of the places under the prefixes whose id follows `after`, in order of id."""
    within = [holds.c.region.startswith(prefix, autoescape=True) for prefix in region_prefixes]
    query = select(holds).where(holds.c.id > after, or_(*within) if within else holds.c.id.is_(None))
    if state is not None:
        query = query.where(holds.c.state == state)
    return [_hold(row) for row in tx.execute(query.order_by(holds.c.id).limit(min(limit, PAGE_LIMIT))).mappings()]


def _first(tx: Transaction, query: Select[Any]) -> Hold | None:
    row = tx.execute(query).mappings().first()
    return None if row is None else _hold(row)


def _hold(row: RowMapping) -> Hold:
    answer = row["answer"]
    return Hold(**{**row, "state": HoldState(row["state"]), "answer": HoldAnswer(answer) if answer else None})
