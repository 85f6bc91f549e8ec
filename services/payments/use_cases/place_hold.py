"""Takes a death alert from monitoring: holds the next payment of that person, or that person's share of it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.payments.domain.disbursement import HOLDABLE_STATES
from services.payments.domain.hold import HoldState, answer_by
from services.payments.domain.reconciliation import ExceptionKind
from services.payments.gateways.policy_pack import PaymentPack
from services.payments.store import awards, calendar_years, disbursements, exceptions, holds
from services.payments.store.awards import Membership
from services.payments.store.disbursements import Disbursement
from services.payments.store.holds import Hold
from services.payments.use_cases.advance_lines import Who
from services.payments.use_cases.hold_line import hold_line
from services.shared.runtime import audit
from services.shared.runtime.callers import Forbidden
from services.shared.runtime.clock import china_date
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.calendar import CalendarYearMissing

MONITORING = "monitoring/monitoring"
"""The only caller whose alerts count."""
HELD, NOT_ON_ROLL = "HELD", "NOT_ON_ROLL"


@dataclass(frozen=True, slots=True, repr=False)
class DeathAlert:
    """What monitoring noticed, from which source and by which rule; the ID number is not kept."""

    alert: str
    id_number: str
    died_on: date
    source: str
    rule: dict[str, Any]


def place_hold(tx: Transaction, runtime: Runtime, who: Who, pack: PaymentPack, alert: DeathAlert) -> dict[str, Any]:
    """Hold what that person would be paid next, for the month of the death or later; earlier months are owed.

    Where the calendar ends before the last day for an answer, the hold stands without that day and an exception says
    so: a pause that people can end is the safe side. The same alert again changes nothing. Raises Forbidden for
    another caller than monitoring.
    """
    if who.actor != MONITORING:
        raise Forbidden
    index = runtime.personal_data.index_of("id_number", alert.id_number)
    placed = [_hold(tx, runtime, who, pack, alert, place) for place in awards.find_memberships(tx, index)]
    standing = [hold for hold in placed if hold is not None]
    return {
        "outcome": HELD if standing else NOT_ON_ROLL,
        "holds": [
            {"id": hold.id, "answer_by": hold.answer_by.isoformat() if hold.answer_by else None} for hold in standing
        ],
    }


def _hold(
    tx: Transaction, runtime: Runtime, who: Who, pack: PaymentPack, alert: DeathAlert, place: Membership
) -> Hold | None:
    record = awards.find_award(tx, place.award)
    assert record is not None, "a membership belongs to an award"
    awards.lock_number(tx, record.beneficiary)
    standing = holds.lock_waiting(tx, place.award, place.member)
    if standing is not None:
        return standing
    from_month = alert.died_on.replace(day=1)
    line = disbursements.lock_next_of_award(tx, place.award, place.member, from_month, HOLDABLE_STATES)
    if line is None and not awards.has_months_to_come(tx, place.award):
        return None
    day = _answer_by(tx, who, pack, place.award, line)
    hold = _new_hold(who, pack, alert, place, record.award.region, from_month, day)
    holds.insert_hold(tx, hold)
    event = audit.Event(who.now, who.actor, "place_hold", "hold", hold.id, who.request_id)
    audit.append(tx, runtime.tables, event, {"alert": alert.alert, "award": place.award})
    held = None if line is None else hold_line(tx, runtime, who, line, place.member)
    if held is not None:
        holds.put_hold(tx, hold.id, {"disbursement": held.id})
    return hold


def _new_hold(
    who: Who,
    pack: PaymentPack,
    alert: DeathAlert,
    place: Membership,
    region: str,
    from_month: date,
    day: date | None,
) -> Hold:
    return Hold(
        id=new_id("hold"),
        alert=alert.alert,
        award=place.award,
        member=place.member,
        region=region,
        source=alert.source,
        rule=alert.rule,
        from_month=from_month,
        placed_at=who.now,
        answer_by=day,
        answered_by_office=pack.hold_rule.answered_by,
        state=HoldState.OPEN,
    )


def _answer_by(tx: Transaction, who: Who, pack: PaymentPack, award_id: str, line: Disbursement | None) -> date | None:
    try:
        return answer_by(pack.hold_rule, china_date(who.now), calendar_years.find_working_days(tx))
    except CalendarYearMissing as missing:
        subject = exceptions.Subject(line.id if line else None, award=award_id, month=date(missing.year, 1, 1))
        exceptions.open_exception(tx, ExceptionKind.CALENDAR_YEAR_MISSING, subject, who.now)
        return None
