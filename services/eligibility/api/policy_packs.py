"""Published policy packs over HTTP: the law and figures that a determination names by hash."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.eligibility.store import policy_packs
from services.shared.runtime.callers import permitted
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor

DEFAULT_PAGE, MAX_PAGE = 100, 500

router = APIRouter(prefix="/policy-packs", tags=["policy packs"])


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


@router.get("/{pack_id}/{version}", operation_id="get-policy-pack")
def get(
    pack_id: str,
    version: str,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_policy_pack"))],
) -> Response:
    """One version of a pack: its files as text, and the hash under which it was published."""
    pack = runtime.database.read(policy_packs.find_pack, pack_id, version)
    if pack is None:
        raise NotFound
    return json_response(pack)
