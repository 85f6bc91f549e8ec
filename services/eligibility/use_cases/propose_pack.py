"""A policy officer proposes a version of a pack; nothing is decided by it until another person publishes it."""

from typing import Any

from services.eligibility.domain.pack_proposal import (
    PROPOSED,
    PackUnchanged,
    PackVersionTaken,
    differs_only_in_version,
)
from services.eligibility.store import pack_proposals, policy_packs
from services.eligibility.use_cases.examine_pack import Examination
from services.shared.policy.pack import Pack
from services.shared.runtime import audit
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor


def propose_pack(
    tx: Transaction, runtime: Runtime, actor: Actor, request_id: str, examination: Examination
) -> dict[str, Any]:
    """Record the proposal of an examined pack.

    Raises PackRefused with all that is wrong, PackVersionTaken (which the database enforces too) and PackUnchanged.
    """
    pack = examination.sound_pack()
    replaces = _predecessor(tx, pack, examination)
    proposal_id, now = new_id("proposal"), runtime.now()
    pack_proposals.insert_proposal(tx, proposal_id, pack, examination.files, actor.subject, now)
    event = audit.Event(now, actor.subject, "propose_policy_pack", "policy_pack", proposal_id, request_id)
    about: audit.Details = {"pack": pack.id, "pack_version": pack.version, "sha256": pack.sha256}
    audit.append(tx, runtime.tables, event, about)
    found = {"replaces": replaces, "cases": len(pack.cases), "warnings": examination.shown_warnings()}
    return {**pack.identity, "state": PROPOSED, **found}


def _predecessor(tx: Transaction, pack: Pack, examination: Examination) -> str | None:
    """The version that this one is to replace."""
    if policy_packs.find_hash(tx, pack.id, pack.version) is not None:
        raise PackVersionTaken
    version = dict(policy_packs.list_current(tx)).get(pack.id)
    before = None if version is None else policy_packs.find_pack(tx, pack.id, version)
    if before and differs_only_in_version(examination.files, pack.version, before.files, before.version):
        raise PackUnchanged
    return version
