"""Holds what a hold is about and frees it again: of a family's line the one share, of a single person's the whole."""

from services.payments.domain.batch import BatchState
from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.hold import held_amounts
from services.payments.store import batches, disbursements
from services.payments.store.batches import Batch
from services.payments.store.disbursements import Disbursement
from services.payments.use_cases.advance_lines import Move, Who, advance_lines
from services.payments.use_cases.replace_line import Part, replace_line
from services.shared.runtime import jobs
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime

HELD_BY_DEATH_ALERT = "death_alert"
SPLIT_BY_DEATH_ALERT = "split_by_death_alert"
PAY_BATCH_JOB = "pay_batch"
_S = DisbursementState


def hold_line(tx: Transaction, runtime: Runtime, who: Who, line: Disbursement, member: str) -> Disbursement | None:
    """The line that is now HELD for `member`, or None when their share is less than a fen. `line` is locked."""
    _lock_batch(tx, line)
    amounts = held_amounts(line.amount_fen, line.persons)
    if amounts.payable_fen == 0:
        return advance_lines(tx, runtime, who, [line], Move(_S.HELD, HELD_BY_DEATH_ALERT))[0]
    if amounts.held_fen == 0:
        return None
    parts = (Part(amounts.payable_fen, line.persons - 1), Part(amounts.held_fen, 1, member))
    made = replace_line(tx, runtime, who, line, parts, SPLIT_BY_DEATH_ALERT)
    # What two persons approved stays approved in its parts: the rest of the family is paid on time.
    *_, share = [_as_far_as(tx, runtime, who, line, part) for part in made]
    return advance_lines(tx, runtime, who, [share], Move(_S.HELD, HELD_BY_DEATH_ALERT))[0]


def free_line(tx: Transaction, runtime: Runtime, who: Who, line: Disbursement, cause: str) -> None:
    """Make a HELD line payable again: back to where two persons had it, and to the bank when its batch went there."""
    if not disbursements.list_accrued(tx, [line.id]):
        advance_lines(tx, runtime, who, [line], Move(_S.CREATED, cause, {"batch": None}))
        return
    batch = _lock_batch(tx, line)
    [line] = advance_lines(tx, runtime, who, [line], Move(_S.APPROVED, cause))
    if batch is not None and batch.state in (BatchState.RELEASED, BatchState.SENT):
        _queue(tx, runtime, who, line, cause)


def _as_far_as(tx: Transaction, runtime: Runtime, who: Who, before: Disbursement, part: Disbursement) -> Disbursement:
    if before.batch is None:
        return part
    if before.state is _S.CREATED:
        disbursements.put_batch(tx, [part.id], before.batch)
        return part
    approved = Move(_S.APPROVED, SPLIT_BY_DEATH_ALERT, {"batch": before.batch})
    [part] = advance_lines(tx, runtime, who, [part], approved)
    return part if before.state is _S.APPROVED else _queue(tx, runtime, who, part, SPLIT_BY_DEATH_ALERT)


def _queue(tx: Transaction, runtime: Runtime, who: Who, line: Disbursement, cause: str) -> Disbursement:
    [queued] = advance_lines(tx, runtime, who, [line], Move(_S.QUEUED, cause))
    assert queued.batch is not None, "an approved line is in a batch"
    jobs.enqueue(tx, runtime.name, PAY_BATCH_JOB, queued.batch)
    return queued


def _lock_batch(tx: Transaction, line: Disbursement) -> Batch | None:
    # Approving and releasing lock the batch and then look for its lines: what joins it meanwhile would be overlooked.
    return None if line.batch is None else batches.lock_batch(tx, line.batch)
