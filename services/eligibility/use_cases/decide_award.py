"""A second person confirms or refuses a proposed award; a confirmed one is told to payments."""

from typing import Any

from services.eligibility.domain.award import CONFIRMED
from services.eligibility.domain.permission import PERMISSIONS
from services.eligibility.store import awards
from services.shared.runtime import audit, outbox
from services.shared.runtime.database import Transaction
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor, require_state

AWARD_CONFIRMED = "award_confirmed"
"""The outbox message that carries a confirmed award to payments."""


def decide_award(
    tx: Transaction, runtime: Runtime, actor: Actor, request_id: str, award_id: str, decision: str, reason: str
) -> dict[str, Any]:
    """Record the decision (CONFIRMED or REFUSED) of `actor`.

    Raises NotFound, NotAllowedInThisState, and SecondPersonNeeded, which the database enforces.
    """
    award = awards.find_award(tx, award_id)
    if award is None or not actor.covers(award.region):
        raise NotFound
    require_state(PERMISSIONS, "decide_award", award.state)
    now = runtime.now()
    awards.insert_decision(tx, award, decision, actor.subject, reason, now)
    event = audit.Event(now, actor.subject, "decide_award", "award", award_id, request_id)
    audit.append(tx, runtime.tables, event, {"decision": decision, "amount_fen": award.amount_fen})
    if decision == CONFIRMED:
        outbox.append(tx, runtime.tables, runtime.name, AWARD_CONFIRMED, award_id, now)
    return {"id": award_id, "state": decision}
