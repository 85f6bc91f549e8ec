"""Keeps the policy packs that awards rest on, so that they can be shown when eligibility is away or gone."""

from collections.abc import Mapping
from datetime import timedelta

from services.payments.gateways.eligibility_service import fetch_pack
from services.payments.store import policy_packs
from services.payments.store.policy_packs import NamedPack
from services.payments.use_cases.advance_lines import worker
from services.shared.policy.pack import fingerprint
from services.shared.runtime import audit
from services.shared.runtime.database import Transaction
from services.shared.runtime.logs import get_logger
from services.shared.runtime.service_app import Runtime
from services.shared.runtime.service_client import PeerRefused, PeerUnavailable, ServiceClient

ASK_AGAIN_AFTER = timedelta(days=1)
"""What is no such pack today may be put right: it is asked for daily, and each time recorded."""
DIFFERS = "differs"
"""Why a pack is refused: its files do not have the hash that the award names."""


def keep_policy_packs(runtime: Runtime, eligibility: ServiceClient) -> None:
    """Fetch a page of the packs that are named and not kept; while eligibility is away the next tick asks again."""
    refused_before = runtime.now() - ASK_AGAIN_AFTER
    for pack in runtime.database.read(policy_packs.list_missing, refused_before):
        try:
            files = fetch_pack(eligibility, pack.id, pack.version)
        except PeerUnavailable:
            return
        except PeerRefused as refusal:
            _refuse(runtime, pack, f"http_{refusal.status}")
            continue
        if fingerprint(files) == pack.sha256:
            runtime.database.transact(_keep, runtime, pack, files)
        else:
            _refuse(runtime, pack, DIFFERS)


def _keep(tx: Transaction, runtime: Runtime, pack: NamedPack, files: Mapping[str, bytes]) -> None:
    who = worker(runtime)
    text = {name: content.decode() for name, content in files.items()}
    if policy_packs.insert_kept(tx, pack, text, who.now):
        event = audit.Event(who.now, who.actor, "keep_policy_pack", "policy_pack", pack.sha256)
        audit.append(tx, runtime.tables, event, {"pack": pack.id, "pack_version": pack.version})


def _refuse(runtime: Runtime, pack: NamedPack, reason: str) -> None:
    runtime.database.transact(_record_refusal, runtime, pack, reason)
    get_logger().error("policy pack not kept", entity="policy_pack", entity_id=pack.sha256, code=reason)


def _record_refusal(tx: Transaction, runtime: Runtime, pack: NamedPack, reason: str) -> None:
    who = worker(runtime)
    policy_packs.insert_refusal(tx, pack, reason, who.now)
    event = audit.Event(who.now, who.actor, "refuse_policy_pack", "policy_pack", pack.sha256)
    audit.append(tx, runtime.tables, event, {"pack": pack.id, "pack_version": pack.version, "reason": reason})
