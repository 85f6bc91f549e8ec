"""Batches and who did what to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Select, insert, or_, select, update

from services.payments.domain.batch import BatchState, ControlTotals
from services.payments.store.tables import batches, disbursements, runtime_tables
from services.shared.runtime.database import Transaction

PAGE_LIMIT = 500
CLOSE_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands; `month` is the first day of the entitlement month."""

    id: str
    programme: str
    region: str
    month: date
    state: BatchState
    line_count: int
    total_fen: int
    lines_root: str
    created_by: str
    created_at: datetime
    submitted_by: str | None = None
    submitted_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    released_by: str | None = None
    released_at: datetime | None = None

    @property
    def totals(self) -> ControlTotals:
        """What the checker must quote."""
        return ControlTotals(self.line_count, self.total_fen, self.lines_root)


def insert_batch(tx: Transaction, batch: Batch) -> None:
    """Record a new batch."""
    tx.execute(insert(batches).values({name: getattr(batch, name) for name in Batch.__dataclass_fields__}))


def find_batch(tx: Transaction, batch_id: str) -> Batch | None:
    """The batch of that id, if there is one."""
    return _first(tx, select(batches).where(batches.c.id == batch_id))


def lock_batch(tx: Transaction, batch_id: str) -> Batch | None:
    """The same, locked."""
    return _first(tx, select(batches).where(batches.c.id == batch_id).with_for_update())


def put_state(tx: Transaction, batch_id: str, state: BatchState, changes: Mapping[str, Any] | None = None) -> None:
    """Put a locked batch into `state`, with `changes` to who submitted, decided or released it."""
    tx.execute(update(batches).where(batches.c.id == batch_id).values(state=state, **(changes or {})))


def list_batches(
    tx: Transaction, region_prefixes: tuple[str, ...], month: date | None, state: str | None, after: str, limit: int
) -> list[Batch]:
    """Batches of the places under the prefixes whose id follows `after`, in order of id."""
    within = [batches.c.region.startswith(prefix, autoescape=True) for prefix in region_prefixes]
    query = select(batches).where(batches.c.id > after, or_(*within) if within else batches.c.id.is_(None))
    if month is not None:
        query = query.where(batches.c.month == month)
    if state is not None:
        query = query.where(batches.c.state == state)
    return [_batch(row) for row in tx.execute(query.order_by(batches.c.id).limit(min(limit, PAGE_LIMIT))).mappings()]


def lock_ended(tx: Transaction) -> list[Batch]:
    """Sent batches none of whose lines waits for an end any more, locked."""
    ended = ("SETTLED", "RETURNED", "REJECTED", "CANCELLED")
    open_line = select(disbursements.c.id).where(
        disbursements.c.batch == batches.c.id, disbursements.c.state.not_in(ended)
    )
    query = select(batches).where(batches.c.state == BatchState.SENT, ~open_line.exists())
    locked = query.order_by(batches.c.id).limit(CLOSE_LIMIT).with_for_update(skip_locked=True)
    return [_batch(row) for row in tx.execute(locked).mappings()]


def lock_sealed_reconciled(tx: Transaction) -> list[Batch]:
    """Reconciled batches all of whose events are in the log's tree, locked: they can be closed."""
    events, leaves = runtime_tables.audit_events, runtime_tables.audit_leaves
    unsealed = (
        select(events.c.id)
        .outerjoin(leaves, leaves.c.audit_event == events.c.id)
        .where(events.c.entity == "batch", events.c.entity_id == batches.c.id, leaves.c.leaf_index.is_(None))
    )
    query = select(batches).where(batches.c.state == BatchState.RECONCILED, ~unsealed.exists())
    locked = query.order_by(batches.c.id).limit(CLOSE_LIMIT).with_for_update(skip_locked=True)
    return [_batch(row) for row in tx.execute(locked).mappings()]


def _first(tx: Transaction, query: Select[Any]) -> Batch | None:
    row = tx.execute(query).mappings().first()
    return None if row is None else _batch(row)


def _batch(row: RowMapping) -> Batch:
    return Batch(**{**row, "state": BatchState(row["state"])})
