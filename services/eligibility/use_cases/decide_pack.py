"""A second person publishes a proposed pack, or refuses it."""

from datetime import datetime, timedelta
from typing import Any

from services.eligibility.domain.pack_proposal import (
    PUBLISHED,
    REFUSED,
    PacksInForceChanged,
    PackVersionTaken,
    region_of,
)
from services.eligibility.domain.permission import PERMISSIONS
from services.eligibility.store import pack_proposals, policy_packs
from services.eligibility.store.pack_proposals import PackProposal
from services.eligibility.use_cases.examine_pack import Examination
from services.shared.runtime import audit
from services.shared.runtime.callers import Forbidden
from services.shared.runtime.clock import system_now
from services.shared.runtime.database import Transaction
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor, require_state


def publish_pack(
    tx: Transaction,
    runtime: Runtime,
    actor: Actor,
    request_id: str,
    pack_id: str,
    version: str,
    reason: str,
    examination: Examination | None,
) -> dict[str, Any]:
    """Put the proposed version in force; `examination` is of its files, and None when this caller may not publish it.

    Raises NotFound, Forbidden, NotAllowedInThisState, PacksInForceChanged when the examination is of another set,
    PackRefused, OwnPackProposal (which the database enforces) and PackVersionTaken.
    """
    proposal = _open_proposal(tx, actor, pack_id, version)
    answer = _decide(tx, runtime, actor, request_id, proposal, PUBLISHED, reason)
    policy_packs.lock_publishing(tx)
    if examination is None or tuple(policy_packs.list_current(tx)) != examination.in_force:
        raise PacksInForceChanged
    pack = examination.sound_pack()
    before = policy_packs.find_current(tx, pack_id)
    if not policy_packs.insert_pack(tx, pack_id, version, pack.sha256, examination.files, _after(before)):
        raise PackVersionTaken
    return answer


def refuse_pack(
    tx: Transaction, runtime: Runtime, actor: Actor, request_id: str, pack_id: str, version: str, reason: str
) -> dict[str, Any]:
    """Refuse the proposed version, which then decides nothing for ever; raises as `publish_pack` does."""
    proposal = _open_proposal(tx, actor, pack_id, version)
    return _decide(tx, runtime, actor, request_id, proposal, REFUSED, reason)


def _open_proposal(tx: Transaction, actor: Actor, pack_id: str, version: str) -> PackProposal:
    proposal = pack_proposals.find_proposal(tx, pack_id, version)
    if proposal is None:
        raise NotFound
    if not actor.covers(region_of(proposal.jurisdiction)):
        raise Forbidden
    require_state(PERMISSIONS, "decide_policy_pack", proposal.state)
    return proposal


def _decide(
    tx: Transaction,
    runtime: Runtime,
    actor: Actor,
    request_id: str,
    proposal: PackProposal,
    decision: str,
    reason: str,
) -> dict[str, Any]:
    now = runtime.now()
    pack_proposals.insert_decision(tx, proposal, decision, actor.subject, reason, now)
    about: audit.Details = {
        "pack": proposal.pack,
        "pack_version": proposal.version,
        "sha256": proposal.sha256,
        "decision": decision,
    }
    event = audit.Event(now, actor.subject, "decide_policy_pack", "policy_pack", proposal.id, request_id)
    audit.append(tx, runtime.tables, event, about)
    return {"id": proposal.pack, "version": proposal.version, "sha256": proposal.sha256, "state": decision}


def _after(before: tuple[str, datetime] | None) -> datetime:
    """The newest is in force, so it is later than what it replaces: whatever a test clock or a slow one says."""
    now = system_now()
    return now if before is None else max(now, before[1] + timedelta(microseconds=1))
