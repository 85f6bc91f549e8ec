"""Idempotency keys: the answer to a key is written in the transaction of its effect, and given again after.

Keys are kept for good: a yearly job is sent again a year later under the same key.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.shared.runtime.database import Transaction
from services.shared.runtime.tables import RuntimeTables

MAX_KEY_LENGTH = 200


class IdempotencyKeyMissing(Exception):
    """The operation makes money, a batch or a case, and was sent without a key."""


class IdempotencyKeyReused(Exception):
    """The key was used before, with another body."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered to a key: HTTP status and body bytes, and whether it is being given again."""

    status: int
    body: bytes
    is_replay: bool


def fingerprint_of(operation: str, body: bytes) -> bytes:
    """SHA-256 of the operation and the body: the same key must come with the same request."""
    return hashlib.sha256(operation.encode() + b"\0" + body).digest()


def answer_once(
    tx: Transaction,
    tables: RuntimeTables,
    caller: str,
    key: str,
    fingerprint: bytes,
    now: datetime,
    effect: Callable[[], tuple[int, bytes]],
) -> KeptAnswer:
    """Run `effect` and keep its answer, unless `key` already has one.

    Two requests with one key at one time: the second waits for the first's commit on the primary key, then
    finds its answer. Raises IdempotencyKeyReused for another body under the key.
    """
    keys = tables.idempotency_keys
    row = {"caller": caller, "key": key, "fingerprint": fingerprint, "created_at": now}
    inserted = tx.execute(insert(keys).values(row).on_conflict_do_nothing().returning(keys.c.key)).first()
    this = and_(keys.c.caller == caller, keys.c.key == key)
    if inserted is None:
        kept = tx.execute(select(keys.c.fingerprint, keys.c.status, keys.c.answer).where(this)).one()
        if bytes(kept.fingerprint) != fingerprint:
            raise IdempotencyKeyReused
        return KeptAnswer(kept.status, bytes(kept.answer), is_replay=True)
    status, body = effect()
    tx.execute(update(keys).where(this).values(status=status, answer=body))
    return KeptAnswer(status, body, is_replay=False)
