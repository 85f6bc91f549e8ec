"""The outbox: what the outside must be told is a row of the cause's transaction, delivered later, at least once.

A row names an entity and holds no data; the message is built from the store when it is sent, so that no personal
data lies here. Its id is the idempotency key at the receiver, which applies it once.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, insert, select, update

from services.shared.runtime import jobs
from services.shared.runtime.clock import Now
from services.shared.runtime.database import Database, Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.service_client import PeerRefused, PeerUnavailable
from services.shared.runtime.tables import RuntimeTables

JOB = "deliver_outbox_message"
FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 300.0
MAX_TRIES = 2_000
"""With the longest delay between tries this is a week; then the message is parked, and seen by `doudi doctor`."""

OnAnswer = Callable[[Transaction], None]
AGAIN_LIMIT = 10_000

Send = Callable[[str, str], OnAnswer | None]
"""(message id, entity id) → sends it and gives what is to be written of the answer, in the transaction that marks
the message delivered; raises PeerUnavailable or PeerRefused."""


def append(tx: Transaction, tables: RuntimeTables, schema: str, kind: str, entity_id: str, now: datetime) -> str:
    """Write a message of `kind` about `entity_id`, and the job that delivers it; returns the message's id."""
    message_id = new_id("message")
    row = {"id": message_id, "kind": kind, "entity_id": entity_id, "created_at": now}
    tx.execute(insert(tables.outbox_messages).values(row))
    jobs.enqueue(tx, schema, JOB, message_id)
    return message_id


def append_all(
    tx: Transaction, tables: RuntimeTables, schema: str, kind: str, entity_ids: Sequence[str], now: datetime
) -> None:
    """The same for many entities, a message each, with a few statements."""
    rows = [{"id": new_id("message"), "kind": kind, "entity_id": entity, "created_at": now} for entity in entity_ids]
    if rows:
        tx.execute(insert(tables.outbox_messages), rows)
        jobs.enqueue_all(tx, schema, JOB, [str(row["id"]) for row in rows])


def deliver(database: Database, tables: RuntimeTables, senders: Mapping[str, Send], now: Now, message_id: str) -> None:
    """The job: send one message outside any transaction, then mark it; come again later when the peer is away."""
    message = database.read(_find, tables, message_id)
    if message.delivered_at is not None or message.parked_at is not None:
        return
    try:
        on_answer = senders[message.kind](message_id, message.entity_id)
    except PeerUnavailable:
        tries = database.transact(_note_failure, tables, message_id, "unavailable", now())
        if tries >= MAX_TRIES:
            return
        raise jobs.TryAgain(min(FIRST_DELAY_SECONDS * 2 ** min(tries, 20), MAX_DELAY_SECONDS)) from None
    except PeerRefused as refusal:
        database.transact(_park, tables, message_id, f"{refusal.status} {refusal.code}", now())
        return
    database.transact(_mark_delivered, tables, message_id, now(), on_answer)


def count_parked(tx: Transaction, tables: RuntimeTables) -> int:
    """How many messages a person must look at."""
    parked = tables.outbox_messages.c.parked_at.is_not(None)
    return tx.execute(select(func.count()).where(parked)).scalar_one()


def send_parked_again(tx: Transaction, tables: RuntimeTables, schema: str) -> int:
    """Put what was parked on its way again, a person having seen to its cause; how many messages.

    At most AGAIN_LIMIT at once. Each keeps its id, so a receiver that has it already applies nothing twice.
    """
    messages = tables.outbox_messages
    oldest = select(messages.c.id).where(messages.c.parked_at.is_not(None)).order_by(messages.c.id).limit(AGAIN_LIMIT)
    ids = list(tx.execute(oldest.with_for_update(skip_locked=True)).scalars())
    tx.execute(update(messages).where(messages.c.id.in_(ids)).values(parked_at=None, tries=0))
    jobs.enqueue_all(tx, schema, JOB, ids)
    return len(ids)


def _find(tx: Transaction, tables: RuntimeTables, message_id: str):  # type: ignore[no-untyped-def]
    return tx.execute(select(tables.outbox_messages).where(tables.outbox_messages.c.id == message_id)).one()


def _note_failure(tx: Transaction, tables: RuntimeTables, message_id: str, failure: str, now: datetime) -> int:
    messages = tables.outbox_messages
    counted = (
        update(messages).where(messages.c.id == message_id).values(tries=messages.c.tries + 1, last_failure=failure)
    )
    tries = tx.execute(counted.returning(messages.c.tries)).scalar_one()
    if tries >= MAX_TRIES:
        _park(tx, tables, message_id, failure, now)
    return tries


def _park(tx: Transaction, tables: RuntimeTables, message_id: str, failure: str, now: datetime) -> None:
    messages = tables.outbox_messages
    tx.execute(update(messages).where(messages.c.id == message_id).values(parked_at=now, last_failure=failure))


def _mark_delivered(
    tx: Transaction, tables: RuntimeTables, message_id: str, now: datetime, on_answer: OnAnswer | None
) -> None:
    messages = tables.outbox_messages
    tx.execute(update(messages).where(messages.c.id == message_id).values(delivered_at=now, last_failure=None))
    if on_answer is not None:
        on_answer(tx)
