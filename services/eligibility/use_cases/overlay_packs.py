"""Lays packs over those in force for a simulation: what would be answered if they were published."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import orjson

from services.eligibility.domain.pack_proposal import fault_of_name
from services.eligibility.use_cases.examine_pack import (
    EXAMINATION_SECONDS,
    MAX_FINDINGS,
    TOO_SLOW,
    WAIT_SECONDS,
    PackExaminerBusy,
    PackRefused,
    caused_findings,
    read_pack,
    shown_finding,
)
from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import HEAD, Pack

MAX_KEPT = 4
"""Sets that are kept: an officer asks for many households what one change would do."""

Files = Mapping[str, str]
"""A pack as it lies in its folder: the text of each file by its name."""


class PackOverlays:
    """The overlaid sets of one process, one made at a time; `overlay_packs` says what they are."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        # Each beside the packs it lies over, which its key names by identity.
        self._kept: OrderedDict[tuple[PackSet, tuple[bytes, ...]], PackSet] = OrderedDict()

    def laid_over(self, packs: PackSet, overlays: Sequence[Files]) -> PackSet:
        """`packs` with the overlays; made once, and then kept a while. Raises PackExaminerBusy, and as it does."""
        key = (packs, tuple(map(_digest_of, overlays)))
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        if not self._one_at_a_time.acquire(timeout=WAIT_SECONDS):
            raise PackExaminerBusy
        try:
            if key not in self._kept:
                made = overlay_packs(packs, overlays)
                if len(self._kept) >= MAX_KEPT:
                    self._kept.popitem(last=False)
                self._kept[key] = made
            return self._kept[key]
        finally:
            self._one_at_a_time.release()


def overlay_packs(packs: PackSet, overlays: Sequence[Files]) -> PackSet:
    """`packs` with these laid over them, one after the other, each in place of the one for its place.

    They are checked as packs to be published are, but for their golden cases: what is only tried is meant to break
    some. Raises PackRefused with what is wrong.
    """
    end_seconds = time.thread_time() + EXAMINATION_SECONDS
    for files in overlays:
        packs = _with_overlay(packs, files, end_seconds)
    return packs


def _with_overlay(packs: PackSet, files: Files, end_seconds: float) -> PackSet:
    pack = read_pack(files)
    fault = pack if isinstance(pack, PackFault) else fault_of_name(pack)
    if isinstance(pack, PackFault) or fault is not None:
        raise _refusal([fault])
    try:
        changed = packs.with_pack(pack)
        faults = _faults(changed, pack, packs, end_seconds)
    except PackFault as unsound:
        faults = [unsound]
    if faults:
        raise _refusal(faults)
    return changed


def _faults(changed: PackSet, pack: Pack, before: PackSet, end_seconds: float) -> list[PackFault]:
    faults: list[PackFault] = []
    for finding in caused_findings(changed, pack, before):
        if time.thread_time() > end_seconds:
            return [*faults, PackFault(pack.id, HEAD, 0, *TOO_SLOW)]
        if isinstance(finding, PackFault):
            faults.append(finding)
        if len(faults) >= MAX_FINDINGS:
            break
    return faults


def _refusal(faults: Sequence[PackFault | None]) -> PackRefused:
    return PackRefused([shown_finding(fault, fault.column) for fault in faults if fault is not None])


def _digest_of(files: Files) -> bytes:
    """Of everything that was sent: the hash of a pack passes over files that are none of it."""
    return hashlib.sha256(orjson.dumps(files, option=orjson.OPT_SORT_KEYS)).digest()
