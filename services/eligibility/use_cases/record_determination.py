"""A determination is recorded: the request, the packs by hash and the answer, in one transaction with its event."""

import hashlib

from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.store.determinations import Determination, insert_determination
from services.eligibility.use_cases.evaluate_household import Rendered
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
    rendered: Rendered,
) -> bytes:
    """Record what was asked (`raw`) and answered; returns the answer's bytes with the determination's id in front."""
    now = runtime.now()
    numbered = with_id(determination_id, rendered.body)
    # The log vouches for facts and answer by their hashes: neither can be exchanged later, not even both together.
    details = {
        "region": request.region,
        "as_of": request.as_of.isoformat(),
        "request_sha256": hashlib.sha256(raw).hexdigest(),
        "answer_sha256": hashlib.sha256(numbered).hexdigest(),
    }
    event = audit.Event(now, actor.subject, "determine", "determination", determination_id, request_id)
    event_id = audit.append(tx, runtime.tables, event, details)
    recorded = Determination(
        id=determination_id,
        as_of=request.as_of,
        region=request.region,
        request=raw,
        answer=numbered,
        packs=[dict(pack) for pack in rendered.packs],
        determined_by=actor.subject,
        event_id=event_id,
        determined_at=now,
    )
    insert_determination(tx, recorded)
    return numbered


def with_id(determination_id: str, answer: bytes) -> bytes:
    """The answer's JSON object with "id" as its first member; nothing else of it changes."""
    return b'{"id":"' + determination_id.encode() + b'",' + answer[1:]
