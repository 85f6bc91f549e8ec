"""Takes a checked batch of death records: keeps it, raises an alert for each new death, and tells payments."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.monitoring.domain.alert import Alert
from services.monitoring.domain.death_batch import FEED, CheckedBatch, DeathBatch, DeathRecord
from services.monitoring.domain.signal import Signal
from services.monitoring.gateways.signed_message import Sender
from services.monitoring.store import alerts, death_records, feed_batches
from services.monitoring.store.death_records import StoredDeath
from services.monitoring.store.feed_batches import ReceivedBatch
from services.monitoring.store.tables import metadata, runtime_tables
from services.shared.runtime import audit, outbox
from services.shared.runtime.database import Transaction
from services.shared.runtime.personal_data import PersonalData

DEATH_ALERT = "death_alert"
"""The kind of the outbox message that tells payments."""
SCHEMA = str(metadata.schema)


class BatchNumberReused(Exception):
    """The partner sent another batch under this number before."""


@dataclass(frozen=True, slots=True)
class Received:
    """A batch as it came, judged, with everything that time and chance decide handed in."""

    batch_id: str
    batch: DeathBatch
    checked: CheckedBatch
    body: bytes
    answer: bytes
    sender: Sender
    request_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """The sender's answer in bytes, and whether it was given before."""

    answer: bytes
    is_replay: bool


def receive_death_batch(
    tx: Transaction, received: Received, signal: Signal, personal_data: PersonalData, new_id: Callable[[str], str]
) -> Answered:
    """Keep the batch once and give its answer, the same each time the same bytes come.

    Raises BatchNumberReused for other bytes under a number that was used, NonceReused for a message seen before.
    """
    feed_batches.use_nonce(tx, received.sender.key_id, received.sender.nonce, received.now)
    if not feed_batches.insert_batch(tx, _batch(received)):
        return _answered_before(tx, received)
    _audit_batch(tx, received)
    stored = [_stored(received, record, personal_data, new_id) for record in received.checked.accepted]
    death_records.insert_deaths(tx, stored)
    _raise_alerts(tx, received, stored, signal, new_id)
    return Answered(received.answer, is_replay=False)


def _answered_before(tx: Transaction, received: Received) -> Answered:
    earlier = feed_batches.find_batch_by_number(tx, received.sender.partner, FEED, received.batch.batch_no)
    assert earlier is not None  # its number was just refused, and batches are never deleted
    if earlier.digest != hashlib.sha256(received.body).digest():
        raise BatchNumberReused
    return Answered(earlier.answer, is_replay=True)


def _raise_alerts(
    tx: Transaction, received: Received, stored: list[StoredDeath], signal: Signal, new_id: Callable[[str], str]
) -> None:
    people = sorted(stored, key=lambda record: record.id_number_index)
    raised = [_alert(received, record, signal, new_id("alert")) for record in people]
    indexes = [record.id_number_index for record in people]
    kept = alerts.insert_alerts(tx, list(zip(raised, indexes, strict=True)))
    # An alert that stands already is left alone: what was decided on it is not undone by a record that comes again.
    new = [alert for alert in raised if alert.id in kept]
    audit.append_all(tx, runtime_tables, [_raising(received, alert) for alert in new])
    outbox.append_all(tx, runtime_tables, SCHEMA, DEATH_ALERT, [alert.id for alert in new], received.now)


def _alert(received: Received, record: StoredDeath, signal: Signal, alert_id: str) -> Alert:
    return Alert(
        id=alert_id,
        rule_id=signal.id,
        pack=signal.pack,
        pack_version=signal.pack_version,
        grade=signal.grade,
        deadline_working_days=signal.deadline_working_days,
        limit_on=signal.limit_on(record.died_on),
        death_record_id=record.id,
        batch_id=received.batch_id,
        region=received.sender.region,
        raised_at=received.now,
    )


def _raising(received: Received, alert: Alert) -> tuple[audit.Event, audit.Details]:
    record_id, batch_id = alert.death_record_id, received.batch_id
    details = {"rule": alert.rule_id, "grade": alert.grade, "death_record_id": record_id, "batch_id": batch_id}
    return _event(received, "alert_raised", "alert", alert.id), details


def _batch(received: Received) -> ReceivedBatch:
    batch, checked = received.batch, received.checked
    return ReceivedBatch(
        id=received.batch_id,
        feed=FEED,
        partner=received.sender.partner,
        region=received.sender.region,
        batch_no=batch.batch_no,
        digest=hashlib.sha256(received.body).digest(),
        key_id=received.sender.key_id,
        as_of=batch.as_of,
        mode=batch.mode,
        row_count=batch.row_count,
        accepted_count=len(checked.accepted),
        state=checked.state,
        answer=received.answer,
        received_at=received.now,
    )


def _audit_batch(tx: Transaction, received: Received) -> None:
    # The sender's number stays out: it is free text, and the digest names the batch better.
    details: audit.Details = {
        "feed": FEED,
        "sha256": hashlib.sha256(received.body).hexdigest(),
        "key_id": received.sender.key_id,
        "row_count": received.batch.row_count,
        "accepted_count": len(received.checked.accepted),
        "state": received.checked.state,
    }
    audit.append(tx, runtime_tables, _event(received, "batch_received", "feed_batch", received.batch_id), details)


def _event(received: Received, action: str, entity: str, entity_id: str) -> audit.Event:
    actor = f"partner/{received.sender.partner}"
    return audit.Event(received.now, actor, action, entity, entity_id, received.request_id)


def _stored(
    received: Received, record: DeathRecord, personal_data: PersonalData, new_id: Callable[[str], str]
) -> StoredDeath:
    record_id, number = new_id("death"), record.id_number.text
    return StoredDeath(
        id=record_id,
        batch_id=received.batch_id,
        row_number=record.row_number,
        id_number_sealed=personal_data.encrypt(death_records.COLUMN, record_id, number),
        id_number_index=personal_data.index_of("id_number", number),
        died_on=record.died_on,
        source=record.source,
        received_at=received.now,
    )
