"""Policy packs in the database: published once, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from services.eligibility.store.tables import policy_packs
from services.shared.runtime.database import Transaction

MAX_PACKS = 5_000
"""One for the nation, each province, prefecture and county: some 3,200; the folder that ships has the same bound."""


@dataclass(frozen=True, slots=True)
class PublishedPack:
    """A version of a pack as it stands in the database: its text files by name, and the hash it was published under."""

    id: str
    version: str
    sha256: str
    files: Mapping[str, str]


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
