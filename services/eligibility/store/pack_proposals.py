"""Proposed packs and the second person's decision on each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, insert, select

from services.eligibility.domain.pack_proposal import PROPOSED
from services.eligibility.store.tables import pack_decisions, pack_proposals
from services.shared.policy.pack import Pack
from services.shared.runtime.database import Transaction

PAGE_LIMIT = 501
"""The largest page, and one more row that tells whether another page follows."""


@dataclass(frozen=True, slots=True)
class PackProposal:
    """A proposal as it stands, without its files."""

    id: str
    pack: str
    version: str
    sha256: str
    jurisdiction: str
    proposed_by: str
    proposed_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


def insert_proposal(
    tx: Transaction, proposal_id: str, pack: Pack, files: Mapping[str, str], proposed_by: str, now: datetime
) -> None:
    """Record a proposal; the database refuses a second one of the same version."""
    what = {"id": proposal_id, "pack": pack.id, "version": pack.version, "sha256": pack.sha256}
    row = {**what, "jurisdiction": pack.jurisdiction, "files": dict(files), "proposed_by": proposed_by}
    tx.execute(insert(pack_proposals).values({**row, "proposed_at": now}))


def insert_decision(
    tx: Transaction, proposal: PackProposal, decision: str, decided_by: str, reason: str, now: datetime
) -> None:
    """Record the second person's decision; the database refuses the proposer's own, and another after it."""
    row = {"proposal": proposal.id, "proposed_by": proposal.proposed_by, "decision": decision, "decided_by": decided_by}
    tx.execute(insert(pack_decisions).values({**row, "reason": reason, "decided_at": now}))


def find_proposal(tx: Transaction, pack_id: str, version: str) -> PackProposal | None:
    """The proposal of that version, if there is one."""
    row = tx.execute(_proposals().where(_names(pack_id, version))).mappings().first()
    return None if row is None else PackProposal(**row)


def find_files(tx: Transaction, pack_id: str, version: str) -> Mapping[str, str] | None:
    """The files of the proposal of that version, if there is one."""
    return tx.execute(select(pack_proposals.c.files).where(_names(pack_id, version))).scalar()


def find_files_to_publish(tx: Transaction, pack_id: str, version: str, publisher: str) -> Mapping[str, str] | None:
    """The files of an open proposal of another person than `publisher`."""
    proposal = find_proposal(tx, pack_id, version)
    if proposal is None or proposal.state != PROPOSED or proposal.proposed_by == publisher:
        return None
    return find_files(tx, pack_id, version)


def list_proposals(tx: Transaction, state: str | None, after: str, limit: int) -> list[PackProposal]:
    """Proposals whose id follows `after`, in order of their making, at most `limit`; of one state when it is given."""
    query = _proposals().where(pack_proposals.c.id > after).order_by(pack_proposals.c.id).limit(min(limit, PAGE_LIMIT))
    if state is not None:
        query = query.where(_STATE.in_([state]))
    return [PackProposal(**row) for row in tx.execute(query).mappings()]


_STATE = func.coalesce(pack_decisions.c.decision, PROPOSED)


def _names(pack_id: str, version: str):  # type: ignore[no-untyped-def]
    return and_(pack_proposals.c.pack == pack_id, pack_proposals.c.version == version)


def _proposals() -> Select:
    columns = [column for column in pack_proposals.c if column.name != "files"]
    decision = (pack_decisions.c.decided_by, pack_decisions.c.decided_at, pack_decisions.c.reason)
    joined = pack_proposals.outerjoin(pack_decisions, pack_decisions.c.proposal == pack_proposals.c.id)
    return select(*columns, _STATE.label("state"), *decision).select_from(joined)
