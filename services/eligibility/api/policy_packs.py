"""Policy packs over HTTP: those in force with their hashes, and publishing by two persons."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.eligibility.api.awards import Reason
from services.eligibility.api.determinations import JSON, raw_body
from services.eligibility.store import pack_proposals, policy_packs
from services.eligibility.store.policy_packs import PublishedPack
from services.eligibility.use_cases.decide_pack import publish_pack, refuse_pack
from services.eligibility.use_cases.examine_pack import PackExaminer
from services.eligibility.use_cases.propose_pack import propose_pack
from services.shared.runtime.body_errors import errors_of
from services.shared.runtime.callers import permitted
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import IdempotencyKey, Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.invalid_body import InvalidBody

DEFAULT_PAGE, MAX_PAGE = 100, 500
LARGER_BODIES = {"/policy-packs": 10_000_000}
"""The largest pack that is read, in which JSON writes some characters with two."""

router = APIRouter(prefix="/policy-packs", tags=["policy packs"])
proposals_router = APIRouter(prefix="/policy-pack-proposals", tags=["policy packs"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class PackBody(_Body):
    """A pack as it lies in its folder: the text of each file by its name, such as "cases/standards.toml"."""

    files: dict[str, str] = Field(min_length=1)


class PublishBody(_Body):
    """What the second person compared it with."""

    reason: Reason = ""


class RefusalBody(_Body):
    """Why it is refused."""

    reason: Reason = Field(min_length=1)


_PACK_BODY = TypeAdapter(PackBody)
PACK_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {JSON: {"schema": _PACK_BODY.json_schema()}}}}


def examiner_of(request: Request) -> PackExaminer:
    """The dependency by which a route gets a pack examined."""
    return request.app.state.pack_examiner


@router.post("", status_code=201, operation_id="propose-policy-pack", openapi_extra=PACK_BODY)
def propose(
    request: Request,
    actor: Annotated[Actor, Depends(permitted("propose_policy_pack"))],
    raw: Annotated[bytes, Depends(raw_body)],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    examiner: Annotated[PackExaminer, Depends(examiner_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Propose a version of a pack: examined with the packs in force, recorded, and no answer rests on it yet."""
    # Outside the transaction, which would hold the sealing of the log back for as long as it takes.
    examination = examiner.examine(_files(raw), actor)
    return runtime.transact_once(request, actor, raw, 201, propose_pack, runtime, actor, _id_of(request), examination)


@router.post("/{pack_id}/{version}/publish", operation_id="publish-policy-pack")
def publish(
    pack_id: str,
    version: str,
    body: PublishBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("decide_policy_pack"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    examiner: Annotated[PackExaminer, Depends(examiner_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The second person's yes: examined again and put in force, for serving processes within five seconds."""
    files = runtime.database.read(pack_proposals.find_files_to_publish, pack_id, version, actor.subject)
    examination = None if files is None else examiner.examine(files, actor)
    decision = (runtime, actor, _id_of(request), pack_id, version, body.reason, examination)
    return runtime.transact_once(request, actor, body, 200, publish_pack, *decision)


@router.post("/{pack_id}/{version}/refuse", operation_id="refuse-policy-pack")
def refuse(
    pack_id: str,
    version: str,
    body: RefusalBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("decide_policy_pack"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The second person's no: the version decides nothing, for ever."""
    decision = (runtime, actor, _id_of(request), pack_id, version, body.reason)
    return runtime.transact_once(request, actor, body, 200, refuse_pack, *decision)


@router.get("", operation_id="list-policy-packs")
def list_current(
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_policy_pack"))],
    cursor: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """The newest version of every pack, in order of their ids."""
    found = runtime.database.read(policy_packs.list_current, cursor, limit + 1)
    page = [{"id": pack_id, "version": version} for pack_id, version in found[:limit]]
    return json_response({"data": page, "next": page[-1]["id"] if len(found) > limit else None})


@router.get("/{pack_id}", operation_id="list-policy-pack-versions")
def list_versions(
    pack_id: str,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_policy_pack"))],
    cursor: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """Every published version of a pack in order of publishing, with the two persons; none for what came shipped."""
    current = runtime.database.read(policy_packs.find_current, pack_id)
    if current is None:
        raise NotFound
    found = runtime.database.read(policy_packs.list_versions, pack_id, cursor, limit + 1)
    page, last = found[:limit], found[limit - 1].version if len(found) > limit else None
    return json_response({"id": pack_id, "in_force": current[0], "data": page, "next": last})


@router.get("/{pack_id}/{version}", operation_id="get-policy-pack")
def get(
    pack_id: str,
    version: str,
    request: Request,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_policy_pack"))],
) -> Response:
    """One version of a pack: its files as text, and the hash under which it was published, also as the ETag."""
    pack = runtime.database.read(policy_packs.find_pack, pack_id, version)
    if pack is None:
        raise NotFound
    return _unchanging(request, pack)


@router.get("/{pack_id}/{version}/proposal", operation_id="get-policy-pack-proposal")
def get_proposal(
    pack_id: str,
    version: str,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_pack_proposal"))],
) -> Response:
    """What was proposed, for the second person to compare with its source: the files, by whom, and its state."""
    proposal = runtime.database.read(pack_proposals.find_proposal, pack_id, version)
    if proposal is None:
        raise NotFound
    files = runtime.database.read(pack_proposals.find_files, pack_id, version)
    return json_response({**_shown(proposal), "files": files})


@proposals_router.get("", operation_id="list-policy-pack-proposals")
def list_proposals(
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_pack_proposal"))],
    state: Literal["PROPOSED", "PUBLISHED", "REFUSED"] | None = None,
    cursor: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """What was proposed, in the order of its making; of one state when `state` is given."""
    found = runtime.database.read(pack_proposals.list_proposals, state, cursor, limit + 1)
    page = [{"proposal_id": proposal.id, **_shown(proposal)} for proposal in found[:limit]]
    return json_response({"data": page, "next": page[-1]["proposal_id"] if len(found) > limit else None})


def _files(raw: bytes) -> dict[str, str]:
    try:
        return _PACK_BODY.validate_json(raw).files
    except ValidationError as error:
        raise InvalidBody(errors_of(error)) from None


def _unchanging(request: Request, pack: PublishedPack) -> Response:
    tag = f'"{pack.sha256}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=31536000, immutable"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    answer = json_response(pack)
    answer.headers.update(headers)
    return answer


def _shown(proposal: pack_proposals.PackProposal) -> dict[str, Any]:
    return {
        "id": proposal.pack,
        "version": proposal.version,
        "sha256": proposal.sha256,
        "state": proposal.state,
        "proposed_by": proposal.proposed_by,
        "proposed_at": proposal.proposed_at,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
        "reason": proposal.reason,
    }


def _id_of(request: Request) -> str:
    return request.scope["request_id"]
