"""The policy packs that awards rest on: which are named, which are kept, and which were not what they should be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_if_absent

from services.payments.store.tables import kept_policy_packs, named_policy_packs, policy_pack_refusals
from services.shared.runtime.database import Transaction

MISSING_LIMIT = 20
"""Packs that are fetched at a time; the rest at the next tick."""


@dataclass(frozen=True, slots=True)
class NamedPack:
    """A pack as an award names it."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class KeptPack:
    """A pack as it is kept: the files that its hash vouches for."""

    id: str
    version: str
    sha256: str
    files: Mapping[str, str]
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class NamedPackState:
    """A named pack, since when it is kept, and when it was last refused; both None while it is still to be fetched."""

    id: str
    version: str
    sha256: str
    named_at: datetime
    kept_at: datetime | None
    refused_at: datetime | None


def insert_named(tx: Transaction, packs: Sequence[NamedPack], now: datetime) -> None:
    """Note that an award rests on these packs; what was noted before is left as it is."""
    # In one order always, so that two awards at once do not wait for each other.
    rows = [{"sha256": p.sha256, "id": p.id, "version": p.version, "named_at": now} for p in packs]
    if rows:
        in_order = sorted(rows, key=lambda row: str(row["sha256"]))
        tx.execute(insert_if_absent(named_policy_packs).values(in_order).on_conflict_do_nothing())


def list_missing(tx: Transaction, refused_before: datetime) -> list[NamedPack]:
    """Named packs that are not kept, and were not refused since, the oldest first, at most MISSING_LIMIT."""
    named = named_policy_packs.c
    is_kept = exists().where(kept_policy_packs.c.sha256 == named.sha256)
    refusals = policy_pack_refusals.c
    is_refused = exists().where(refusals.sha256 == named.sha256, refusals.refused_at > refused_before)
    query = select(named.id, named.version, named.sha256).where(~is_kept, ~is_refused).order_by(named.named_at)
    return [NamedPack(*row) for row in tx.execute(query.limit(MISSING_LIMIT))]


def insert_kept(tx: Transaction, pack: NamedPack, files: Mapping[str, str], now: datetime) -> bool:
    """Keep a pack; False when it is kept already."""
    row = {"sha256": pack.sha256, "id": pack.id, "version": pack.version, "files": dict(files), "kept_at": now}
    kept = insert_if_absent(kept_policy_packs).values(row).on_conflict_do_nothing()
    return tx.execute(kept.returning(kept_policy_packs.c.sha256)).first() is not None


def insert_refusal(tx: Transaction, pack: NamedPack, reason: str, now: datetime) -> None:
    """Note that what came for a named pack was not kept."""
    tx.execute(insert(policy_pack_refusals).values(sha256=pack.sha256, reason=reason, refused_at=now))


def find_kept(tx: Transaction, pack_id: str, version: str) -> KeptPack | None:
    """A version of a pack, if it is kept."""
    columns = [kept_policy_packs.c[name] for name in KeptPack.__dataclass_fields__]
    query = select(*columns).where(kept_policy_packs.c.id == pack_id, kept_policy_packs.c.version == version)
    row = tx.execute(query).first()
    return None if row is None else KeptPack(*row)


def list_named(tx: Transaction, after: str, limit: int) -> list[NamedPackState]:
    """Named packs whose hash follows `after`, in order of the hash."""
    named = named_policy_packs.c
    refused = select(func.max(policy_pack_refusals.c.refused_at)).where(policy_pack_refusals.c.sha256 == named.sha256)
    columns = (named.id, named.version, named.sha256, named.named_at, kept_policy_packs.c.kept_at)
    joined = named_policy_packs.outerjoin(kept_policy_packs, kept_policy_packs.c.sha256 == named.sha256)
    query = select(*columns, refused.scalar_subquery()).select_from(joined).where(named.sha256 > after)
    return [NamedPackState(*row) for row in tx.execute(query.order_by(named.sha256).limit(limit))]
