"""Alerts, and what payments answered to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from services.monitoring.domain.alert import RAISED, Alert, Hold, PaymentsAnswer
from services.monitoring.store.death_records import StoredDeath
from services.monitoring.store.tables import alert_answers, alerts, death_records, feed_batches
from services.shared.runtime.database import Transaction
from services.shared.vocabulary.actor import prefixes_of


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are listed; None means any. `before` is the id after which the last page ended."""

    state: str | None = None
    grade: str | None = None
    rule_id: str | None = None
    batch_id: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """An alert with its record, the department that sent it, and payments' answer when there is one."""

    alert: Alert
    record: StoredDeath
    partner: str
    answer: PaymentsAnswer | None
    answered_at: datetime | None

    @property
    def state(self) -> str:
        """RAISED until payments has answered, then its outcome."""
        return self.answer.outcome if self.answer else RAISED


def insert_alerts(tx: Transaction, raised: Sequence[tuple[Alert, bytes]]) -> frozenset[str]:
    """Keep each alert, with the person's index, unless its rule has one for the person; gives the ids of the kept.

    They are written in the order given: in one order for all, two batches never wait for each other in a ring.
    """
    if not raised:
        return frozenset()
    kept = insert(alerts).on_conflict_do_nothing(constraint="alert_is_raised_once_for_a_person")
    rows = [_row(alert) | {"person_index": person_index} for alert, person_index in raised]
    return frozenset(tx.execute(kept.returning(alerts.c.id), rows).scalars())


def insert_answer(tx: Transaction, alert_id: str, answer: PaymentsAnswer, answered_at: datetime) -> bool:
    """Keep payments' answer unless it is kept already; says whether it was new."""
    holds = [{"id": hold.id, "answer_by": hold.answer_by and hold.answer_by.isoformat()} for hold in answer.holds]
    row = {"alert_id": alert_id, "outcome": answer.outcome, "holds": holds, "answered_at": answered_at}
    kept = insert(alert_answers).values(row).on_conflict_do_nothing()
    return tx.execute(kept.returning(alert_answers.c.alert_id)).first() is not None


def find_alert(tx: Transaction, alert_id: str) -> ListedAlert | None:
    """The alert of that id."""
    row = tx.execute(_whole().where(alerts.c.id == alert_id)).first()
    return None if row is None else _listed(row)


def list_alerts(tx: Transaction, wanted: AlertFilter, regions: tuple[str, ...], limit: int) -> list[ListedAlert]:
    """The newest alerts first, at most `limit`, of senders whose region lies in one of `regions`."""
    query = _whole().where(_within(regions))
    state = func.coalesce(alert_answers.c.outcome, RAISED)
    for column, value in (
        (state, wanted.state),
        (alerts.c.grade, wanted.grade),
        (alerts.c.rule_id, wanted.rule_id),
        (death_records.c.batch_id, wanted.batch_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.before is not None:
        query = query.where(alerts.c.id < wanted.before)
    return [_listed(row) for row in tx.execute(query.order_by(alerts.c.id.desc()).limit(limit))]


def _row(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in Alert.__dataclass_fields__ if name != "batch_id"}


def _whole() -> Select:
    joined = alerts.join(death_records).join(feed_batches).outerjoin(alert_answers)
    record = [column.label(f"record_{column.name}") for column in death_records.c]
    answer = [alert_answers.c.outcome, alert_answers.c.holds, alert_answers.c.answered_at]
    return select(alerts, *record, feed_batches.c.partner, *answer).select_from(joined)


def _within(regions: tuple[str, ...]) -> ColumnElement[bool]:
    return or_(False, *(alerts.c.region.startswith(prefix) for region in regions for prefix in prefixes_of(region)))


def _listed(row: Row) -> ListedAlert:
    cells = row._mapping
    record = {name: cells[f"record_{name}"] for name in StoredDeath.__dataclass_fields__}
    sealed, index = bytes(record["id_number_sealed"]), bytes(record["id_number_index"])
    stored = StoredDeath(**{**record, "id_number_sealed": sealed, "id_number_index": index})
    own = {name: cells[name] for name in Alert.__dataclass_fields__ if name != "batch_id"}
    answer = None if row.outcome is None else PaymentsAnswer(row.outcome, tuple(map(_hold, row.holds)))
    return ListedAlert(Alert(**own, batch_id=stored.batch_id), stored, row.partner, answer, row.answered_at)


def _hold(hold: dict[str, str | None]) -> Hold:
    answer_by = hold["answer_by"]
    return Hold(str(hold["id"]), None if answer_by is None else date.fromisoformat(answer_by))
