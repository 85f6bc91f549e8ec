"""The feeds: a department's signed batch of death records, what became of it, and the feed's schema."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.monitoring.domain.death_batch import FEED, MAX_ROWS, CheckedBatch, DeathBatch, ReturnedRow, check_batch
from services.monitoring.gateways.signed_message import MEDIA_TYPE, ReceivedMessage, Sender, verify_sender
from services.monitoring.store import feed_batches
from services.monitoring.use_cases.receive_death_batch import Received, receive_death_batch
from services.shared.runtime.body_errors import errors_of
from services.shared.runtime.callers import permitted
from services.shared.runtime.clock import china_date, system_now
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime, as_json, json_response, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.invalid_body import InvalidBody

router = APIRouter(prefix="/feeds/deaths", tags=["feeds"])
BATCHES = "/batches"


class DeathBatchBody(BaseModel):
    """What the department declares, and its rows; each row is judged on its own, so none refuses the batch."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra={
            "example": {
                "batch_no": "2026-02-001",
                "as_of": "2026-02-28",
                "mode": "delta",
                "row_count": 1,
                "rows": [{"id_number": "99010119490101001X", "died_on": "2026-02-03", "source": "殡仪馆"}],
            }
        },
    )
    batch_no: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="the sender's number, used once")
    as_of: date = Field(description="the day on which the records were drawn")
    mode: Literal["full", "delta"] = Field(description="everything there is, or what is new")
    row_count: int = Field(ge=0, le=MAX_ROWS, description="how many rows the sender counted")
    rows: list[Any] = Field(max_length=MAX_ROWS, description="objects of id_number, died_on and source; see the schema")


@dataclass(frozen=True, slots=True)
class SignedBody:
    """A body whose sender is known."""

    sender: Sender
    body: bytes


async def raw_body(request: Request) -> bytes:
    """The body's bytes as they came: a signature is of bytes, not of what they mean."""
    return await request.body()


def signed_body(request: Request, body: Annotated[bytes, Depends(raw_body)]) -> SignedBody:
    """The route dependency of a feed: a registered department signed exactly this, just now."""
    state = request.app.state
    url = state.runtime.configuration.common.monitoring_url.rstrip("/") + request.url.path
    if request.url.query:
        url += f"?{request.url.query}"
    message = ReceivedMessage(request.method, url, request.headers, body)
    sender = verify_sender(message, state.partner_keys, FEED, system_now())
    request.scope["caller"] = f"partner/{sender.partner}"
    return SignedBody(sender, body)


signed_body.action = "send_feed_batch"  # type: ignore[attr-defined]  # read by the test that every route has a caller


@router.post(
    BATCHES,
    operation_id="send-death-batch",
    status_code=201,
    response_class=Response,
    openapi_extra={
        "requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": DeathBatchBody.model_json_schema()}}}
    },
)
def send_death_batch(
    request: Request,
    signed: Annotated[SignedBody, Depends(signed_body)],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> Response:
    """Take a signed batch (RFC 9421, Content-Digest) and answer row by row; the same bytes get the same answer.

    No Idempotency-Key: the batch's number and digest are one.
    """
    now = runtime.now()
    batch = _batch(signed.body)
    accepts_demo_people = runtime.configuration.common.mode != "production"
    checked = check_batch(batch, china_date(now), accepts_demo_people)
    batch_id = new_id("batch")
    answer = as_json(_answer(batch_id, batch, checked))
    request_id = request.scope.get("request_id", "")
    received = Received(batch_id, batch, checked, signed.body, answer, signed.sender, request_id, now)
    signal = request.app.state.signals[FEED]
    answered = runtime.database.transact(receive_death_batch, received, signal, runtime.personal_data, new_id)
    headers = {"Idempotent-Replay": "true"} if answered.is_replay else {}
    return Response(answered.answer, 201, headers, MEDIA_TYPE)


@router.get(BATCHES + "/{batch_id}", operation_id="get-death-batch", response_class=Response)
def get_death_batch(
    batch_id: str,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    actor: Annotated[Actor, Depends(permitted("read_feed_batches"))],
) -> Response:
    """The answer that the department got, as it got it; a batch of another region is not there."""
    batch = runtime.database.read(feed_batches.find_batch, batch_id)
    if batch is None or not actor.covers(batch.region):
        raise NotFound
    return Response(batch.answer, media_type=MEDIA_TYPE)


@router.get("/schema", operation_id="get-death-feed-schema", response_class=Response)
def get_death_feed_schema() -> Response:
    """The feed's contract (Table Schema); open to everyone, since who builds a sender has no key yet."""
    return json_response(SCHEMA)


def _batch(body: bytes) -> DeathBatch:
    try:
        parsed = DeathBatchBody.model_validate_json(body)
    except ValidationError as error:
        raise InvalidBody(errors_of(error)) from None
    return DeathBatch(parsed.batch_no, parsed.as_of, parsed.mode, parsed.row_count, parsed.rows)


def _answer(batch_id: str, batch: DeathBatch, checked: CheckedBatch) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [{"row": record.row_number, "outcome": "accepted"} for record in checked.accepted]
    rows += [_returned(row) for row in checked.returned]
    return {
        "batch_id": batch_id,
        "batch_no": batch.batch_no,
        "feed": FEED,
        "as_of": batch.as_of,
        "mode": batch.mode,
        "state": checked.state,
        "counts": {
            "declared": batch.row_count,
            "accepted": len(checked.accepted),
            "returned": len(checked.returned),
            "by_code": _by_code(checked),
        },
        "rows": sorted(rows, key=lambda row: row["row"]),
    }


def _returned(row: ReturnedRow) -> dict[str, Any]:
    errors = [
        {
            "field": fault.field,
            "code": fault.code,
            "text": {"zh": fault.zh, "en": fault.en},
            "remedy": {"zh": fault.remedy_zh, "en": fault.remedy_en},
        }
        for fault in row.faults
    ]
    return {"row": row.row_number, "outcome": "returned", "errors": errors}


def _by_code(checked: CheckedBatch) -> dict[str, int]:
    codes = [fault.code for row in checked.returned for fault in row.faults]
    return {code: codes.count(code) for code in sorted(set(codes))}


SCHEMA: dict[str, Any] = {
    "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
    "name": FEED,
    "title": "死亡记录 / deaths",
    "description": "按 RFC 9421 签名（ed25519），以 JSON 报送。Signed (RFC 9421, ed25519), sent as JSON.",
    "primaryKey": ["id_number"],
    "maxRows": MAX_ROWS,
    "fields": [
        {
            "name": "id_number",
            "title": "公民身份号码",
            "type": "string",
            "description": "GB 11643：18位，校验码按 ISO 7064 MOD 11-2；文本格式 / 18 characters, as text",
            "constraints": {"required": True, "unique": True, "pattern": "[0-9]{17}[0-9X]"},
        },
        {
            "name": "died_on",
            "title": "死亡日期",
            "type": "date",
            "format": "%Y-%m-%d",
            "description": "也接受 2026/3/1、20260301、2026年3月1日 / not later than as_of",
            "constraints": {"required": True},
        },
        {
            "name": "source",
            "title": "数据来源",
            "type": "string",
            "description": "登记机构的类别，如“殡仪馆”，不含号码 / the kind of register, without numbers",
            "constraints": {"required": True, "minLength": 1, "maxLength": 40},
        },
    ],
}
