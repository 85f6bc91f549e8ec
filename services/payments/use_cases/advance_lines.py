"""Moves lines one step: state, event, audit and ledger in one transaction, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.payments.domain.disbursement import DisbursementState, step_between
from services.payments.domain.ledger import Books, TransferCode, transfer_of
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
    """Where lines go and why, with `changes` to batch, pay_file, value_on or reason, and by line the bank's message."""

    to_state: DisbursementState
    cause: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    messages: Mapping[str, BankMessage] = field(default_factory=dict)


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
    steps = [step_between(line.state, move.to_state, is_accrued=line.id in accrued) for line in lines]
    last = disbursements.last_event_numbers(tx, ids)
    numbered = [(line, last.get(line.id, 0) + 1) for line in lines]
    disbursements.put_states(tx, ids, move.to_state, move.changes)
    _write_events(tx, runtime, who, numbered, move)
    bookings = [
        _booking(runtime, who, line, step.transfer, number, move)
        for (line, number), step in zip(numbered, steps, strict=True)
        if step.transfer is not None
    ]
    ledger.append_transfers(tx, bookings, who.now)
    return [replace(line, state=move.to_state, **move.changes) for line in lines]


def create_line(tx: Transaction, runtime: Runtime, who: Who, line: Disbursement, cause: str) -> None:
    """Record a new line with its first event. Raises what a second line of the same key stands for."""
    disbursements.insert_disbursement(tx, line)
    from_nothing = replace(line, state=None)  # type: ignore[arg-type]  # a line comes from no state
    _write_events(tx, runtime, who, [(from_nothing, 1)], Move(DisbursementState.CREATED, cause))


def _write_events(
    tx: Transaction, runtime: Runtime, who: Who, numbered: Sequence[tuple[Disbursement, int]], move: Move
) -> None:
    audited = [(_audit_event(who, line, move), _details(line, number, move)) for line, number in numbered]
    event_ids = audit.append_all(tx, runtime.tables, audited)
    rows = [
        _event(who, line, number, move, event_id) for (line, number), event_id in zip(numbered, event_ids, strict=True)
    ]
    disbursements.insert_events(tx, rows)


def _event(who: Who, line: Disbursement, number: int, move: Move, event_id: str) -> dict[str, Any]:
    message = move.messages.get(line.id)
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
        "event_id": event_id,
        "at": who.now,
    }


def _audit_event(who: Who, line: Disbursement, move: Move) -> audit.Event:
    return audit.Event(who.now, who.actor, f"line_{move.to_state.lower()}", "disbursement", line.id, who.request_id)


def _details(line: Disbursement, number: int, move: Move) -> audit.Details:
    details: dict[str, str | int | bool | None] = {
        "number": number,
        "from_state": line.state,
        "to_state": move.to_state,
        "cause": move.cause,
        "end_to_end_id": line.end_to_end_id,
        "amount_fen": line.amount_fen,
        "award": line.award,
    }
    message = move.messages.get(line.id)
    if message is not None:
        details["statement"] = f"{message.bank}/{message.statement}/{message.line}"
    return details


def _booking(
    runtime: Runtime, who: Who, line: Disbursement, code: TransferCode, number: int, move: Move
) -> ledger.Booking:
    books = Books(runtime.configuration.own.bank_name, line.region, line.programme)
    message = move.messages.get(line.id)
    place = (message.bank, message.statement, message.line) if message else (None, None, None)
    value_on = message.value_on if message else china_date(who.now)
    return ledger.Booking(transfer_of(code, books, line.amount_fen), ledger.Cause(line.id, number, *place), value_on)
