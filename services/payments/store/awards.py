"""Awards as eligibility sent them, their payee (sealed), their members (by blind index) and their schedule."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, Text, any_, exists, extract, func, insert, literal, or_, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_if_absent

from services.payments.domain.award import Award
from services.payments.domain.end_to_end_id import PaymentKind
from services.payments.domain.payee import Payee
from services.payments.domain.reconciliation import ExceptionKind
from services.payments.store.tables import (
    award_members,
    award_schedules,
    award_stops,
    awards,
    beneficiaries,
    exceptions,
    payees,
)
from services.shared.runtime.database import Transaction
from services.shared.runtime.personal_data import PersonalData

SCHEDULE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class AwardRecord:
    """An award with what payments keeps beside it."""

    award: Award
    determination: str
    subject: str
    confirmed_on: date
    beneficiary: int
    basis: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PayeeDetails:
    """Who receives an award's money; opened only to write a pay file or a mask."""

    payee: Payee
    id_number: str


@dataclass(frozen=True, slots=True)
class Membership:
    """One person's place in one award."""

    award: str
    member: str


def lock_beneficiary(tx: Transaction, id_number_index: bytes, now: datetime) -> int:
    """The number of the person with this blind index, made when new; locked, so that their lines come one by one."""
    row = {"id_number_index": id_number_index, "first_seen_at": now}
    tx.execute(insert_if_absent(beneficiaries).values(row).on_conflict_do_nothing())
    query = select(beneficiaries.c.number).where(beneficiaries.c.id_number_index == id_number_index)
    number = tx.execute(query).scalar_one()
    lock_number(tx, number)
    return number


def lock_number(tx: Transaction, beneficiary: int) -> None:
    """Make every other maker of lines for this beneficiary wait until this transaction ends."""
    # The table is append-only for everybody, and `FOR UPDATE` needs the right to update: the lock is an advisory one.
    tx.execute(select(func.pg_advisory_xact_lock(beneficiary)))


def insert_award(tx: Transaction, record: AwardRecord, now: datetime) -> None:
    """Record an award and the month its schedule begins with."""
    award = record.award
    row = {
        "id": award.id,
        "determination": record.determination,
        "programme": award.programme,
        "region": award.region,
        "subject": record.subject,
        "kind": award.kind,
        "amount_fen": award.amount_fen,
        "starts_on": award.starts_on,
        "ends_on": award.ends_on,
        "confirmed_on": record.confirmed_on,
        "members": award.members,
        "beneficiary": record.beneficiary,
        "basis": record.basis,
        "applied_at": now,
    }
    tx.execute(insert(awards).values(row))
    tx.execute(insert(award_schedules).values(award=award.id, next_month=award.starts_on.replace(day=1)))


def insert_payee(tx: Transaction, award_id: str, details: PayeeDetails, personal_data: PersonalData) -> None:
    """Record who is paid, each field sealed for its row."""
    card = details.payee.card_number
    row = {
        "award": award_id,
        "name_sealed": personal_data.encrypt("payees.name", award_id, details.payee.name),
        "id_number_sealed": personal_data.encrypt("payees.id_number", award_id, details.id_number),
        "card_number_sealed": personal_data.encrypt("payees.card_number", award_id, card),
        "card_number_index": personal_data.index_of("card_number", card),
    }
    tx.execute(insert(payees).values(row))


def insert_members(tx: Transaction, award_id: str, members: Sequence[tuple[str, bytes]]) -> None:
    """Record (member, blind index of the ID number) of everybody the award is for; no name is kept."""
    rows = [{"award": award_id, "member": member, "id_number_index": index} for member, index in members]
    tx.execute(insert(award_members), rows)


def find_award(tx: Transaction, award_id: str) -> AwardRecord | None:
    """The award of that id, if there is one."""
    row = tx.execute(select(awards).where(awards.c.id == award_id)).first()
    return None if row is None else _record(row)


