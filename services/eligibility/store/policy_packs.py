"""Policy packs in the database: published once, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on, insert

from services.eligibility.domain.pack_proposal import PUBLISHED
from services.eligibility.store.tables import pack_decisions, pack_proposals, policy_packs
from services.shared.runtime.database import Transaction

MAX_PACKS = 5_000
"""One for the nation, each province, prefecture and county: some 3,200; the folder that ships has the same bound."""


PUBLISHING_LOCK = 0x0D0D3
"""The advisory lock of who changes what is in force."""


@dataclass(frozen=True, slots=True)
class PublishedPack:
    """A version of a pack as it stands in the database: its text files by name, and the hash it was published under."""

    id: str
    version: str
    sha256: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PackVersion:
    """When a version was published, and by which two persons; by none, when it came with the software."""

    version: str
    sha256: str
    published_at: datetime
    proposed_by: str | None
    published_by: str | None


def lock_publishing(tx: Transaction) -> None:
    """Make every other who publishes wait until this transaction ends: what is in force changes one by one."""
    tx.execute(select(func.pg_advisory_xact_lock(PUBLISHING_LOCK)))


def insert_pack(
    tx: Transaction, pack_id: str, version: str, sha256: str, files: Mapping[str, str], now: datetime
) -> bool:
    """Publish a pack version; False when that version is there already, whatever its content."""
    row = {"id": pack_id, "version": version, "sha256": sha256, "files": dict(files), "loaded_at": now}
    published = insert(policy_packs).values(row).on_conflict_do_nothing(index_elements=["id", "version"])
    return tx.execute(published.returning(policy_packs.c.id)).first() is not None


def find_hash(tx: Transaction, pack_id: str, version: str) -> str | None:
    """The hash under which a version was published."""
    query = select(policy_packs.c.sha256).where(policy_packs.c.id == pack_id, policy_packs.c.version == version)
    return tx.execute(query).scalar()


def find_pack(tx: Transaction, pack_id: str, version: str) -> PublishedPack | None:
    """One version of a pack, if it is there."""
    columns = [policy_packs.c[name] for name in PublishedPack.__dataclass_fields__]
    query = select(*columns).where(policy_packs.c.id == pack_id, policy_packs.c.version == version)
    row = tx.execute(query).mappings().first()
    return None if row is None else PublishedPack(**row)


def list_current(tx: Transaction, after: str = "", limit: int = MAX_PACKS) -> list[tuple[str, str]]:
    """(id, version) of the newest version of every pack whose id follows `after`, in order of id, at most `limit`."""
    newest = select(policy_packs.c.id, policy_packs.c.version).ext(distinct_on(policy_packs.c.id))
    order = (policy_packs.c.id, policy_packs.c.loaded_at.desc(), policy_packs.c.version.desc())
    rows = tx.execute(newest.where(policy_packs.c.id > after).order_by(*order).limit(limit))
    return [(row.id, row.version) for row in rows]


def list_versions(tx: Transaction, pack_id: str, after: str, limit: int) -> list[PackVersion]:
    """Versions of a pack in the order of their publishing, from the one after `after` on; the last is in force."""
    of_the_pack = policy_packs.c.id == pack_id
    order = tuple_(policy_packs.c.loaded_at, policy_packs.c.version)
    published = pack_decisions.c.decision == PUBLISHED
    proposed = and_(pack_proposals.c.pack == policy_packs.c.id, pack_proposals.c.version == policy_packs.c.version)
    decided = and_(pack_decisions.c.proposal == pack_proposals.c.id, published)
    who = pack_proposals.join(pack_decisions, decided)
    columns = (policy_packs.c.version, policy_packs.c.sha256, policy_packs.c.loaded_at.label("published_at"))
    people = (pack_proposals.c.proposed_by, pack_decisions.c.decided_by.label("published_by"))
    query = select(*columns, *people).select_from(policy_packs.outerjoin(who, proposed)).where(of_the_pack)
    if after:
        last = select(policy_packs.c.loaded_at, policy_packs.c.version)
        query = query.where(order > last.where(of_the_pack, policy_packs.c.version == after).scalar_subquery())
    rows = tx.execute(query.order_by(policy_packs.c.loaded_at, policy_packs.c.version).limit(limit))
    return [PackVersion(**row) for row in rows.mappings()]


def find_current(tx: Transaction, pack_id: str) -> tuple[str, datetime] | None:
    """The version of a pack that is in force, and when it was published."""
    newest = select(policy_packs.c.version, policy_packs.c.loaded_at).where(policy_packs.c.id == pack_id)
    row = tx.execute(newest.order_by(policy_packs.c.loaded_at.desc(), policy_packs.c.version.desc()).limit(1)).first()
    return None if row is None else (row.version, row.loaded_at)


def list_published_by_people(tx: Transaction) -> list[tuple[str, str]]:
    """(id, version) of every pack whose version in force two persons published, in order of id."""
    people = select(pack_proposals.c.pack, pack_proposals.c.version).join(
        pack_decisions,
        and_(pack_decisions.c.proposal == pack_proposals.c.id, pack_decisions.c.decision == PUBLISHED),
    )
    by_people = {(row.pack, row.version) for row in tx.execute(people)}
    return [current for current in list_current(tx) if current in by_people]
