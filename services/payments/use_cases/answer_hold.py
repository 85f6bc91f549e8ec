"""The county answers a hold: one person says whether the payment is right, a second one confirms it."""

from typing import Any

from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.hold import HoldAnswer, HoldState, check_answerable, state_confirmed
from services.payments.domain.permission import PERMISSIONS
from services.payments.store import awards, disbursements, holds
from services.payments.store.holds import Hold
from services.payments.use_cases.advance_lines import Move, Who, advance_lines
from services.payments.use_cases.hold_line import free_line
from services.shared.runtime import audit
from services.shared.runtime.database import Transaction
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor, require_state


def answer_hold(
    tx: Transaction, runtime: Runtime, actor: Actor, who: Who, hold_id: str, answer: HoldAnswer
) -> dict[str, Any]:
    """Record what the county found; nothing moves yet. Raises NotFound, NotAllowedInThisState."""
    hold = _locked(tx, actor, "answer_hold", hold_id)
    check_answerable(hold.state)
    changes = {"state": HoldState.ANSWERED, "answer": answer, "answered_by": who.actor, "answered_at": who.now}
    holds.put_hold(tx, hold.id, changes)
    _record(tx, runtime, who, hold, "answer_hold", answer)
    return {"id": hold.id, "state": HoldState.ANSWERED}


def confirm_hold(tx: Transaction, runtime: Runtime, actor: Actor, who: Who, hold_id: str) -> dict[str, Any]:
    """The second person confirms: the line is payable again, or it is cancelled and that person's share ends.

    Raises NotFound, NotAllowedInThisState, SamePersonAnswersTwice (the database refuses it too).
    """
    hold = _locked(tx, actor, "confirm_hold", hold_id)
    to_state = state_confirmed(hold.state, hold.answer, hold.answered_by, who.actor)
    holds.put_hold(tx, hold.id, {"state": to_state, "confirmed_by": who.actor, "ended_at": who.now})
    _record(tx, runtime, who, hold, "confirm_hold", hold.answer)
    if to_state is HoldState.STOPPED:
        awards.insert_stop(tx, hold.award, hold.member, hold.id, who.now)
    _settle_line(tx, runtime, who, hold, to_state)
    return {"id": hold.id, "state": to_state}


def _settle_line(tx: Transaction, runtime: Runtime, who: Who, hold: Hold, to_state: HoldState) -> None:
    line = disbursements.lock_disbursement(tx, hold.disbursement) if hold.disbursement else None
    if line is None or line.state is not DisbursementState.HELD:
        return
    if to_state is HoldState.STOPPED:
        advance_lines(tx, runtime, who, [line], Move(DisbursementState.CANCELLED, "hold_stopped"))
    else:
        free_line(tx, runtime, who, line, "hold_released")


def _locked(tx: Transaction, actor: Actor, action: str, hold_id: str) -> Hold:
    hold = holds.lock_hold(tx, hold_id)
    if hold is None or not actor.covers(hold.region):
        raise NotFound
    require_state(PERMISSIONS, action, hold.state)
    return hold


def _record(tx: Transaction, runtime: Runtime, who: Who, hold: Hold, action: str, answer: HoldAnswer | None) -> None:
    event = audit.Event(who.now, who.actor, action, "hold", hold.id, who.request_id)
    audit.append(tx, runtime.tables, event, {"answer": answer, "award": hold.award})
