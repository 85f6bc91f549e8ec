"""Moves lines one step: state, event, audit and ledger in one transaction, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from services.payments.domain.disbursement import DisbursementState, Step, step_between
from services.payments.domain.ledger import Books, transfer_of
from services.payments.store import disbursements, ledger
from services.payments.store.bank_statements import BankMessage
from services.payments.store.disbursements import Disbursement
from services.shared.runtime import audit
from services.shared.runtime.clock import china_date
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime

WORKER = "payments/worker"
"""The actor of what no person asked for at that moment."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who moves lines, when, and in which request (empty for the worker)."""

    actor: str
    now: datetime
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """Where lines go and why; `changes` to batch, pay_file, value_on or reason; the bank's `message` behind it."""

    to_state: DisbursementState
    cause: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    message: BankMessage | None = None


def worker(runtime: Runtime) -> Who:
    """The worker, now."""
    return Who(WORKER, runtime.now())


def advance_lines(
    tx: Transaction, runtime: Runtime, who: Who, lines: Sequence[Disbursement], move: Move
) -> list[Disbursement]:
    """The lines, which the caller has locked, after the move. Raises DisbursementStepRefused, and then moves none."""
    if not lines:
        return []
    ids = [line.id for line in lines]
    accrued = disbursements.list_accrued(tx, ids)
    steps = {line.id: step_between(line.state, move.to_state, is_accrued=line.id in accrued) for line in lines}
    numbers = _next_numbers(tx, ids)
    disbursements.put_states(tx, ids, move.to_state, move.changes)
    disbursements.insert_events(tx, [_event(tx, runtime, who, line, numbers[line.id], move) for line in lines])
    bookings = [_booking(runtime, who, line, steps[line.id], numbers[line.id], move) for line in lines]
    ledger.append_transfers(tx, [booking for booking in bookings if booking is not None], who.now)
    return [replace(line, state=move.to_state, **move.changes) for line in lines]


def create_line(tx: Transaction, runtime: Runtime, who: Who, line: Disbursement, cause: str) -> None:
    """Record a new line with its first event. Raises what a second line of the same key stands for."""
    disbursements.insert_disbursement(tx, line)
    created = replace(line, state=None)  # type: ignore[arg-type]  # a line comes from no state
    move = Move(DisbursementState.CREATED, cause)
    disbursements.insert_events(tx, [_event(tx, runtime, who, created, 1, move)])


def _next_numbers(tx: Transaction, ids: Sequence[str]) -> dict[str, int]:
    last = disbursements.last_event_numbers(tx, ids)
    return {line_id: last.get(line_id, 0) + 1 for line_id in ids}


def _event(tx: Transaction, runtime: Runtime, who: Who, line: Disbursement, number: int, move: Move) -> dict[str, Any]:
    message = move.message
    return {
        "disbursement": line.id,
        "number": number,
        "from_state": line.state,
        "to_state": move.to_state,
        "cause": move.cause,
        "actor": who.actor,
        "bank": message.bank if message else None,
        "statement": message.statement if message else None,
        "line": message.line if message else None,
        "event_id": _audit(tx, runtime, who, line, number, move),
        "at": who.now,
    }


def _audit(tx: Transaction, runtime: Runtime, who: Who, line: Disbursement, number: int, move: Move) -> str:
    event = audit.Event(who.now, who.actor, f"line_{move.to_state.lower()}", "disbursement", line.id, who.request_id)
    details: dict[str, str | int | None] = {
        "number": number,
        "from_state": line.state,
        "to_state": move.to_state,
        "cause": move.cause,
        "end_to_end_id": line.end_to_end_id,
        "amount_fen": line.amount_fen,
        "award": line.award,
    }
    if move.message is not None:
        details["statement"] = f"{move.message.bank}/{move.message.statement}/{move.message.line}"
    return audit.append(tx, runtime.tables, event, details)


def _booking(
    runtime: Runtime, who: Who, line: Disbursement, step: Step, number: int, move: Move
) -> ledger.Booking | None:
    if step.transfer is None:
        return None
    books = Books(runtime.configuration.own.bank_name, line.region, line.programme)
    message = move.message
    place = (message.bank, message.statement, message.line) if message else (None, None, None)
    value_on: date = message.value_on if message else china_date(who.now)
    return ledger.Booking(
        transfer_of(step.transfer, books, line.amount_fen), ledger.Cause(line.id, number, *place), value_on
    )
