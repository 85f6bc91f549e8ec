"""The service's append-only log: events written with what they record, sealed into a Merkle tree, proved to others.

Tree: RFC 6962. Checkpoint and proof: C2SP tlog-checkpoint and tlog-proof. An event holds no ID number, card or
name, hashed or not: it names rows by their identifiers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import BigInteger, Row, Text, cast, exists, func, insert, literal, or_, select, tuple_

from services.shared.runtime import log_tree
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.tables import RuntimeTables, TransactionNumber

SEAL_LIMIT = 5_000
"""Events sealed in one transaction; the job is run again while more wait."""
SEALER_LOCK = 0x0D0D1
"""Advisory lock: one sealer at a time, so that leaf indexes have no gap."""

Details = Mapping[str, str | int | bool | None]


class NotSealedYet(Exception):
    """The event is written, but no signed checkpoint covers it yet."""


@dataclass(eq=False)
class OldBeyondCheckpoint(Exception):
    """The tree that somebody kept is larger than the newest one signed, which has `size` leaves."""

    size: int


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: who did which action on which entity, when, in which request."""

    at: datetime
    actor: str
    action: str
    entity: str
    entity_id: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """An event's leaf and the text that proves it (C2SP tlog-proof)."""

    leaf_index: int
    leaf: bytes
    text: str


def append(tx: Transaction, tables: RuntimeTables, event: Event, details: Details | None = None) -> str:
    """Write `event` in the transaction of what it records; returns its id. `details` become part of the leaf.

    Raises ValueError for a detail that has the name of one of the event's own members.
    """
    row = _row(event, details or {})
    tx.execute(insert(tables.audit_events), row)
    return row["event_id"]


def append_all(tx: Transaction, tables: RuntimeTables, events: Sequence[tuple[Event, Details]]) -> list[str]:
    """Write many events with their details, in their order, with a few statements; returns their ids."""
    rows = [_row(event, details) for event, details in events]
    if rows:
        tx.execute(insert(tables.audit_events), rows)
    return [row["event_id"] for row in rows]


def _row(event: Event, details: Details) -> dict[str, Any]:
    event_id = new_id("event")
    own: dict[str, log_tree.LeafValue] = {
        "version": 1,
        "event_id": event_id,
        "at": event.at.isoformat(),
        "actor": event.actor,
        "action": event.action,
        "entity": event.entity,
        "entity_id": event.entity_id,
        "request_id": event.request_id,
    }
    if taken := own.keys() & details.keys():
        raise ValueError(f"details may not be named {', '.join(sorted(taken))}: the event has those")
    row = {"event_id": event_id, "entity": event.entity, "entity_id": event.entity_id, "action": event.action}
    return {**row, "leaf": log_tree.canonical_leaf({**details, **own})}


def seal(tx: Transaction, tables: RuntimeTables) -> int:
    """Give the next leaf indexes to events that no open transaction can precede; returns how many were sealed.

    Identity numbers commit out of order, so events are taken in the order of their transactions, and only
    those below the snapshot's xmin: every older transaction has ended. `tx` has written nothing before.
    """
    _be_the_only_sealer(tx)
    size = tree_size(tx, tables)
    waiting = _unsealed(tx, tables)
    if not waiting:
        return 0
    leaves = [{"leaf_index": index, "audit_event": event.id} for index, event in enumerate(waiting, size)]
    hashes = [log_tree.leaf_hash(bytes(event.leaf)) for event in waiting]
    # A few statements for all events: a month's payments are sealed in seconds, and not in one event's time each.
    tx.execute(insert(tables.audit_leaves), leaves)
    tx.execute(insert(tables.audit_nodes), _new_nodes(size, hashes, _reader(tx, tables)))
    return len(waiting)


def sign_checkpoint(
    tx: Transaction, tables: RuntimeTables, origin: str, key: Ed25519PrivateKey, now: datetime
) -> str | None:
    """Sign the tree as it stands and keep the note; None when it is empty or signed already."""
    _be_the_only_sealer(tx)
    size = tree_size(tx, tables)
    last = tx.execute(select(func.max(tables.audit_checkpoints.c.size))).scalar()
    if size == 0 or size == last:
        return None
    root = log_tree.root(size, _reader(tx, tables))
    note = log_tree.sign_checkpoint(origin, size, root, key)
    tx.execute(insert(tables.audit_checkpoints).values(size=size, note=note, signed_at=now))
    return note


def latest_checkpoint(tx: Transaction, tables: RuntimeTables) -> str | None:
    """The newest signed note, or None before the first."""
    newest = _newest_checkpoint(tx, tables)
    return None if newest is None else newest.note