def find_payees(tx: Transaction, award_ids: Sequence[str], personal_data: PersonalData) -> dict[str, PayeeDetails]:
    """The payees of some awards, opened, by award."""
    rows = tx.execute(select(payees).where(payees.c.award == any_(literal(list(award_ids), ARRAY(Text)))))
    return {row.award: _opened(row, personal_data) for row in rows}


def find_memberships(tx: Transaction, id_number_index: bytes) -> list[Membership]:
    """The awards that name a person and have not been stopped for them, in order of award."""
    query = (
        select(award_members.c.award, award_members.c.member)
        .outerjoin(
            award_stops,
            (award_stops.c.award == award_members.c.award) & (award_stops.c.member == award_members.c.member),
        )
        .where(award_members.c.id_number_index == id_number_index, award_stops.c.award.is_(None))
        .order_by(award_members.c.award)
    )
    return [Membership(*row) for row in tx.execute(query)]


def count_stopped(tx: Transaction, award_id: str) -> int:
    """How many members' shares two persons have stopped."""
    return tx.execute(select(func.count()).where(award_stops.c.award == award_id)).scalar_one()


def insert_stop(tx: Transaction, award_id: str, member: str, hold_id: str, now: datetime) -> None:
    """Record that a member's share is stopped, unless it is already."""
    row = {"award": award_id, "member": member, "hold": hold_id, "stopped_at": now}
    tx.execute(insert_if_absent(award_stops).values(row).on_conflict_do_nothing())


def lock_due_schedules(
    tx: Transaction, until: date, years: Collection[int], after: tuple[str, date] | None = None
) -> list[tuple[str, date]]:
    """(award, next month) of schedules whose next month has begun by `until` and that follow `after`, in order of
    month and award, at most SCHEDULE_LIMIT, locked.

    Schedules that another worker holds are left to it. One that is known, by its exception, to wait for a calendar
    year is left out until that is among the `years` loaded.
    """
    schedule = award_schedules.c
    told = exists().where(
        exceptions.c.kind == ExceptionKind.CALENDAR_YEAR_MISSING,
        exceptions.c.disbursement.is_(None),
        exceptions.c.pay_file.is_(None),
        exceptions.c.award == schedule.award,
        exceptions.c.month == schedule.next_month,
    )
    query = (
        select(schedule.award, schedule.next_month)
        .where(schedule.next_month <= until)
        .where(or_(extract("year", schedule.next_month).in_(sorted(years)), ~told))
        .where(true() if after is None else tuple_(schedule.next_month, schedule.award) > tuple_(after[1], after[0]))
        .order_by(award_schedules.c.next_month, award_schedules.c.award)
        .limit(SCHEDULE_LIMIT)
        .with_for_update(skip_locked=True)
    )
    return [(row.award, row.next_month) for row in tx.execute(query)]


def has_months_to_come(tx: Transaction, award_id: str) -> bool:
    """Whether the award's schedule still has a month to make lines for."""
    query = select(award_schedules.c.next_month).where(award_schedules.c.award == award_id)
    return tx.execute(query).scalar() is not None


def put_next_month(tx: Transaction, award_id: str, next_month: date | None) -> None:
    """Move a schedule on; None ends it."""
    tx.execute(update(award_schedules).where(award_schedules.c.award == award_id).values(next_month=next_month))


def _record(row: Any) -> AwardRecord:
    award = Award(
        row.id,
        row.programme,
        row.region,
        PaymentKind(row.kind),
        row.amount_fen,
        row.starts_on,
        row.ends_on,
        row.members,
    )
    return AwardRecord(award, row.determination, row.subject, row.confirmed_on, row.beneficiary, row.basis)


def _opened(row: Any, personal_data: PersonalData) -> PayeeDetails:
    def opened(column: str, sealed: bytes) -> str:
        return personal_data.decrypt(f"payees.{column}", row.award, bytes(sealed))

    payee = Payee(opened("name", row.name_sealed), opened("card_number", row.card_number_sealed))
    return PayeeDetails(payee, opened("id_number", row.id_number_sealed))
