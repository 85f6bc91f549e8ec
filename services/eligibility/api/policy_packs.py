"""Published policy packs over HTTP: the law and figures that a determination names by hash."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.eligibility.store import policy_packs
from services.shared.runtime.callers import permitted
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor

router = APIRouter(prefix="/policy-packs", tags=["policy packs"])


@router.get("", operation_id="list-policy-packs")
def list_current(
    runtime: Annotated[Runtime, Depends(runtime_of)], _: Annotated[Actor, Depends(permitted("read_policy_pack"))]
) -> Response:
    """The newest version of every pack."""
    current = runtime.database.read(policy_packs.list_current)
    return json_response({"data": [{"id": pack_id, "version": version} for pack_id, version in current]})


@router.get("/{pack_id}/{version}", operation_id="get-policy-pack")
def get(
    pack_id: str,
    version: str,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_policy_pack"))],
) -> Response:
    """One version of a pack: its files as text, and the hash under which it was published."""
    sha256 = runtime.database.read(policy_packs.find_hash, pack_id, version)
    if sha256 is None:
        raise NotFound
    files = runtime.database.read(policy_packs.find_files, pack_id, version)
    return json_response({"id": pack_id, "version": version, "sha256": sha256, "files": files})
