"""Redeterminations over HTTP: what past months come to when a standard was raised after the fact."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.eligibility.api.awards import MONTH
from services.eligibility.api.determinations import JSON, find_permitted, policy_of
from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.award import month_of
from services.eligibility.store.redeterminations import find_redetermination
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.eligibility.use_cases.redetermine import months_anew, redetermine
from services.shared.runtime.callers import permitted
from services.shared.runtime.clock import china_date
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import IdempotencyKey, Runtime, runtime_of
from services.shared.vocabulary.actor import Actor

router = APIRouter(tags=["redeterminations"])


class RedeterminationBody(BaseModel):
    """Which determination, and which of its months: the first, and the first that no longer belongs to them."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)

    determination_id: str = Field(max_length=60)
    first: str = Field(alias="from", pattern=MONTH)
    until: str = Field(pattern=MONTH)


@router.post("/redeterminations", status_code=201, operation_id="create-redetermination", response_class=Response)
def create(
    body: RedeterminationBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("redetermine"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    policy: Annotated[PublishedPolicy, Depends(policy_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Each month anew by law and figures as they are known now: what is still due; nothing is taken back by it."""
    recorded = find_permitted(runtime, actor, body.determination_id)
    until, today = month_of(body.until), china_date(runtime.now())
    months = months_anew(
        recorded, parse_request(recorded.request), policy.current(), month_of(body.first), until, today
    )
    place = (request.scope["request_id"], new_id("redetermination"), recorded, months, until)
    return runtime.transact_once(request, actor, body, 201, redetermine, runtime, actor, *place)


@router.get("/redeterminations/{redetermination_id}", operation_id="get-redetermination", response_class=Response)
def get(
    redetermination_id: str,
    actor: Annotated[Actor, Depends(permitted("read_determination"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> Response:
    """The answer as it was recorded, byte for byte."""
    found = runtime.database.read(find_redetermination, redetermination_id)
    if found is None:
        raise NotFound
    find_permitted(runtime, actor, found.determination)
    return Response(found.answer, media_type=JSON)
