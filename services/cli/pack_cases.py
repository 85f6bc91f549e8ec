"""`doudi pack test`: whether the golden cases of packs hold."""

from dataclasses import asdict

from services.cli.output import console, print_json, print_table, refuse
from services.cli.pack_validate import AsJson, Folder, read_folder, with_shipped
from services.eligibility.api.household_body import parse_request
from services.eligibility.gateways.pack_folder import SHIPPED
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.eligibility.use_cases.run_golden_cases import CaseReport, run_golden_cases
from services.shared.policy.fault import PackFault

COLUMNS = ("规则包 / pack", "文件 / file", "案例 / case", "问题 / problem")


def test(folder: Folder = SHIPPED, as_json: AsJson = False) -> None:
    """Run the golden cases of packs; exit 1 when one does not hold."""
    own, unread = read_folder(folder)
    packs, unshipped = with_shipped(own)
    if unread or unshipped:
        for fault in (*unread, *unshipped):
            console.print(str(fault), markup=False)
        raise SystemExit(1)
    try:
        together = pack_set_of(packs.values())
        reports = [each for pack in own.values() for each in run_golden_cases(together, pack, parse_request)]
    except PackFault as fault:
        refuse(f"规则包有误 / a policy pack is unsound: {fault}")
    failed = [report for report in reports if report.problems]
    if as_json:
        print_json({"cases": len(reports), "failed": [asdict(report) for report in failed]})
    else:
        _print(failed, len(reports))
    raise SystemExit(1 if failed or not reports else 0)


def _print(failed: list[CaseReport], count: int) -> None:
    rows = [(r.pack, r.file, r.name, "; ".join(problem.both for problem in r.problems)) for r in failed]
    if rows:
        print_table("未通过 / do not hold", COLUMNS, rows)
    console.print(f"{count - len(failed)} / {count} 个案例通过 / cases hold")
