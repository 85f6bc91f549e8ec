"""Awards from eligibility over HTTP: taken once, with their first payment scheduled."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.payments.api.bodies import (
    MONEY_PATTERN,
    MONTH_PATTERN,
    REGION_PATTERN,
    Identifier,
    StrictBody,
    first_of_month,
    pack_of,
    who_of,
)
from services.payments.domain.award import Award
from services.payments.domain.end_to_end_id import PaymentKind
from services.payments.domain.payee import Payee
from services.payments.gateways.policy_pack import PaymentPack
from services.payments.store.awards import AwardRecord
from services.payments.use_cases.apply_award import IncomingAward, Person, apply_award
from services.shared.runtime.body_words import CardNumber, IdNumber
from services.shared.runtime.callers import permitted
from services.shared.runtime.service_app import IdempotencyKey, Runtime, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.money import fen_of

HOUSEHOLD = "household"
MAX_MEMBERS = 99

router = APIRouter(tags=["awards"])


class MemberBody(StrictBody):
    """Somebody whom the award is for. The name is not kept here."""

    member: Identifier
    name: str = Field(min_length=1, max_length=140)
    id_number: IdNumber


class PayeeBody(MemberBody):
    """Who receives the money."""

    card_number: CardNumber


class PackBody(StrictBody):
    """A pack that the determination rests on."""

    id: Identifier
    version: str = Field(min_length=1, max_length=60)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class BasisBody(StrictBody):
    """The rule and the law that the award rests on."""

    rule: str = Field(min_length=1, max_length=200)
    instrument: str = Field(min_length=1, max_length=300)
    article: str = Field(max_length=200)
    packs: list[PackBody] = Field(max_length=20)


class AwardBody(StrictBody):
    """A confirmed award: a monthly one has `from` and perhaps `until`, the first month unpaid; a one-off neither."""

    award_id: Identifier
    determination_id: Identifier
    programme: Identifier
    region: str = Field(pattern=REGION_PATTERN)
    kind: Literal["monthly", "one_off"]
    amount: str = Field(pattern=MONEY_PATTERN)
    from_: str | None = Field(None, alias="from", pattern=MONTH_PATTERN)
    until: str | None = Field(None, pattern=MONTH_PATTERN)
    confirmed_on: Annotated[date, Field(strict=False)]
    subject: Identifier
    members: list[MemberBody] = Field(min_length=1, max_length=MAX_MEMBERS)
    payee: PayeeBody
    basis: BasisBody

    @model_validator(mode="after")
    def _holds_together(self) -> "AwardBody":
        if (self.kind == "monthly") != (self.from_ is not None):
            raise _wrong("months_wrong", "按月发放须有 from，一次性发放不得有", "monthly needs from, one_off has none")
        if len({member.member for member in self.members}) != len(self.members):
            raise _wrong("duplicate_member", "members 中有重复的成员", "a member is listed twice in members")
        if self.subject != HOUSEHOLD and [member.member for member in self.members] != [self.subject]:
            raise _wrong("members_wrong", "个人项目的 members 须恰为 subject", "members must be the subject alone")
        return self


@router.post("/awards", status_code=201, operation_id="apply-award")
def apply(
    body: AwardBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("apply_award"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    pack: Annotated[PaymentPack, Depends(pack_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take a confirmed award from eligibility and schedule its first payment."""
    who, incoming = who_of(request, runtime, actor), _incoming(body)
    return runtime.transact_once(request, actor, body, 201, apply_award, runtime, who, pack, incoming)


def _incoming(body: AwardBody) -> IncomingAward:
    is_monthly = body.from_ is not None
    award = Award(
        body.award_id,
        body.programme,
        body.region,
        PaymentKind.REGULAR if is_monthly else PaymentKind.ONE_OFF,
        fen_of(body.amount),
        first_of_month(body.from_) if body.from_ is not None else body.confirmed_on,
        first_of_month(body.until) if body.until is not None and is_monthly else None,
        len(body.members),
    )
    basis: dict[str, Any] = body.basis.model_dump()
    record = AwardRecord(award, body.determination_id, body.subject, body.confirmed_on, 0, basis)
    payee = body.payee
    # A household programme belongs to whom it is paid to, a personal one to the person.
    beneficiary = payee.id_number if body.subject == HOUSEHOLD else body.members[0].id_number
    people = [Person(member.member, member.id_number) for member in body.members]
    return IncomingAward(record, beneficiary, Payee(payee.name, payee.card_number), payee.id_number, people)


def _wrong(code: str, zh: str, en: str) -> PydanticCustomError:
    return PydanticCustomError("body_error", "the award does not hold together", {"code": code, "zh": zh, "en": en})
