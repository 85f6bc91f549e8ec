"""`doudi pack validate`: what is wrong or doubtful in packs, and how they are read from a folder."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.output import console, print_json, print_table
from services.eligibility.gateways.pack_folder import SHIPPED, pack_folders, read_pack_files
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.checks import findings_of
from services.shared.policy.fault import Finding, PackFault
from services.shared.policy.pack import Pack, load_pack
from services.shared.vocabulary.region import NATION

Folder = Annotated[Path, typer.Argument(help="A pack's folder, or a folder of packs; the shipped packs when left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]

COLUMNS = ("规则包 / pack", "位置 / where", "列 / column", "问题 / problem", "处理 / remedy")


def validate(folder: Folder = SHIPPED, as_json: AsJson = False) -> None:
    """Check names, units, dates, uses, sentences, citations and figures of packs; exit 1 for a fault, not a warning."""
    own, unread = read_folder(folder)
    packs, unshipped = with_shipped(own)
    findings: list[Finding] = [*unread, *unshipped] or list(_found(own, packs))
    faults = [finding for finding in findings if isinstance(finding, PackFault)]
    if as_json:
        print_json([_shown(finding) for finding in findings])
    else:
        _print(findings, len(faults), len(packs))
    raise SystemExit(1 if faults else 0)


def _found(own: Mapping[str, Pack], packs: Mapping[str, Pack]) -> Iterator[Finding]:
    """What is wrong with any of the packs, and what is doubtful in those of the folder."""
    names = {pack.id for pack in own.values()}
    try:
        for finding in findings_of(pack_set_of(packs.values())):
            if isinstance(finding, PackFault) or finding.pack in names:
                yield finding
    except PackFault as fault:
        yield fault


def _print(findings: list[Finding], faults: int, packs: int) -> None:
    for title, kind in (("错误 / faults", True), ("提示 / warnings", False)):
        rows = [_row(finding) for finding in findings if isinstance(finding, PackFault) is kind]
        if rows:
            print_table(title, COLUMNS, rows)
    if not faults:
        warned = len(findings)
        console.print(f"{packs} 个规则包无误，{warned} 条提示 / {packs} packs are sound, with {warned} warnings")


def _row(finding: Finding) -> tuple[str, ...]:
    column = str(getattr(finding, "column", 0) or "")
    return finding.pack, finding.where, column, finding.problem.both, finding.remedy.both


def _shown(finding: Finding) -> Mapping[str, Any]:
    return {
        "kind": "fault" if isinstance(finding, PackFault) else "warning",
        "pack": finding.pack,
        "where": finding.where,
        "column": getattr(finding, "column", 0),
        "problem": asdict(finding.problem),
        "remedy": asdict(finding.remedy),
    }


def load(folder: Path) -> tuple[dict[str, Pack], list[PackFault]]:
    """The packs in `folder` by place with those that they stand on, and what could not be read."""
    packs, faults = read_folder(folder)
    return (packs, faults) if faults else with_shipped(packs)


def with_shipped(packs: dict[str, Pack]) -> tuple[dict[str, Pack], list[PackFault]]:
    """Packs without the nation's stand on the shipped ones, and replace those of the same places."""
    if NATION in packs:
        return packs, []
    shipped, faults = read_folder(SHIPPED)
    return {**shipped, **packs}, faults


def read_folder(folder: Path) -> tuple[dict[str, Pack], list[PackFault]]:
    """The packs in `folder` by place, and what could not be read."""
    packs: dict[str, Pack] = {}
    faults: list[PackFault] = []
    try:
        folders = pack_folders(folder)
    except PackFault as fault:
        return {}, [fault]
    for path in folders:
        try:
            read = load_pack(read_pack_files(path))
            packs[read.jurisdiction] = read
        except PackFault as fault:
            faults.append(fault)
    return packs, faults
