"""Batches over HTTP: made and submitted by one person, approved and released by another."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from services.payments.api.bodies import (
    MONTH_PATTERN,
    REGION_PATTERN,
    EmptyBody,
    Identifier,
    StrictBody,
    first_of_month,
    month_text,
    prefixes_within,
    who_of,
)
from services.payments.api.disbursements import COLUMNS as LINE_COLUMNS
from services.payments.api.disbursements import shown as shown_line
from services.payments.api.list_answers import DEFAULT_PAGE, MAX_PAGE, list_answer
from services.payments.store import batches, disbursements, pay_files
from services.payments.store.batches import Batch
from services.payments.use_cases.build_batch import build_batch
from services.payments.use_cases.move_batch import (
    approve_batch,
    cancel_batch,
    reject_batch,
    release_batch,
    submit_batch,
)
from services.shared.runtime.callers import permitted
from services.shared.runtime.database import Transaction
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import IdempotencyKey, Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.money import yuan_of

COLUMNS = (
    "id",
    "programme",
    "region",
    "month",
    "state",
    "line_count",
    "total",
    "lines_root",
    "submitted_by",
    "decided_by",
)

router = APIRouter(prefix="/batches", tags=["batches"])
CurrentRuntime = Annotated[Runtime, Depends(runtime_of)]


class BatchBody(StrictBody):
    """Which waiting lines to gather: a programme, an entitlement month, a place and what lies below it."""

    programme: Identifier
    month: str = Field(pattern=MONTH_PATTERN)
    region: str = Field(pattern=REGION_PATTERN)


class ApprovalBody(StrictBody):
    """The root of the list that was checked: approval is of this list."""

    lines_root: str = Field(pattern=r"^[0-9a-fA-F]{64}$")


@router.post("", status_code=201, operation_id="create-batch")
def create(
    body: BatchBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("create_batch"))],
    runtime: CurrentRuntime,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Gather what waits; the answer has the control totals that the checker will quote."""
    who, month = who_of(request, runtime, actor), first_of_month(body.month)

    def work(tx: Transaction) -> dict[str, Any]:
        made = build_batch(tx, runtime, actor, who, body.programme, month, body.region)
        return _found(tx, actor, made["id"])

    return runtime.transact_once(request, actor, body, 201, work)


@router.post("/{batch_id}/submit", operation_id="submit-batch")
def submit(
    batch_id: str,
    body: EmptyBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("submit_batch"))],
    runtime: CurrentRuntime,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Hand the list to the checker."""
    who = who_of(request, runtime, actor)
    return runtime.transact_once(request, actor, body, 200, submit_batch, runtime, actor, who, batch_id)


@router.post("/{batch_id}/approve", operation_id="approve-batch")
def approve(
    batch_id: str,
    body: ApprovalBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("approve_batch"))],
    runtime: CurrentRuntime,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The second person approves the list whose root is quoted; never the one who submitted it."""
    who, root = who_of(request, runtime, actor), body.lines_root
    return runtime.transact_once(request, actor, body, 200, approve_batch, runtime, actor, who, batch_id, root)


@router.post("/{batch_id}/reject", operation_id="reject-batch")
def reject(
    batch_id: str,
    body: EmptyBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("reject_batch"))],
    runtime: CurrentRuntime,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The second person sends the list back; its lines wait for another batch."""
    who = who_of(request, runtime, actor)
    return runtime.transact_once(request, actor, body, 200, reject_batch, runtime, actor, who, batch_id)


@router.post("/{batch_id}/release", operation_id="release-batch")
def release(
    batch_id: str,
    body: EmptyBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("release_batch"))],
    runtime: CurrentRuntime,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Let an approved batch go to the bank; again for what came back from a refused file."""
    who = who_of(request, runtime, actor)
    return runtime.transact_once(request, actor, body, 200, release_batch, runtime, actor, who, batch_id)


@router.post("/{batch_id}/cancel", operation_id="cancel-batch")
def cancel(
    batch_id: str,
    body: EmptyBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("cancel_batch"))],
    runtime: CurrentRuntime,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Give a batch up before its release; its lines wait for another batch."""
    who = who_of(request, runtime, actor)
    return runtime.transact_once(request, actor, body, 200, cancel_batch, runtime, actor, who, batch_id)


@router.get("", operation_id="list-batches")
def list_all(
    request: Request,
    actor: Annotated[Actor, Depends(permitted("read_batch"))],
    runtime: CurrentRuntime,
    region: Annotated[str | None, Query(pattern=REGION_PATTERN)] = None,
    month: Annotated[str | None, Query(pattern=MONTH_PATTERN)] = None,
    state: Annotated[str | None, Query(max_length=20)] = None,
    cursor: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """Batches, in order of their making."""
    prefixes, first = prefixes_within(actor, region), first_of_month(month) if month else None
    found = runtime.database.read(batches.list_batches, prefixes, first, state, cursor, limit)
    return list_answer(request, [_shown(batch) for batch in found], limit, COLUMNS)


@router.get("/{batch_id}", operation_id="get-batch")
def get(batch_id: str, actor: Annotated[Actor, Depends(permitted("read_batch"))], runtime: CurrentRuntime) -> Response:
    """One batch, its control totals and its pay files, each with its latest hundred attempts."""
    return json_response(runtime.database.read(_found, actor, batch_id))


@router.get("/{batch_id}/lines", operation_id="list-batch-lines")
def lines(
    batch_id: str,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("read_batch"))],
    runtime: CurrentRuntime,
    cursor: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """The list that the control totals are of, each line as it stands now."""
    runtime.database.read(_found, actor, batch_id)
    found = runtime.database.read(disbursements.list_frozen, batch_id, cursor, limit)
    return list_answer(request, [shown_line(line) for line in found], limit, LINE_COLUMNS)


def _found(tx: Transaction, actor: Actor, batch_id: str) -> dict[str, Any]:
    batch = batches.find_batch(tx, batch_id)
    if batch is None or not actor.covers(batch.region):
        raise NotFound
    files = [
        {
            "msg_id": file.msg_id,
            "state": file.state,
            "sha256": file.sha256,
            "line_count": file.line_count,
            "total": yuan_of(file.total_fen),
            "attempts": pay_files.list_attempts(tx, file.msg_id),
        }
        for file in pay_files.list_of_batch(tx, batch_id)
    ]
    return {**_shown(batch), "pay_files": files}


def _shown(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "programme": batch.programme,
        "region": batch.region,
        "month": month_text(batch.month),
        "state": batch.state,
        "line_count": batch.line_count,
        "total": yuan_of(batch.total_fen),
        "lines_root": batch.lines_root,
        "created_by": batch.created_by,
        "created_at": batch.created_at,
        "submitted_by": batch.submitted_by,
        "submitted_at": batch.submitted_at,
        "decided_by": batch.decided_by,
        "decided_at": batch.decided_at,
        "released_by": batch.released_by,
        "released_at": batch.released_at,
    }
