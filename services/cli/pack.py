"""`doudi pack`: whether policy packs are sound, whether their golden cases hold, and where they come from and go."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import pack_exchange
from services.cli.output import console, print_json, print_table, refuse
from services.eligibility.api.household_body import parse_request
from services.eligibility.gateways.pack_folder import SHIPPED, pack_folders, read_pack_files
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.eligibility.use_cases.run_golden_cases import run_golden_cases
from services.shared.policy.checks import faults_of
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import Pack, load_pack

pack = typer.Typer(no_args_is_help=True, help="Check policy packs and run their golden cases.")
pack.command()(pack_exchange.export)
pack.command()(pack_exchange.propose)

Folder = Annotated[Path, typer.Argument(help="A pack's folder, or a folder of packs; the shipped packs when left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@pack.command()
def validate(folder: Folder = SHIPPED, as_json: AsJson = False) -> None:
    """Check names, kinds, units, circles, bounds and figures of packs; exit 1 when something is wrong."""
    packs, faults = load(folder)
    if not faults:
        faults = list(faults_of(pack_set_of(packs.values())))
    if as_json:
        print_json([_fault(fault) for fault in faults])
    elif faults:
        rows = [(f.pack, f.where, str(f.column or ""), f.problem.both, f.remedy.both) for f in faults]
        print_table(
            "规则包 / packs", ("规则包 / pack", "位置 / where", "列 / column", "问题 / problem", "处理 / remedy"), rows
        )
    else:
        console.print(f"{len(packs)} 个规则包无误 / {len(packs)} packs are sound")
    raise SystemExit(1 if faults else 0)


@pack.command()
def test(folder: Folder = SHIPPED, as_json: AsJson = False) -> None:
    """Run the golden cases of packs; exit 1 when one does not hold."""
    packs, faults = load(folder)
    if faults:
        for fault in faults:
            console.print(str(fault), markup=False)
        raise SystemExit(1)
    try:
        reports = [
            r for item in packs.values() for r in run_golden_cases(pack_set_of(packs.values()), item, parse_request)
        ]
    except PackFault as fault:
        refuse(f"规则包有误 / a policy pack is unsound: {fault}")
    failed = [report for report in reports if report.problems]
    if as_json:
        print_json({"cases": len(reports), "failed": [asdict(report) for report in failed]})
    else:
        rows = [(r.pack, r.file, r.name, "; ".join(problem.both for problem in r.problems)) for r in failed]
        if rows:
            print_table("未通过 / do not hold", ("规则包 / pack", "文件 / file", "案例 / case", "问题 / problem"), rows)
        console.print(f"{len(reports) - len(failed)} / {len(reports)} 个案例通过 / cases hold")
    raise SystemExit(1 if failed or not reports else 0)


def load(folder: Path) -> tuple[dict[str, Pack], list[PackFault]]:
    """The packs in `folder`, with the shipped ones that they stand on, and what could not be read."""
    packs: dict[str, Pack] = {}
    faults: list[PackFault] = []
    try:
        folders = {path.name: path for path in (*pack_folders(), *pack_folders(folder))}
    except PackFault as fault:
        return {}, [fault]
    for path in folders.values():
        try:
            read = load_pack(read_pack_files(path))
            packs[read.jurisdiction] = read
        except PackFault as fault:
            faults.append(fault)
    return packs, faults


def _fault(fault: PackFault) -> Mapping[str, Any]:
    return {
        "pack": fault.pack,
        "where": fault.where,
        "column": fault.column,
        "problem": asdict(fault.problem),
        "remedy": asdict(fault.remedy),
    }