def prove(tx: Transaction, tables: RuntimeTables, event_id: str) -> Proof:
    """The proof that `event_id` is in the newest checkpoint's tree. Raises NotSealedYet before that."""
    events, leaves = tables.audit_events, tables.audit_leaves
    row = tx.execute(
        select(leaves.c.leaf_index, events.c.leaf).join(events).where(events.c.event_id == event_id)
    ).first()
    newest = _newest_checkpoint(tx, tables)
    if row is None or newest is None or newest.size <= row.leaf_index:
        raise NotSealedYet(event_id)
    path = log_tree.inclusion_proof(row.leaf_index, newest.size, _reader(tx, tables))
    return Proof(row.leaf_index, bytes(row.leaf), log_tree.proof_text(row.leaf_index, path, newest.note))


def prove_growth(tx: Transaction, tables: RuntimeTables, old_size: int) -> str:
    """That the newest checkpoint's tree begins with the one of `old_size` leaves (see `log_tree.consistency_text`).

    Raises NotSealedYet before the first checkpoint, OldBeyondCheckpoint for an `old_size` that exceeds the newest.
    """
    newest = _newest_checkpoint(tx, tables)
    if newest is None:
        raise NotSealedYet
    if old_size > newest.size:
        raise OldBeyondCheckpoint(newest.size)
    hashes = log_tree.consistency_proof(old_size, newest.size, _reader(tx, tables))
    return log_tree.consistency_text(old_size, hashes, newest.note)


def tree_size(tx: Transaction, tables: RuntimeTables) -> int:
    """How many events are sealed."""
    highest = tx.execute(select(func.max(tables.audit_leaves.c.leaf_index))).scalar()
    return 0 if highest is None else highest + 1


def _newest_checkpoint(tx: Transaction, tables: RuntimeTables) -> Row | None:
    checkpoints = tables.audit_checkpoints
    query = select(checkpoints.c.size, checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)
    return tx.execute(query).first()


def _be_the_only_sealer(tx: Transaction) -> None:
    tx.execute(select(func.pg_advisory_xact_lock(SEALER_LOCK, func.hashtext(func.current_schema()))))


def _new_nodes(size: int, leaf_hashes: Sequence[bytes], read_stored: log_tree.ReadNode) -> list[dict[str, Any]]:
    """The rows of all nodes that appending `leaf_hashes` to a log of `size` leaves makes final."""
    new: dict[tuple[int, int], bytes] = {}

    def read_node(level: int, position: int) -> bytes:
        return new.get((level, position)) or read_stored(level, position)

    for index, leaf_hash in enumerate(leaf_hashes, size):
        for level, position, digest in log_tree.nodes_to_store(index, leaf_hash, read_node):
            new[level, position] = digest
    return [{"level": level, "position": position, "hash": digest} for (level, position), digest in new.items()]


def _unsealed(tx: Transaction, tables: RuntimeTables) -> Sequence[Row]:
    events, leaves = tables.audit_events, tables.audit_leaves
    has_no_leaf = ~exists().where(leaves.c.audit_event == events.c.id)
    query = select(events.c.id, events.c.leaf).where(has_no_leaf).limit(SEAL_LIMIT)
    is_settled = events.c.written_by < func.pg_snapshot_xmin(func.pg_current_snapshot())
    last = _last_sealed(tx, tables)
    if last is not None and last.is_of_this_server:
        # In this order nothing can appear behind the last leaf: all transactions below xmin have ended.
        after = tuple_(cast(last.written_by, TransactionNumber), literal(last.id, BigInteger))
        query = query.where(is_settled, tuple_(events.c.written_by, events.c.id) > after)
        return tx.execute(query.order_by(events.c.written_by, events.c.id)).all()
    # The first leaf, or the log was restored from a server with higher numbers: those ended there, and go first, so
    # that this is the way until all of them have their leaf.
    is_of_another = events.c.written_by >= func.pg_snapshot_xmax(func.pg_current_snapshot())
    query = query.where(or_(is_settled, is_of_another))
    return tx.execute(query.order_by(is_settled, events.c.written_by, events.c.id)).all()


def _last_sealed(tx: Transaction, tables: RuntimeTables) -> Row | None:
    events, leaves = tables.audit_events, tables.audit_leaves
    is_of_this_server = events.c.written_by < func.pg_snapshot_xmin(func.pg_current_snapshot())
    columns = (cast(events.c.written_by, Text).label("written_by"), events.c.id)
    query = select(*columns, is_of_this_server.label("is_of_this_server")).join_from(leaves, events)
    return tx.execute(query.order_by(leaves.c.leaf_index.desc()).limit(1)).first()


def _reader(tx: Transaction, tables: RuntimeTables) -> log_tree.ReadNode:
    nodes = tables.audit_nodes

    def read(level: int, position: int) -> bytes:
        found = select(nodes.c.hash).where(nodes.c.level == level, nodes.c.position == position)
        return bytes(tx.execute(found).scalar_one())

    return read
