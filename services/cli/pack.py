"""`doudi pack`: whether policy packs are sound, and whether their golden cases hold."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.output import console, print_json, print_table, refuse
from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import render_answer
from services.eligibility.gateways.pack_folder import SHIPPED, pack_folders, read_pack_files
from services.eligibility.use_cases.evaluate_household import evaluate_household, pack_set_of
from services.shared.policy.checks import faults_of
from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import Pack, PackCase, load_pack
from services.shared.policy.text import Text
from services.shared.vocabulary.invalid_body import InvalidBody

pack = typer.Typer(no_args_is_help=True, help="Check policy packs and run their golden cases.")

Folder = Annotated[Path, typer.Argument(help="A pack's folder, or a folder of packs; the shipped packs when left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]

_MEMBER = re.compile(r"household\.members\[(?P<id>[^\]]+)\]\.(?P<key>.+)")
_EVENT = re.compile(r"events\[(?P<index>[0-9]+)\]\.(?P<key>.+)")

NO_REQUEST = Text(
    "案例拼不出请求：核对 set 和 unset 的路径，日期要加引号",
    "the case makes no request: check the paths of set and unset, and put dates in quotes",
)
NO_PROGRAMME = Text("expect.results 的每一项都要写明 programme", "each of expect.results must name its programme")


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One golden case and what its answer does not hold; nothing when it passes."""

    pack: str
    file: str
    name: str
    problems: tuple[Text, ...]


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
        reports = [report for item in packs.values() for report in run_cases(pack_set_of(packs.values()), item)]
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


def run_cases(packs: PackSet, item: Pack) -> Iterator[CaseReport]:
    """Each golden case of a pack, evaluated by `packs`."""
    for case in item.cases:
        yield CaseReport(item.id, case.file, case.name, tuple(_problems(packs, case)))


def request_of(case: PackCase) -> Mapping[str, Any]:
    """The request body of a golden case: its base with the case's values set and removed."""
    body: dict[str, Any] = json.loads(json.dumps(case.base))
    for path, value in case.set.items():
        _place(body, path, value, remove=False)
    for path in case.unset:
        _place(body, path, None, remove=True)
    return body


def _problems(packs: PackSet, case: PackCase) -> Iterator[Text]:
    try:
        body = request_of(case)
    except (LookupError, TypeError, AttributeError):
        # A path that leads nowhere, or a TOML date, which JSON has not.
        yield NO_REQUEST
        return
    try:
        answer = json.loads(render_answer(evaluate_household(packs, parse_request(body))))
    except InvalidBody as invalid:
        yield _refused(invalid)
        return
    expect = dict(case.expect)
    for wanted in _wanted_results(expect.pop("results", [])):
        yield from _result_differences(wanted, answer["results"])
    yield from _differences(expect, answer, "answer")


def _wanted_results(results: Any) -> list[Any]:
    return results if isinstance(results, list) else [results]


def _result_differences(wanted: Any, results: list[Mapping[str, Any]]) -> Iterator[Text]:
    if not isinstance(wanted, dict) or not isinstance(wanted.get("programme"), str):
        yield NO_PROGRAMME
        return
    programme = wanted["programme"]
    subject = wanted.get("subject", results[0]["subject"] if len(results) == 1 else "household")
    found = [result for result in results if (result["programme"], result["subject"]) == (programme, subject)]
    yield from _differences(wanted, found[0], programme) if found else [_no_result(programme)]


def _refused(invalid: InvalidBody) -> Text:
    zh = "；".join(f"{error.pointer or '/'}：{error.zh}" for error in invalid.errors)
    return Text(f"请求被拒绝：{zh}", f"the request is refused: {invalid}")


def _no_result(programme: str) -> Text:
    return Text(f"结果中没有 {programme}", f"no {programme}")


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any], where: str) -> Iterator[Text]:
    for key, value in wanted.items():
        got = found.get(key)
        if got != value:
            yield Text(
                f"{where}.{key}：应为 {value!r}，实为 {got!r}", f"{where}.{key}: expected {value!r}, got {got!r}"
            )


def _place(body: dict[str, Any], path: str, value: Any, *, remove: bool) -> None:
    """Set or remove what stands at a path written as in `missing_facts`."""
    holder, key = _holder(body, path)
    *above, last = key.split(".")
    for name in above:
        holder = holder.setdefault(name, {})
    if remove:
        holder.pop(last, None)
    else:
        holder[last] = value


def _holder(body: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    member = _MEMBER.fullmatch(path)
    if member is not None:
        found = [item for item in body["household"]["members"] if item["id"] == member["id"]]
        return found[0], member["key"]
    event = _EVENT.fullmatch(path)
    if event is not None:
        return body["events"][int(event["index"])], event["key"]
    return body, path


def _fault(fault: PackFault) -> Mapping[str, Any]:
    return {
        "pack": fault.pack,
        "where": fault.where,
        "column": fault.column,
        "problem": asdict(fault.problem),
        "remedy": asdict(fault.remedy),
    }
