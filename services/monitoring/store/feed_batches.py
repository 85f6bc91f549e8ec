"""Batches as they were received, each with the answer that it got."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert as plain_insert
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.monitoring.store.tables import feed_batches, feed_nonces
from services.shared.runtime.database import Transaction


@dataclass(frozen=True, slots=True)
class ReceivedBatch:
    """One batch. `digest` is the SHA-256 of the body as sent; `answer` the JSON bytes that the sender got.

    `region` is where the sender is registered: who may see the batch is who covers it.
    """

    id: str
    feed: str
    partner: str
    region: str
    batch_no: str
    digest: bytes
    key_id: str
    as_of: date
    mode: str
    row_count: int
    accepted_count: int
    state: str
    answer: bytes
    received_at: datetime


def insert_batch(tx: Transaction, batch: ReceivedBatch) -> bool:
    """Keep the batch unless the partner used its number before; says whether it was kept."""
    row = {name: getattr(batch, name) for name in ReceivedBatch.__dataclass_fields__}
    kept = insert(feed_batches).values(row).on_conflict_do_nothing(constraint="feed_batch_number_is_used_once")
    return tx.execute(kept.returning(feed_batches.c.id)).first() is not None


def find_batch_by_number(tx: Transaction, partner: str, feed: str, batch_no: str) -> ReceivedBatch | None:
    """The partner's batch of that number."""
    t = feed_batches.c
    return _one(tx, select(feed_batches).where(t.partner == partner, t.feed == feed, t.batch_no == batch_no))


def find_batch(tx: Transaction, batch_id: str) -> ReceivedBatch | None:
    """The batch with our own id."""
    return _one(tx, select(feed_batches).where(feed_batches.c.id == batch_id))


def use_nonce(tx: Transaction, key_id: str, nonce: str, received_at: datetime) -> None:
    """Burn the nonce; the constraint `feed_nonce_is_used_once` refuses it the second time."""
    tx.execute(plain_insert(feed_nonces).values(key_id=key_id, nonce=nonce, received_at=received_at))


def _one(tx: Transaction, query) -> ReceivedBatch | None:  # type: ignore[no-untyped-def]
    row = tx.execute(query).mappings().first()
    if row is None:
        return None
    return ReceivedBatch(**{**row, "digest": bytes(row["digest"]), "answer": bytes(row["answer"])})
