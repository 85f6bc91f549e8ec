"""Ends batches: reconciled when every line has come to its end, closed when the log has sealed that."""

from services.payments.domain.batch import BatchState, check_batch_step
from services.payments.store import batches
from services.payments.store.batches import Batch
from services.payments.use_cases.advance_lines import Who, worker
from services.shared.runtime import audit
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime


def finish_batches(tx: Transaction, runtime: Runtime) -> int:
    """Mark as RECONCILED every sent batch whose lines have all come to an end, and as CLOSED what is sealed by then."""
    who = worker(runtime)
    reconciled = batches.lock_ended(tx)
    for batch in reconciled:
        _put_batch(tx, runtime, who, batch, BatchState.RECONCILED)
    closed = batches.lock_sealed_reconciled(tx)
    for batch in closed:
        _put_batch(tx, runtime, who, batch, BatchState.CLOSED)
    return len(reconciled) + len(closed)


def _put_batch(tx: Transaction, runtime: Runtime, who: Who, batch: Batch, to_state: BatchState) -> None:
    check_batch_step(batch.state, to_state)
    batches.put_state(tx, batch.id, to_state)
    event = audit.Event(who.now, who.actor, f"batch_{to_state.lower()}", "batch", batch.id)
    audit.append(tx, runtime.tables, event, {"lines_root": batch.lines_root})
