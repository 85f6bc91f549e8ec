"""Death alerts and holds over HTTP: placed by monitoring, answered by one person, confirmed by another."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from services.payments.api.bodies import (
    REGION_PATTERN,
    EmptyBody,
    Identifier,
    StrictBody,
    month_text,
    pack_of,
    prefixes_within,
    who_of,
)
from services.payments.api.list_answers import DEFAULT_PAGE, MAX_PAGE, list_answer
from services.payments.domain.hold import HoldAnswer, HoldState, is_overdue
from services.payments.gateways.policy_pack import PaymentPack
from services.payments.store import disbursements, holds
from services.payments.store.holds import Hold
from services.payments.use_cases.answer_hold import answer_hold, confirm_hold
from services.payments.use_cases.place_hold import DeathAlert, place_hold
from services.shared.runtime.body_words import IdNumber
from services.shared.runtime.callers import permitted
from services.shared.runtime.clock import china_date
from services.shared.runtime.database import Transaction
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import IdempotencyKey, Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.money import yuan_of

COLUMNS = (
    "id",
    "state",
    "region",
    "award_id",
    "member",
    "disbursement_id",
    "month",
    "amount",
    "answer_by",
    "is_overdue",
    "must_be_answered_by",
    "answer",
    "answered_by",
    "confirmed_by",
)

ANSWER_DAY_UNKNOWN = {
    "zh": "答复截止日所在年份的放假安排尚未载入，暂不推算；升级到含该年安排的兜底版本后自动补上。现在可以照常答复。",
    "en": "The holiday notice of the year in which the last day for the answer falls is not loaded, and the day is not"
    " guessed. It is filled in once Doudi is updated to a release that ships the year. The hold can be answered now.",
}

router = APIRouter(tags=["holds"])
CurrentRuntime = Annotated[Runtime, Depends(runtime_of)]


class RuleBody(StrictBody):
    """The signal rule by which monitoring noticed."""

    id: str = Field(min_length=1, max_length=60)
    instrument: str = Field(max_length=300)
    article: str = Field(max_length=200)


class DeathAlertBody(StrictBody):
    """Who is said to have died, when, and by whose record."""

    alert_id: Identifier
    id_number: IdNumber
    died_on: Annotated[date, Field(strict=False)]
    source: str = Field(min_length=1, max_length=200)
    rule: RuleBody


class AnswerBody(StrictBody):
    """What the county found: the payment is right, or it must stop."""

    answer: Annotated[HoldAnswer, Field(strict=False)]


@router.post("/death-alerts", status_code=201, operation_id="place-hold")
def alert(
    body: DeathAlertBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("place_hold"))],
    runtime: CurrentRuntime,
    pack: Annotated[PaymentPack, Depends(pack_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Hold that person's next payment, or their share of it, for the county to look at."""
    who = who_of(request, runtime, actor)
    heard = DeathAlert(body.alert_id, body.id_number, body.died_on, body.source, body.rule.model_dump())
    return runtime.transact_once(request, actor, body, 201, place_hold, runtime, who, pack, heard)


@router.post("/holds/{hold_id}/answer", operation_id="answer-hold")
def answer(
    hold_id: str,
    body: AnswerBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("answer_hold"))],
    runtime: CurrentRuntime,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Say what the county found; a second person must confirm it."""
    who = who_of(request, runtime, actor)
    return runtime.transact_once(request, actor, body, 200, answer_hold, runtime, actor, who, hold_id, body.answer)


@router.post("/holds/{hold_id}/confirm", operation_id="confirm-hold")
def confirm(
    hold_id: str,
    body: EmptyBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("confirm_hold"))],
    runtime: CurrentRuntime,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The second person's word: the payment goes on, or that person's aid ends."""
    who = who_of(request, runtime, actor)
    return runtime.transact_once(request, actor, body, 200, confirm_hold, runtime, actor, who, hold_id)


@router.get("/holds", operation_id="list-holds")
def list_all(
    request: Request,
    actor: Annotated[Actor, Depends(permitted("read_hold"))],
    runtime: CurrentRuntime,
    region: Annotated[str | None, Query(pattern=REGION_PATTERN)] = None,
    state: Annotated[HoldState | None, Query()] = None,
    cursor: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """Holds: what waits, who must answer it, and by when."""
    prefixes, today = prefixes_within(actor, region), china_date(runtime.now())

    def read(tx: Transaction) -> list[dict[str, Any]]:
        return [_shown(tx, hold, today) for hold in holds.list_holds(tx, prefixes, state, cursor, limit)]

    return list_answer(request, runtime.database.read(read), limit, COLUMNS)


@router.get("/holds/{hold_id}", operation_id="get-hold")
def get(hold_id: str, actor: Annotated[Actor, Depends(permitted("read_hold"))], runtime: CurrentRuntime) -> Response:
    """One hold."""

    def read(tx: Transaction) -> dict[str, Any]:
        hold = holds.find_hold(tx, hold_id)
        if hold is None or not actor.covers(hold.region):
            raise NotFound
        return _shown(tx, hold, china_date(runtime.now()))

    return json_response(runtime.database.read(read))


def _shown(tx: Transaction, hold: Hold, today: date) -> dict[str, Any]:
    line = disbursements.find_disbursement(tx, hold.disbursement) if hold.disbursement else None
    return {
        "id": hold.id,
        "state": hold.state,
        "alert_id": hold.alert,
        "region": hold.region,
        "award_id": hold.award,
        "member": hold.member,
        "disbursement_id": hold.disbursement,
        "month": month_text(line.month) if line else None,
        "amount": yuan_of(line.amount_fen) if line else None,
        "source": hold.source,
        "rule": hold.rule,
        "placed_at": hold.placed_at,
        "must_be_answered_by": f"{hold.answered_by_office}:{hold.region}",
        "answer_by": hold.answer_by,
        "answer_by_note": None if hold.answer_by else ANSWER_DAY_UNKNOWN,
        "is_overdue": is_overdue(hold.state, hold.answer_by, today),
        "answer": hold.answer,
        "answered_by": hold.answered_by,
        "answered_at": hold.answered_at,
        "confirmed_by": hold.confirmed_by,
        "ended_at": hold.ended_at,
    }
