"""`doudi determine`: what a household is entitled to and why, from a file, with no database and no server."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.tree import Tree

from services.cli.output import console, errors, refuse
from services.eligibility.api.household_body import MAX_BODY_BYTES, parse_request
from services.eligibility.domain.answer import Answer, Result, render_answer
from services.eligibility.gateways.pack_folder import SHIPPED, read_packs
from services.eligibility.use_cases.evaluate_household import evaluate_household, pack_set_of
from services.eligibility.use_cases.examine_pack import PackRefused
from services.eligibility.use_cases.overlay_packs import overlay_packs
from services.shared.policy.explanation import Reason, TooMuchToSay
from services.shared.policy.fault import PackFault
from services.shared.vocabulary.invalid_body import InvalidBody
from services.shared.vocabulary.money import yuan_of

OUTCOMES = {
    "eligible": "[green]符合 eligible[/green]",
    "ineligible": "[red]不符合 ineligible[/red]",
    "undetermined": "[yellow]尚不能判断 undetermined[/yellow]",
}
SHOWN_DEPTH = 2


def determine(
    file: Annotated[Path, typer.Argument(help="The request as JSON; - reads standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON, as it is when piped.")] = False,
    packs: Annotated[Path, typer.Option(help="A folder of policy packs.")] = SHIPPED,
) -> None:
    """Say which aid a household may get, how much, and why."""
    try:
        request = parse_request(_body(file), may_try_packs=True)
        answer = evaluate_household(overlay_packs(pack_set_of(read_packs(packs)), request.packs), request)
    except PackRefused as refused:
        for finding in refused.findings:
            place, text = f"{finding['pack']} {finding['where']}", finding["text"]
            errors.print(f"/packs: {place}: {text['zh']} / {text['en']}", markup=False)
        raise SystemExit(1) from None
    except InvalidBody as invalid:
        for error in invalid.errors:
            errors.print(f"{error.pointer or '/'}: {error.code}: {error.zh} / {error.en}", markup=False)
        raise SystemExit(1) from None
    except PackFault as fault:
        refuse(f"规则包有误 / a policy pack is unsound: {fault}")
    try:
        if as_json or not console.is_terminal:
            sys.stdout.write(render_answer(answer).decode() + "\n")
        else:
            _show(answer)
    except TooMuchToSay:
        zh, en = "人数多而已知事实少，答复过长", "so many people with so few known facts make the answer too long"
        refuse(f"{zh}，请用 programmes 指明所问的项目 / {en}: name what you ask for in programmes")


def _body(file: Path) -> bytes:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MAX_BODY_BYTES + 1)
        with file.open("rb") as opened:
            return opened.read(MAX_BODY_BYTES + 1)
    except OSError as error:
        refuse(f"无法读取文件 / the file cannot be read: {file} ({error.strerror})")


def _show(answer: Answer) -> None:
    place = f"{answer.region} → {answer.region_resolved}" if answer.region_resolved else answer.region
    console.print(f"[bold]{place} {answer.as_of}[/bold]  {answer.category}{'  模拟 simulation' * answer.simulation}")
    for result in answer.results:
        tree = Tree(f"[bold]{result.programme}[/bold] {result.subject}: {OUTCOMES[result.outcome]} {_amount(result)}")
        for line in _notes(result):
            tree.add(line)
        for reason in result.reasons:
            _add(tree, reason, SHOWN_DEPTH)
        console.print(tree)
    for presumption in answer.presumptions:
        console.print(f"推定 presumed: {presumption.path}: {presumption.text.zh} / {presumption.text.en}", markup=False)
    console.print(
        ", ".join(f"{pack['id']} {pack['version']} {pack['sha256'][:12]}" for pack in answer.packs), style="dim"
    )


def _amount(result: Result) -> str:
    if result.monthly_fen is not None:
        return f"{yuan_of(result.monthly_fen)} 元/月 a month, {result.starts_in}"
    return f"{yuan_of(result.one_off_fen)} 元 once" if result.one_off_fen is not None else ""


def _notes(result: Result) -> Iterator[str]:
    if result.excluded_by:
        yield f"已由 {result.excluded_by} 代替 / excluded by it"
    if result.may_be_excluded_by:
        yield f"可能由 {', '.join(result.may_be_excluded_by)} 代替 / may be excluded by it"
    if result.missing_facts:
        yield f"缺少事实 missing facts: {', '.join(result.missing_facts)}".replace("[", r"\[")
    if result.missing_parameters:
        yield f"缺少标准 missing figures: {', '.join(result.missing_parameters)}"


def _add(tree: Tree, reason: Reason, depth: int) -> None:
    mark = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[yellow]·[/yellow]"}[reason.holds]
    cited = ""
    if reason.citation is not None:
        cited = f" [dim]{reason.citation['instrument']} {reason.citation['article']}[/dim]"
    subject = f"{reason.subject}: " if reason.subject else ""
    branch = tree.add(f"{mark} {subject}{reason.text.zh}{cited}".replace("supporters[", r"supporters\["))
    if depth > 1:
        for child in reason.children:
            _add(branch, child, depth - 1)
