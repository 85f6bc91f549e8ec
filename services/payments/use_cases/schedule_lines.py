"""Puts what an award owes on the calendar: one line a month, each with its due day; a missed month is still owed."""

from collections.abc import Iterator
from datetime import date

from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.due_day import due_on
from services.payments.domain.end_to_end_id import LineKey
from services.payments.domain.reconciliation import ExceptionKind
from services.payments.gateways.policy_pack import PaymentPack
from services.payments.store import awards, calendar_years, disbursements, exceptions, holds
from services.payments.store.awards import AwardRecord
from services.payments.store.disbursements import Disbursement
from services.payments.use_cases.advance_lines import Who, create_line, worker
from services.payments.use_cases.hold_line import hold_line
from services.shared.runtime.clock import china_date
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.calendar import CalendarYearMissing, WorkingDays

ScheduleKey = tuple[str, date]
"""An award and its next month."""


def schedule_lines(
    tx: Transaction, runtime: Runtime, pack: PaymentPack, after: ScheduleKey | None = None
) -> ScheduleKey | None:
    """Make the lines of the next page of schedules whose next month has begun; the last one looked at, None at the end.

    A schedule that must wait stays where it is: going on after it is what keeps it from holding up the others.
    """
    who = worker(runtime)
    working_days = calendar_years.find_working_days(tx)
    due = awards.lock_due_schedules(tx, china_date(who.now), working_days.years, after)
    for award_id, next_month in due:
        schedule_award(tx, runtime, pack, who, working_days, award_id, next_month)
    return due[-1] if due else None


def schedule_award(
    tx: Transaction,
    runtime: Runtime,
    pack: PaymentPack,
    who: Who,
    working_days: WorkingDays,
    award_id: str,
    next_month: date,
) -> list[Disbursement]:
    """The award's new lines from `next_month` on. Where the calendar ends the schedule waits, and an exception says so.

    Raises DueRuleMissing for a programme that the pack does not know.
    """
    record = awards.find_award(tx, award_id)
    assert record is not None, "a schedule belongs to an award"
    awards.lock_number(tx, record.beneficiary)
    made: list[Disbursement] = []
    for month in record.award.months_owed(china_date(who.now)):
        if month < next_month:
            continue
        try:
            made += _lines_of_month(tx, runtime, pack, who, working_days, record, month)
        except CalendarYearMissing:
            subject = exceptions.Subject(award=award_id, month=month)
            exceptions.open_exception(tx, ExceptionKind.CALENDAR_YEAR_MISSING, subject, who.now)
            return made  # the schedule stands at this month, and tries it again
        awards.put_next_month(tx, award_id, record.award.month_after(month))
    return made


def _lines_of_month(
    tx: Transaction,
    runtime: Runtime,
    pack: PaymentPack,
    who: Who,
    working_days: WorkingDays,
    record: AwardRecord,
    month: date,
) -> Iterator[Disbursement]:
    line = _line(tx, pack, who, working_days, record, month)
    if line is None:
        return
    create_line(tx, runtime, who, line, "owed_by_award")
    yield line
    for hold in holds.lock_without_line(tx, line.award, month):
        held = hold_line(tx, runtime, who, line, hold.member)
        if held is not None:
            holds.put_hold(tx, hold.id, {"disbursement": held.id})
        # One person's hold may have split the line; another's is placed on the next month, with a line to itself.
        return


def _line(
    tx: Transaction, pack: PaymentPack, who: Who, working_days: WorkingDays, record: AwardRecord, month: date
) -> Disbursement | None:
    award = record.award
    stopped = awards.count_stopped(tx, award.id)
    amount_fen = award.amount_without(stopped)
    if amount_fen == 0:
        return None
    owed_from = month if award.is_monthly else award.starts_on
    due_day = due_on(pack.due_rule(award.programme), owed_from, working_days)
    number = pack.programme_number(award.programme)
    key = LineKey((month.year, month.month), record.beneficiary, number, award.kind)
    used = disbursements.highest_cause(tx, key)
    if used is not None and award.is_monthly:
        subject = exceptions.Subject(award=award.id, month=month)
        exceptions.open_exception(tx, ExceptionKind.MONTH_OWED_BY_ANOTHER_AWARD, subject, who.now)
        return None
    return Disbursement(
        id=new_id("disbursement"),
        award=award.id,
        beneficiary=record.beneficiary,
        month=month,
        programme=award.programme,
        programme_number=number,
        kind=award.kind,
        # A second emergency in one month is a decision of its own.
        cause=0 if used is None else used + 1,
        sequence=0,
        region=award.region,
        amount_fen=amount_fen,
        persons=award.members - stopped,
        member=None,
        due_on=due_day,
        replaces=None,
        created_at=who.now,
        state=DisbursementState.CREATED,
        batch=None,
        pay_file=None,
        value_on=None,
        reason=None,
    )
