"""Contradictions between the books and the bank over HTTP, for people to look at."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.payments.api.bodies import month_text, require_nation
from services.payments.api.list_answers import DEFAULT_PAGE, MAX_PAGE, list_answer
from services.payments.store.exceptions import OpenException, list_exceptions
from services.shared.runtime.callers import permitted
from services.shared.runtime.service_app import Runtime, runtime_of
from services.shared.vocabulary.actor import Actor

COLUMNS = ("id", "kind", "disbursement_id", "pay_file", "award_id", "month", "bank", "statement", "line", "opened_at")

router = APIRouter(prefix="/exceptions", tags=["exceptions"])


@router.get("", operation_id="list-exceptions")
def list_all(
    request: Request,
    actor: Annotated[Actor, Depends(permitted("read_exception"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    cursor: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """What contradicts, and what is known of it; no state was changed by any of these.

    Many are about a statement or a file, which has no region, so they are for callers of the whole.
    """
    require_nation(actor)
    found = runtime.database.read(list_exceptions, cursor, limit)
    return list_answer(request, [_shown(exception) for exception in found], limit, COLUMNS)


def _shown(exception: OpenException) -> dict[str, Any]:
    return {
        "id": exception.id,
        "kind": exception.kind,
        "disbursement_id": exception.disbursement,
        "pay_file": exception.pay_file,
        "award_id": exception.award,
        "month": month_text(exception.month) if exception.month else None,
        "bank": exception.bank,
        "statement": exception.statement,
        "line": exception.line,
        "opened_at": exception.opened_at,
    }
