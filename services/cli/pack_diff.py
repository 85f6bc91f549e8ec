"""`doudi pack diff`: what changed from one folder of packs to another, and what that does to a population."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from services.cli.output import console, print_json, print_table, refuse
from services.cli.pack_validate import AsJson, read_folder, with_shipped
from services.cli.request_lines import requests_in
from services.eligibility.domain.pack_changes import Change, changes_between
from services.eligibility.use_cases.compare_policies import Comparison, Tally, compare_policies
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import Pack
from services.shared.vocabulary.money import yuan_of

MOST_SHOWN = 1_000
Packs = dict[str, Pack]


def diff(
    old: Annotated[Path, typer.Argument(help="A pack's folder or a folder of packs, as it was.")],
    new: Annotated[Path, typer.Argument(help="The same, as it is to be.")],
    population: Annotated[Path | None, typer.Option(help="Requests, one JSON a line.")] = None,
    as_of: Annotated[str, typer.Option(help="The day to answer for, in place of each request's own.")] = "",
    first: Annotated[int, typer.Option(min=0, max=MOST_SHOWN, help="How many lines that lose to name.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Say what changed between packs; with a population, how many gain and lose by programme, and how much.

    Exits 1 where lines of the population could not be read: they are in no figure.
    """
    before, after = _read(old), _read(new)
    changes = [each for place in {**before, **after} for each in changes_between(before.get(place), after.get(place))]
    compared = None
    if population is not None:
        compared = _compared(before, after, population, first, _day(as_of))
    if as_json:
        print_json({"changes": list(map(_change, changes)), **({} if compared is None else _shown(compared))})
    else:
        _print_changes(changes)
        if compared is not None:
            _print_comparison(compared)
    if compared is not None and compared.bad_lines:
        _refuse_unread(compared)


def _read(folder: Path) -> Packs:
    packs, unread = read_folder(folder)
    if unread:
        refuse(f"规则包有误 / a policy pack is unsound: {unread[0]}")
    return packs


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        refuse("日期写成 2026-08-15 / write the day as 2026-08-15")


# --- the population --------------------------------------------------------------------------------------------------


def _compared(before: Packs, after: Packs, population: Path, first: int, day: date | None) -> Comparison:
    try:
        old, new = (pack_set_of(with_shipped(side)[0].values()) for side in (before, after))
        with population.open("rb") as lines:
            return compare_policies(old, new, requests_in(lines), first, day)
    except PackFault as fault:
        refuse(f"规则包有误 / a policy pack is unsound: {fault}")
    except OSError as error:
        refuse(f"无法读取文件 / the file cannot be read: {population} ({error.strerror})")


# --- what is said ----------------------------------------------------------------------------------------------------


def _change(change: Change) -> Mapping[str, Any]:
    return {"pack": change.pack, "kind": change.kind, "name": change.name, "text": asdict(change.said)}


def _print_changes(changes: list[Change]) -> None:
    if not changes:
        console.print("规则包没有变化 / the packs are the same")
        return
    columns = ("规则包 / pack", "类别 / kind", "名称 / name", "变化 / change")
    print_table("变化 / changes", columns, [(c.pack, c.kind, c.name, c.said.both) for c in changes])


def _shown(found: Comparison) -> Mapping[str, Any]:
    return {
        "households": found.households,
        "unchanged": found.unchanged,
        "gain": found.gain,
        "lose": found.lose,
        "bad_lines": found.bad_lines,
        "first_bad_lines": found.first_bad,
        "first_losing": [{"line": line, "loses": yuan_of(fen)} for line, fen in found.first_losing],
        "programmes": {name: _tally(tally) for name, tally in sorted(found.programmes.items())},
    }


def _tally(tally: Tally) -> Mapping[str, Any]:
    counts = {name: getattr(tally, name) for name in ("granted", "ended", "more", "less", "otherwise")}
    amounts = {"gained": tally.gained_fen, "lost": tally.lost_fen}
    once = {"gained_once": tally.gained_once_fen, "lost_once": tally.lost_once_fen}
    return {**counts, **{name: yuan_of(fen) for name, fen in {**amounts, **once}.items()}}


def _print_comparison(found: Comparison) -> None:
    console.print(
        f"{found.households} 户，{found.unchanged} 户不变，{found.gain} 户增加，{found.lose} 户减少 / "
        f"households: {found.households}, unchanged: {found.unchanged}, gain: {found.gain}, lose: {found.lose}"
    )
    if found.programmes:
        columns = (
            "项目 / programme",
            "新获 / granted",
            "不再 / ended",
            "增加 / more",
            "减少 / less",
            "其他 / otherwise",
            "每月增加 / gained a month",
            "每月减少 / lost a month",
            "一次性增加 / gained once",
            "一次性减少 / lost once",
        )
        rows = [(name, *map(str, _tally(tally).values())) for name, tally in sorted(found.programmes.items())]
        print_table("按项目 / by programme", columns, rows)
    if found.first_losing:
        rows = [(str(line), yuan_of(fen)) for line, fen in found.first_losing]
        print_table("减少的 / who lose", ("行 / line", "每月减少 / loses a month"), rows)


def _refuse_unread(found: Comparison) -> NoReturn:
    lines = ", ".join(map(str, found.first_bad))
    zh, en = (f"（如第 {lines} 行）", f" (such as {lines})") if lines else ("", "")
    refuse(
        f"人口文件有 {found.bad_lines} 行无法读取{zh}，没有计入结果 / "
        f"lines of the population that could not be read{en} and are in no figure: {found.bad_lines}"
    )
