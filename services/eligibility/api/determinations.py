"""Determinations and simulations over HTTP: a household in, explained answers out."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from services.eligibility.api.household_body import body_schema, parse_request
from services.eligibility.domain.award import places_of
from services.eligibility.domain.determination import NotAtOnce
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.store.determinations import Determination, find_determination
from services.eligibility.use_cases.evaluate_household import Rendered, rendered_answer
from services.eligibility.use_cases.overlay_packs import PackOverlays
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.eligibility.use_cases.record_determination import record_determination
from services.eligibility.use_cases.replay_determination import replay_determination
from services.shared.runtime.callers import Forbidden, is_allowed, permitted
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import IdempotencyKey, Runtime, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.invalid_body import BodyError, InvalidBody

JSON = "application/json"
UNSUPPORTED_MEDIA_TYPE = 415
BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {JSON: {"schema": body_schema()}}}}
DIRECT = ("/simulations",)
"""The most frequent call of portals, which takes no longer than FastAPI's way to it."""

router = APIRouter(tags=["determinations"])


async def raw_body(request: Request) -> bytes:
    """The body as it was sent: determinations are recorded, and replayed, from these bytes."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise HTTPException(UNSUPPORTED_MEDIA_TYPE)
    return await request.body()


async def policy_of(request: Request) -> PublishedPolicy:
    """The dependency by which a route gets at the published packs."""
    return request.app.state.published_policy


@router.post("/determinations", status_code=201, operation_id="create-determination", openapi_extra=BODY)
def determine(
    request: Request,
    actor: Annotated[Actor, Depends(permitted("determine"))],
    raw: Annotated[bytes, Depends(raw_body)],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    policy: Annotated[PublishedPolicy, Depends(policy_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Which aid the household may get, and why; recorded, so that it replays to the same bytes years later."""
    asked = parse_request(raw)
    _refuse_simulation(asked)
    rendered = _permitted_place(rendered_answer(policy.current(), asked), actor)
    determination_id, request_id = new_id("determination"), request.scope["request_id"]

    def record(tx: Transaction) -> bytes:
        return record_determination(tx, runtime, actor, request_id, determination_id, asked, raw, rendered)

    if idempotency_key is None:
        return Response(runtime.database.transact(record), 201, media_type=JSON)
    return runtime.transact_once(request, actor, raw, 201, record)


@router.post("/simulations", operation_id="create-simulation", openapi_extra=BODY)
async def simulate(request: Request, actor: Annotated[Actor, Depends(permitted("simulate"))]) -> Response:
    """The same answer, with other figures or packs where "parameters" and "packs" give them; nothing is stored.

    Packs are laid over those in force, each in place of the one for its place; only who may propose packs may try some.
    """
    # Without a thread, and a dependency for each thing: either costs more than most answers.
    asked = parse_request(await raw_body(request), may_try_packs=True)
    policy: PublishedPolicy = request.app.state.published_policy
    if asked.packs:
        if not is_allowed(request, actor, "propose_policy_pack"):
            raise Forbidden
        rendered = await run_in_threadpool(_tried, asked, policy, request.app.state.pack_overlays)
        return Response(_permitted_place(rendered, actor).body, media_type=JSON)
    try:
        rendered = _simulated(asked, policy, at_once=True)
    except NotAtOnce:
        rendered = await run_in_threadpool(_simulated, asked, policy)
    return Response(_permitted_place(rendered, actor).body, media_type=JSON)


def _simulated(asked: DeterminationRequest, policy: PublishedPolicy, *, at_once: bool = False) -> Rendered:
    packs = policy.current_at_once() if at_once else policy.current()
    if packs is None:
        raise NotAtOnce
    return rendered_answer(packs, asked, is_simulation=True, at_once=at_once)


def _tried(asked: DeterminationRequest, policy: PublishedPolicy, overlays: PackOverlays) -> Rendered:
    return rendered_answer(overlays.laid_over(policy.current(), asked.packs), asked, is_simulation=True)


@router.get("/determinations/{determination_id}", operation_id="get-determination")
def get(
    determination_id: str,
    actor: Annotated[Actor, Depends(permitted("read_determination"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> Response:
    """The answer as it was recorded, byte for byte."""
    return Response(find_permitted(runtime, actor, determination_id).answer, media_type=JSON)


@router.post("/determinations/{determination_id}/replay", operation_id="replay-determination")
def replay(
    determination_id: str,
    actor: Annotated[Actor, Depends(permitted("replay_determination"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    policy: Annotated[PublishedPolicy, Depends(policy_of)],
) -> Response:
    """Compute the answer anew from the recorded facts and packs: the same bytes, or a refusal that says why."""
    recorded = find_permitted(runtime, actor, determination_id)
    return Response(replay_determination(recorded, parse_request(recorded.request), policy), media_type=JSON)


def find_permitted(runtime: Runtime, actor: Actor, determination_id: str) -> Determination:
    """The determination, for who acts at a place that it concerns. Raises NotFound."""
    found = runtime.database.read(find_determination, determination_id)
    if found is None or not any(map(actor.covers, places_of(orjson.loads(found.answer)))):
        raise NotFound
    return found


def _permitted_place(rendered: Rendered, actor: Actor) -> Rendered:
    # An emergency away from home is for the office of the place where it is (Law Art. 29).
    if not any(map(actor.covers, rendered.places)):
        raise Forbidden
    return rendered


def _refuse_simulation(asked: DeterminationRequest) -> None:
    if asked.simulation:
        zh, en = "正式认定不能改动标准，请改用 /simulations", "a recorded call takes no other figures: use /simulations"
        raise InvalidBody((BodyError("/parameters", "simulation_only", zh, en),))
