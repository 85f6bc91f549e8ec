"""Takes a confirmed award from eligibility, once, and schedules its first payment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.payments.domain.payee import Payee
from services.payments.gateways.policy_pack import PaymentPack
from services.payments.store import awards, calendar_years, disbursements, policy_packs
from services.payments.store.awards import AwardRecord, PayeeDetails
from services.payments.store.policy_packs import NamedPack
from services.payments.use_cases.advance_lines import Who
from services.payments.use_cases.schedule_lines import schedule_award
from services.shared.runtime import audit
from services.shared.runtime.callers import Forbidden
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime

ELIGIBILITY = "eligibility/eligibility"
"""The only caller whose awards count."""


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """Somebody whom an award names; shown nowhere."""

    member: str
    id_number: str


@dataclass(frozen=True, slots=True, repr=False)
class IncomingAward:
    """An award as it arrived: `record.beneficiary` is still 0. `beneficiary` is whose award it is by ID number."""

    record: AwardRecord
    beneficiary_id_number: str
    payee: Payee
    payee_id_number: str
    members: Sequence[Person]


def apply_award(
    tx: Transaction, runtime: Runtime, who: Who, pack: PaymentPack, incoming: IncomingAward
) -> dict[str, Any]:
    """Record the award and its first line. The same award again changes nothing and gets the same answer.

    Raises Forbidden for another caller than eligibility, DueRuleMissing for a programme that is not paid here.
    """
    if who.actor != ELIGIBILITY:
        raise Forbidden
    award = incoming.record.award
    pack.due_rule(award.programme)
    if awards.find_award(tx, award.id) is None:
        _record(tx, runtime, who, pack, incoming)
    first_due_on = disbursements.first_due_on(tx, award.id)
    answer = {"award_id": award.id}
    return answer if first_due_on is None else {**answer, "first_due_on": first_due_on.isoformat()}


def _record(tx: Transaction, runtime: Runtime, who: Who, pack: PaymentPack, incoming: IncomingAward) -> None:
    personal_data, record = runtime.personal_data, incoming.record
    index = personal_data.index_of("id_number", incoming.beneficiary_id_number)
    number = awards.lock_beneficiary(tx, index, who.now)
    record = AwardRecord(record.award, record.determination, record.subject, record.confirmed_on, number, record.basis)
    awards.insert_award(tx, record, who.now)
    details = PayeeDetails(incoming.payee, incoming.payee_id_number)
    awards.insert_payee(tx, record.award.id, details, personal_data)
    members = [(p.member, personal_data.index_of("id_number", p.id_number)) for p in incoming.members]
    awards.insert_members(tx, record.award.id, members)
    event = audit.Event(who.now, who.actor, "apply_award", "award", record.award.id, who.request_id)
    about: audit.Details = {"determination": record.determination, "amount_fen": record.award.amount_fen}
    audit.append(tx, runtime.tables, event, about)
    packs = [NamedPack(pack["id"], pack["version"], pack["sha256"]) for pack in record.basis["packs"]]
    policy_packs.insert_named(tx, packs, who.now)
    first_month = record.award.starts_on.replace(day=1)
    days = calendar_years.find_working_days(tx)
    schedule_award(tx, runtime, pack, who, days, record.award.id, first_month)
