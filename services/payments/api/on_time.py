"""How much of a month was paid by its due day, over HTTP."""

from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from services.payments.api.bodies import MONTH_PATTERN, REGION_PATTERN, first_of_month, prefixes_within
from services.payments.store.disbursements import OnTime, count_on_time
from services.shared.runtime.callers import permitted
from services.shared.runtime.service_app import Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor

router = APIRouter(tags=["on time"])


@router.get("/on-time", operation_id="get-on-time")
def on_time(
    month: Annotated[str, Query(pattern=MONTH_PATTERN)],
    actor: Annotated[Actor, Depends(permitted("read_disbursement"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    region: Annotated[str | None, Query(pattern=REGION_PATTERN)] = None,
) -> Response:
    """The month's lines by place and programme, from the bank's value dates: on time, late, open, ended unpaid."""
    counted = runtime.database.read(count_on_time, first_of_month(month), prefixes_within(actor, region))
    return json_response({"month": month, "data": [_shown(row) for row in counted]})


def _shown(row: OnTime) -> dict[str, Any]:
    counts = {name: getattr(row, name) for name in OnTime.__dataclass_fields__}
    owed = row.due - row.ended_unpaid
    # Rounded down: what is not wholly on time is never shown as 1.
    rate = str((Decimal(row.on_time) / owed).quantize(Decimal("0.0001"), ROUND_DOWN)) if owed else None
    return {**counts, "rate": rate}
