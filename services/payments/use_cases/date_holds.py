"""Gives a hold its last day for an answer once the calendar year that was missing is loaded."""

from services.payments.domain.hold import answer_by
from services.payments.gateways.policy_pack import PaymentPack
from services.payments.store import calendar_years, holds
from services.payments.store.holds import Hold
from services.payments.use_cases.advance_lines import Who, worker
from services.shared.runtime import audit
from services.shared.runtime.clock import china_date
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.calendar import CalendarYearMissing, WorkingDays


def date_holds(tx: Transaction, runtime: Runtime, pack: PaymentPack, after: str = "") -> str | None:
    """Date the next page of holds whose id follows `after`; the last id looked at, or None when there was none.

    The day counts from the placing of the hold, however late the year came. What still needs a year that is not loaded
    stays without a day.
    """
    undated = holds.lock_undated(tx, after)
    if not undated:
        return None
    who, days = worker(runtime), calendar_years.find_working_days(tx)
    for hold in undated:
        _date(tx, runtime, who, pack, days, hold)
    return undated[-1].id


def _date(tx: Transaction, runtime: Runtime, who: Who, pack: PaymentPack, days: WorkingDays, hold: Hold) -> None:
    try:
        day = answer_by(pack.hold_rule, china_date(hold.placed_at), days)
    except CalendarYearMissing:
        return
    holds.put_hold(tx, hold.id, {"answer_by": day})
    event = audit.Event(who.now, who.actor, "date_hold", "hold", hold.id)
    audit.append(tx, runtime.tables, event, {"answer_by": day.isoformat()})
