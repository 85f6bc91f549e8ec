"""Two persons move a batch: one submits it, another approves or rejects, releases or cancels it."""

from typing import Any

from services.payments.domain.batch import (
    BatchState,
    check_batch_step,
    check_quoted_root,
    check_second_person,
)
from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.permission import PERMISSIONS
from services.payments.store import batches, disbursements
from services.payments.store.batches import Batch
from services.payments.use_cases.advance_lines import Move, Who, advance_lines
from services.payments.use_cases.hold_line import PAY_BATCH_JOB
from services.payments.use_cases.replace_line import Part, replace_line
from services.shared.runtime import audit, jobs
from services.shared.runtime.database import Transaction
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor, require_state

_LINE = DisbursementState


class BatchHasHeldLines(Exception):
    """A line of the approved batch is held; the hold must end before the batch can be cancelled."""


def submit_batch(tx: Transaction, runtime: Runtime, actor: Actor, who: Who, batch_id: str) -> dict[str, Any]:
    """Hand a calculated batch to the checker. Raises NotFound, NotAllowedInThisState."""
    batch = _locked(tx, actor, "submit_batch", batch_id)
    return _move(tx, runtime, who, batch, BatchState.SUBMITTED, submitted_by=who.actor, submitted_at=who.now)


def approve_batch(
    tx: Transaction, runtime: Runtime, actor: Actor, who: Who, batch_id: str, lines_root: str
) -> dict[str, Any]:
    """The second person approves this very list; its lines are owed from now on.

    Raises NotFound, NotAllowedInThisState, ControlTotalsDiffer, SamePersonTwice (the database refuses it too).
    """
    batch = _locked(tx, actor, "approve_batch", batch_id)
    check_quoted_root(batch.totals, lines_root)
    check_second_person(batch.created_by, batch.submitted_by or "", who.actor)
    answer = _move(tx, runtime, who, batch, BatchState.APPROVED, decided_by=who.actor, decided_at=who.now)
    lines = disbursements.lock_of_batch(tx, batch.id, _LINE.CREATED)
    advance_lines(tx, runtime, who, lines, Move(_LINE.APPROVED, "batch_approved"))
    return answer


def reject_batch(tx: Transaction, runtime: Runtime, actor: Actor, who: Who, batch_id: str) -> dict[str, Any]:
    """The second person sends the list back: its lines wait for another batch.

    Raises NotFound, NotAllowedInThisState, SamePersonTwice.
    """
    batch = _locked(tx, actor, "reject_batch", batch_id)
    check_second_person(batch.created_by, batch.submitted_by or "", who.actor)
    _let_lines_go(tx, batch)
    return _move(tx, runtime, who, batch, BatchState.REJECTED, decided_by=who.actor, decided_at=who.now)


def release_batch(tx: Transaction, runtime: Runtime, actor: Actor, who: Who, batch_id: str) -> dict[str, Any]:
    """Let the approved lines go to the bank; for a batch already released, those that came back from a refused file.

    Raises NotFound, NotAllowedInThisState.
    """
    batch = _locked(tx, actor, "release_batch", batch_id)
    lines = disbursements.lock_of_batch(tx, batch.id, _LINE.APPROVED)
    advance_lines(tx, runtime, who, lines, Move(_LINE.QUEUED, "batch_released"))
    jobs.enqueue(tx, runtime.name, PAY_BATCH_JOB, batch.id)
    if batch.state is not BatchState.APPROVED:
        _record(tx, runtime, who, batch, "release_batch_again")
        return {"id": batch.id, "state": batch.state}
    return _move(tx, runtime, who, batch, BatchState.RELEASED, released_by=who.actor, released_at=who.now)


def cancel_batch(tx: Transaction, runtime: Runtime, actor: Actor, who: Who, batch_id: str) -> dict[str, Any]:
    """Give a batch up before its release; nobody loses aid, since each line waits anew for another batch.

    Raises NotFound, NotAllowedInThisState, BatchHasHeldLines.
    """
    batch = _locked(tx, actor, "cancel_batch", batch_id)
    if batch.state is BatchState.APPROVED:
        _renew_lines(tx, runtime, who, batch)
    else:
        _let_lines_go(tx, batch)
    return _move(tx, runtime, who, batch, BatchState.CANCELLED)


def _locked(tx: Transaction, actor: Actor, action: str, batch_id: str) -> Batch:
    batch = batches.lock_batch(tx, batch_id)
    if batch is None or not actor.covers(batch.region):
        raise NotFound
    require_state(PERMISSIONS, action, batch.state)
    return batch


def _move(
    tx: Transaction, runtime: Runtime, who: Who, batch: Batch, to_state: BatchState, **changes: Any
) -> dict[str, Any]:
    check_batch_step(batch.state, to_state)
    batches.put_state(tx, batch.id, to_state, changes)
    _record(tx, runtime, who, batch, f"batch_{to_state.lower()}")
    return {"id": batch.id, "state": to_state}


def _record(tx: Transaction, runtime: Runtime, who: Who, batch: Batch, action: str) -> None:
    event = audit.Event(who.now, who.actor, action, "batch", batch.id, who.request_id)
    audit.append(tx, runtime.tables, event, {"lines_root": batch.lines_root, "total_fen": batch.total_fen})


def _let_lines_go(tx: Transaction, batch: Batch) -> None:
    lines = disbursements.lock_of_batch(tx, batch.id)
    waiting = [line.id for line in lines if line.state in (_LINE.CREATED, _LINE.HELD)]
    disbursements.put_batch(tx, waiting, None)


def _renew_lines(tx: Transaction, runtime: Runtime, who: Who, batch: Batch) -> None:
    lines = disbursements.lock_of_batch(tx, batch.id)
    if any(line.state is _LINE.HELD for line in lines):
        raise BatchHasHeldLines
    for line in lines:
        if line.state is _LINE.APPROVED:
            replace_line(tx, runtime, who, line, (Part(line.amount_fen, line.persons, line.member),), "batch_cancelled")
