"""The policy packs that awards rest on, over HTTP, from payments' own database: also while eligibility is away."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.payments.api.list_answers import DEFAULT_PAGE, MAX_PAGE
from services.payments.store import policy_packs
from services.shared.runtime.callers import permitted
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor

router = APIRouter(prefix="/policy-packs", tags=["policy packs"])


@router.get("", operation_id="list-named-policy-packs")
def list_named(
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_policy_pack"))],
    cursor: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """Every pack that an award names, since when it is kept here, and when what came for it was last refused."""
    found = runtime.database.read(policy_packs.list_named, cursor, limit + 1)
    page = found[:limit]
    return json_response({"data": page, "next": page[-1].sha256 if len(found) > limit else None})


@router.get("/{pack_id}/{version}", operation_id="get-kept-policy-pack")
def get(
    pack_id: str,
    version: str,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_policy_pack"))],
) -> Response:
    """One version of a pack as it is kept: the files that its hash vouches for; the ETag is the hash."""
    pack = runtime.database.read(policy_packs.find_kept, pack_id, version)
    if pack is None:
        raise NotFound
    answer = json_response(pack)
    answer.headers["ETag"] = f'"{pack.sha256}"'
    return answer
