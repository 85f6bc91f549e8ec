"""A determination is recorded: the request, the packs by hash and the answer, in one transaction with its event."""

from datetime import datetime
from typing import Any

from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.store.determinations import Determination, insert_determination
from services.shared.runtime import audit
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor


def record_determination(
    tx: Transaction,
    runtime: Runtime,
    actor: Actor,
    request_id: str,
    determination_id: str,
    request: DeterminationRequest,
    raw: bytes,
    answer: bytes,
    packs: list[dict[str, Any]],
) -> bytes:
    """Record what was asked (`raw`) and answered; returns the answer's bytes with the determination's id in front."""
    now: datetime = runtime.now()
    event = audit.Event(now, actor.subject, "determine", "determination", determination_id, request_id)
    event_id = audit.append(tx, runtime.tables, event, {"region": request.region, "as_of": request.as_of.isoformat()})
    numbered = with_id(determination_id, answer)
    recorded = Determination(
        id=determination_id,
        as_of=request.as_of,
        region=request.region,
        request=raw,
        answer=numbered,
        packs=packs,
        determined_by=actor.subject,
        event_id=event_id,
        determined_at=now,
    )
    insert_determination(tx, recorded)
    return numbered


def with_id(determination_id: str, answer: bytes) -> bytes:
    """The answer's JSON object with "id" as its first member; nothing else of it changes."""
    return b'{"id":"' + determination_id.encode() + b'",' + answer[1:]
