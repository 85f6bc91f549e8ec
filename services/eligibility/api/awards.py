"""Awards over HTTP: proposed by a caseworker, decided by a second person."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.eligibility.domain.award import CONFIRMED, REFUSED, Person, month_of
from services.eligibility.store import awards
from services.eligibility.use_cases.decide_award import decide_award
from services.eligibility.use_cases.propose_award import propose_award
from services.shared.runtime.body_words import CardNumber, IdNumber
from services.shared.runtime.callers import permitted
from services.shared.runtime.logs import LONG_DIGITS
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import IdempotencyKey, Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor, prefixes_of
from services.shared.vocabulary.money import yuan_of

MAX_PEOPLE = 50
DEFAULT_PAGE, MAX_PAGE = 100, 500
MONTH = "^(19[5-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$"
PAYABLE_ID = r"^[A-Za-z0-9_.:-]{1,60}$"
"""What payments takes as an identifier: anything else is refused here, where it can still be put right."""

router = APIRouter(tags=["awards"])


def _without_numbers(text: str) -> str:
    if LONG_DIGITS.search(text):
        texts = {
            "code": "text_holds_a_number",
            "zh": "理由中不得有身份证号、卡号或电话号码，请删去",
            "en": "holds an ID, card or telephone number: remove it",
        }
        raise PydanticCustomError("body_error", "a number in a text", texts)
    return text


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PersonBody(_Body):
    """A member whom the award is for; the payee, and only the payee, with the card that is paid to."""

    member: str = Field(pattern=PAYABLE_ID)
    name: str = Field(min_length=1, max_length=100)
    id_number: IdNumber
    card_number: CardNumber | None = None


class AwardBody(_Body):
    """Which result of the determination is to be paid, until when, and to whom."""

    programme: str = Field(pattern=PAYABLE_ID)
    subject: str = Field(pattern=PAYABLE_ID)
    until: str | None = Field(None, pattern=MONTH, description="first month unpaid; null: a year")
    people: list[PersonBody] = Field(min_length=1, max_length=MAX_PEOPLE)


Reason = Annotated[str, Field(max_length=500), AfterValidator(_without_numbers)]
"""Why somebody decided so, without personal data."""


class DecisionBody(_Body):
    """Why: kept with the decision, without personal data."""

    reason: Reason = ""


@router.post("/determinations/{determination_id}/awards", status_code=201, operation_id="propose-award")
def propose(
    determination_id: str,
    body: AwardBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("propose_award"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Propose that a result be paid; nothing is paid until a second person confirms."""
    people = tuple(Person(p.member, p.name, p.id_number, p.card_number) for p in body.people)
    until = _month(body.until)
    place = (determination_id, body.programme, body.subject, until, people)
    return runtime.transact_once(request, actor, body, 201, propose_award, runtime, actor, _id_of(request), *place)


@router.post("/awards/{award_id}/confirm", operation_id="confirm-award")
def confirm(
    award_id: str,
    body: DecisionBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("decide_award"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The second person's yes: the award goes to payments."""
    decision = (award_id, CONFIRMED, body.reason)
    return runtime.transact_once(request, actor, body, 200, decide_award, runtime, actor, _id_of(request), *decision)


@router.post("/awards/{award_id}/refuse", operation_id="refuse-award")
def refuse(
    award_id: str,
    body: DecisionBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("decide_award"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The second person's no: nothing is paid."""
    decision = (award_id, REFUSED, body.reason)
    return runtime.transact_once(request, actor, body, 200, decide_award, runtime, actor, _id_of(request), *decision)


@router.get("/awards/{award_id}", operation_id="get-award")
def get(
    award_id: str,
    actor: Annotated[Actor, Depends(permitted("read_award"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> Response:
    """One award; whom it names stays sealed."""
    award = runtime.database.read(awards.find_award, award_id)
    if award is None or not actor.covers(award.region):
        raise NotFound
    return json_response(_shown(award))


@router.get("/awards", operation_id="list-awards")
def list_all(
    region: Annotated[str, Query(pattern="^[0-9]{6}$")],
    actor: Annotated[Actor, Depends(permitted("read_award"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    cursor: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """Awards of a place and what lies below it, in order of their making."""
    if not actor.covers(region):
        raise NotFound
    found = runtime.database.read(awards.list_awards, prefixes_of(region), cursor, limit + 1)
    page = [_shown(award) for award in found[:limit]]
    return json_response({"data": page, "next": page[-1]["id"] if len(found) > limit else None})


def _shown(award: awards.Award) -> dict[str, Any]:
    return {
        "id": award.id,
        "state": award.state,
        "determination_id": award.determination,
        "programme": award.programme,
        "subject": award.subject,
        "region": award.region,
        "kind": award.kind,
        "amount": yuan_of(award.amount_fen),
        "from": None if award.first_month is None else f"{award.first_month:%Y-%m}",
        "until": None if award.until_month is None else f"{award.until_month:%Y-%m}",
        "proposed_by": award.proposed_by,
        "proposed_at": award.proposed_at,
        "decided_by": award.decided_by,
        "decided_at": award.decided_at,
        "basis": award.basis,
    }


def _month(text: str | None) -> date | None:
    return None if text is None else month_of(text)


def _id_of(request: Request) -> str:
    return request.scope["request_id"]
