"""The policy that is in force: the packs in the database, read once a version and kept."""

import gc
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.eligibility.domain.facts import SCHEMA
from services.eligibility.store import policy_packs
from services.shared.policy.evaluation import PackSet
from services.shared.policy.pack import Pack, fingerprint, load_pack
from services.shared.runtime.database import Database

REFRESH_SECONDS = 5.0
"""So long after a pack is published a serving process may still answer by the one before; the answer names it."""
MAX_OLD_SETS = 8
"""Sets of older packs that are kept prepared for replays."""


@dataclass(eq=False)
class PackAltered(Exception):
    """A pack's content is not what was published under its hash."""

    pack_id: str
    version: str


@dataclass(frozen=True, slots=True)
class InForce:
    """The packs in force at one moment, and the (id, version) of each."""

    versions: tuple[tuple[str, str], ...]
    packs: PackSet


class PublishedPolicy:
    """The pack sets of one process: the current one, and those that recorded determinations name."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._current: PackSet | None = None
        self._current_versions: list[tuple[str, str]] = []
        self._looked_at = 0.0
        self._old: OrderedDict[tuple[str, ...], PackSet] = OrderedDict()

    def current(self) -> PackSet:
        """The newest version of every pack, at most REFRESH_SECONDS old. Raises PackAltered."""
        with self._lock:
            return self.current_at_once() or self._looked_anew()

    def current_at_once(self) -> PackSet | None:
        """The newest version of every pack, where that was looked up lately enough; never waits for the database."""
        is_lately = time.monotonic() - self._looked_at <= REFRESH_SECONDS
        return self._current if is_lately else None

    def _looked_anew(self) -> PackSet:
        self._current = self._look()
        return self._current

    def newest(self) -> InForce:
        """What is in force now, looked up anew: what a pack is examined with. Raises PackAltered."""
        with self._lock:
            packs = self._looked_anew()
            return InForce(tuple(self._current_versions), packs)

    def named(self, packs: Iterable[Mapping[str, Any]]) -> PackSet:
        """Exactly the packs that a determination names, read anew: their content must have the hash it had then.

        Raises PackAltered otherwise. Nothing is taken from memory, so that a change in the database is seen.
        """
        loaded = [self._published(pack["id"], pack["version"], pack["sha256"]) for pack in packs]
        key = tuple(pack.sha256 for pack in loaded)
        with self._lock:
            if key not in self._old:
                if len(self._old) >= MAX_OLD_SETS:
                    self._old.popitem(last=False)
                self._old[key] = PackSet(SCHEMA, loaded)
            self._old.move_to_end(key)
            return self._old[key]

    def _look(self) -> PackSet:
        versions = self._database.read(policy_packs.list_current)
        packs = self._current
        if versions != self._current_versions or packs is None:
            kept = {} if packs is None else {(pack.id, pack.version): pack for pack in packs.packs}
            packs = PackSet(SCHEMA, [kept.get(version) or self._published(*version) for version in versions])
            self._current_versions = versions
            # Packs stay until others replace them: a collector that goes through them on every pass stops the answers.
            # Those that were replaced before go now.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        self._looked_at = time.monotonic()
        return packs

    def _published(self, pack_id: str, version: str, sha256: str | None = None) -> Pack:
        found = self._database.read(policy_packs.find_pack, pack_id, version)
        if found is None:
            raise PackAltered(pack_id, version)
        files = {name: text.encode() for name, text in found.files.items()}
        # Before it is read: a change may have left what is no pack at all.
        if not fingerprint(files) == found.sha256 == (sha256 or found.sha256):
            raise PackAltered(pack_id, version)
        return load_pack(files)
