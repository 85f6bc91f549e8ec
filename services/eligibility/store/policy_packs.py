"""Policy packs in the database: published once, never changed."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.eligibility.store.tables import policy_packs
from services.shared.runtime.database import Transaction


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


def find_files(tx: Transaction, pack_id: str, version: str) -> dict[str, str] | None:
    """The text files of a version by their names, as they stand in the database."""
    query = select(policy_packs.c.files).where(policy_packs.c.id == pack_id, policy_packs.c.version == version)
    return tx.execute(query).scalar()


def list_current(tx: Transaction) -> list[tuple[str, str]]:
    """(id, version) of the newest version of every pack."""
    newest = select(policy_packs.c.id, policy_packs.c.version).distinct(policy_packs.c.id)
    rows = tx.execute(
        newest.order_by(policy_packs.c.id, policy_packs.c.loaded_at.desc(), policy_packs.c.version.desc())
    )
    return [(row.id, row.version) for row in rows]
