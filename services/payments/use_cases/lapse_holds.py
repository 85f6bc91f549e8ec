"""Ends holds that nobody answered in time: the line is payable again, because a machine alone never stops aid."""

from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.hold import HoldState
from services.payments.store import disbursements, holds
from services.payments.use_cases.advance_lines import worker
from services.payments.use_cases.hold_line import free_line
from services.shared.runtime import audit
from services.shared.runtime.clock import china_date
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime


def lapse_holds(tx: Transaction, runtime: Runtime) -> int:
    """Let open holds lapse whose last day has passed; how many."""
    who = worker(runtime)
    past = holds.lock_past_answer(tx, china_date(who.now))
    for hold in past:
        holds.put_hold(tx, hold.id, {"state": HoldState.LAPSED, "ended_at": who.now})
        event = audit.Event(who.now, who.actor, "lapse_hold", "hold", hold.id)
        audit.append(tx, runtime.tables, event, {"award": hold.award, "is_overdue": True})
        line = disbursements.lock_disbursement(tx, hold.disbursement) if hold.disbursement else None
        if line is not None and line.state is DisbursementState.HELD:
            free_line(tx, runtime, who, line, "hold_lapsed")
    return len(past)
