"""Examines a pack that is to be published: read, checked with the packs in force, its golden cases run."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.eligibility.domain.pack_proposal import fault_of_files, fault_of_name, region_of
from services.eligibility.use_cases.published_policy import InForce, PublishedPolicy
from services.eligibility.use_cases.run_golden_cases import CaseReport, Parse, run_golden_cases
from services.shared.policy.checks import faults_of, findings_of, standing_on
from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import Finding, PackFault, PackWarning
from services.shared.policy.pack import HEAD, Pack, load_pack
from services.shared.policy.text import Text
from services.shared.runtime.callers import Forbidden
from services.shared.runtime.logs import LONG_DIGITS, MASK
from services.shared.runtime.problems import ManyFindings
from services.shared.vocabulary.actor import Actor

MAX_FINDINGS = 100
EXAMINATION_SECONDS = 60
"""Of the processor. The nation's pack with its five hundred cases takes some ten; what takes this long is refused."""
WAIT_SECONDS = 5
MAX_TEXT_LENGTH = 500

NO_CASES = (
    Text("没有黄金案例", "it has no golden case"),
    Text("在 cases/ 中写出证明其标准的案例", "write cases in cases/ that prove its figures"),
)
TOO_SLOW = (
    Text(f"检查超过 {EXAMINATION_SECONDS} 秒", f"its examination takes longer than {EXAMINATION_SECONDS} s"),
    Text("减少案例或简化规则", "have fewer cases or simpler rules"),
)
CORRECT_FIGURE_OR_CASE = Text("改正标准、规则或案例", "correct the figure, the rule or the case")


class PackRefused(ManyFindings):
    """The pack is not sound with those in force; each finding names pack, place, column, problem and remedy."""


class PackExaminerBusy(Exception):
    """Another pack is being examined, which takes the processor."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What a look at a pack's files found, beside the versions of the packs that were in force then."""

    files: Mapping[str, str]
    in_force: tuple[tuple[str, str], ...]
    pack: Pack | None
    faults: tuple[PackFault, ...]
    warnings: tuple[PackWarning, ...] = ()

    def shown_warnings(self) -> list[Mapping[str, Any]]:
        """What the pack's two persons should look at again, JSON-ready."""
        return [shown_finding(warning, 0) for warning in self.warnings]

    def sound_pack(self) -> Pack:
        """The pack; raises PackRefused when something is wrong with it."""
        if self.faults or self.pack is None:
            raise PackRefused([shown_finding(fault, fault.column) for fault in self.faults])
        return self.pack


class PackExaminer:
    """Examines packs for one process, one at a time; `parse` reads a case's request as the API does."""

    def __init__(self, policy: PublishedPolicy, parse: Parse) -> None:
        self._policy, self._parse = policy, parse
        self._one_at_a_time = threading.Lock()

    def examine(self, files: Mapping[str, str], actor: Actor) -> Examination:
        """What is wrong or doubtful in the files as the successor of the pack of their id.

        At most MAX_FINDINGS faults and as many warnings. Raises PackExaminerBusy, PackAltered, and Forbidden to who
        does not act for the pack's place.
        """
        if not self._one_at_a_time.acquire(timeout=WAIT_SECONDS):
            raise PackExaminerBusy
        try:
            return self._examined(files, actor)
        finally:
            self._one_at_a_time.release()

    def _examined(self, files: Mapping[str, str], actor: Actor) -> Examination:
        in_force, end = self._policy.newest(), time.thread_time() + EXAMINATION_SECONDS
        pack = read_pack(files)
        if isinstance(pack, PackFault):
            return Examination(files, in_force.versions, None, (pack,))
        if not actor.covers(region_of(pack.jurisdiction)):
            raise Forbidden
        faults: list[PackFault] = []
        warnings: list[PackWarning] = []
        for finding in self._findings(pack, in_force):
            if isinstance(finding, PackFault):
                faults.append(finding)
            elif finding is not None and len(warnings) < MAX_FINDINGS:
                warnings.append(finding)
            if is_late := time.thread_time() > end:
                faults.append(PackFault(pack.id, HEAD, 0, *TOO_SLOW))
            if is_late or len(faults) >= MAX_FINDINGS:
                break
        return Examination(files, in_force.versions, pack, tuple(faults), tuple(warnings))

    def _findings(self, pack: Pack, in_force: InForce) -> Iterator[Finding | None]:
        """Each finding; None where a step ended with none, so that the time is looked at."""
        misnamed = fault_of_name(pack)
        if misnamed is not None:
            yield misnamed
            return
        try:
            packs, is_sound = in_force.packs.with_pack(pack), True
            for finding in caused_findings(packs, pack, in_force.packs):
                is_sound = is_sound and isinstance(finding, PackWarning)
                yield finding
            if is_sound:
                yield from self._case_faults(packs, pack)
        except PackFault as fault:
            yield fault

    def _case_faults(self, packs: PackSet, pack: Pack) -> Iterator[PackFault | None]:
        if not pack.cases:
            yield PackFault(pack.id, "cases", 0, *NO_CASES)
        for report in run_golden_cases(packs, pack, self._parse):
            yield _case_fault(report) if report.problems else None


def read_pack(files: Mapping[str, str]) -> Pack | PackFault:
    """The pack of these files, or what is wrong with them."""
    try:
        return fault_of_files(files) or load_pack({name: text.encode() for name, text in files.items()})
    except PackFault as fault:
        return fault


def caused_findings(packs: PackSet, pack: Pack, before: PackSet) -> Iterator[Finding]:
    """The pack's own findings, and the faults of others that were not there before it.

    An older fault elsewhere must not keep anybody from publishing what mends it.
    """
    known: set[str] | None = None
    affected = standing_on(packs, pack)
    for finding in findings_of(packs, affected):
        if finding.pack == pack.id:
            yield finding
        elif isinstance(finding, PackFault):
            known = {str(each) for each in faults_of(before, affected)} if known is None else known
            if str(finding) not in known:
                yield finding


def _case_fault(report: CaseReport) -> PackFault:
    zh, en = ("; ".join(getattr(problem, name) for problem in report.problems) for name in ("zh", "en"))
    return PackFault(report.pack, f"{report.file} case {report.name}", 0, Text(zh, en), CORRECT_FIGURE_OR_CASE)


def shown_finding(finding: Finding, column: int) -> Mapping[str, Any]:
    """A finding as a refusal names it, JSON-ready; long numbers in it are masked."""
    problem, remedy = _shown(finding.problem), _shown(finding.remedy)
    text = {name: f"{problem[name]}{mark}{remedy[name]}" for name, mark in (("zh", "；"), ("en", "; "))}
    code = "policy_pack_fault" if isinstance(finding, PackFault) else "policy_pack_warning"
    place = {"pack": _harmless(finding.pack), "where": _harmless(finding.where), "column": column}
    return {"code": code, **place, "problem": problem, "remedy": remedy, "text": text}


def _shown(text: Text) -> dict[str, str]:
    return {"zh": _harmless(text.zh), "en": _harmless(text.en)}


def _harmless(text: str) -> str:
    # A fault quotes names from the pack, and what was sent as a pack may hold anything.
    return LONG_DIGITS.sub(MASK, text)[:MAX_TEXT_LENGTH]
