"""A maker gathers the lines that wait for a programme, month and place into a batch with control totals."""

from datetime import date
from typing import Any

from services.payments.domain.batch import BatchState, control_totals
from services.payments.store import batches, disbursements
from services.payments.store.batches import Batch
from services.payments.use_cases.advance_lines import Who
from services.shared.runtime import audit
from services.shared.runtime.callers import Forbidden
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor, prefixes_of


class NoLinesWait(Exception):
    """Nothing of this programme, month and place waits for a batch."""


def build_batch(
    tx: Transaction, runtime: Runtime, actor: Actor, who: Who, programme: str, month: date, region: str
) -> dict[str, Any]:
    """The new batch, CALCULATED: its list is frozen, and its totals are what the checker will quote.

    Raises Forbidden outside the caller's regions, NoLinesWait when there is nothing to pay.
    """
    if not actor.covers(region):
        raise Forbidden
    lines = disbursements.lock_unbatched(tx, programme, month, prefixes_of(region))
    if not lines:
        raise NoLinesWait
    totals = control_totals((line.end_to_end_id, line.amount_fen) for line in lines)
    batch = Batch(
        new_id("batch"),
        programme,
        region,
        month,
        BatchState.CALCULATED,
        totals.line_count,
        totals.total_fen,
        totals.lines_root,
        who.actor,
        who.now,
    )
    batches.insert_batch(tx, batch)
    ids = [line.id for line in lines]
    disbursements.insert_batch_lines(tx, batch.id, ids)
    disbursements.put_batch(tx, ids, batch.id)
    event = audit.Event(who.now, who.actor, "build_batch", "batch", batch.id, who.request_id)
    about: audit.Details = {
        "line_count": totals.line_count,
        "total_fen": totals.total_fen,
        "lines_root": totals.lines_root,
    }
    audit.append(tx, runtime.tables, event, about)
    return {"id": batch.id}
