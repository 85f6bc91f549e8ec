"""`doudi simulate --cliffs`: one household's aid as an income grows, its lines and its cliffs."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.cli.cliff_chart import chart_of
from services.cli.output import console, errors, print_json, print_table, refuse
from services.eligibility.api.household_body import MAX_BODY_BYTES, parse_request
from services.eligibility.domain.cliffs import MOST_STEPS, Cliff, CliffsRefused, Curve, Point, TooManyLines, find_cliffs
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.vocabulary.invalid_body import InvalidBody
from services.shared.vocabulary.money import yuan_of

NAMES = ("income", "support", "disposable")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose cliffs: the request's file, the member and the kind of income, in fen up to where, how far apart."""

    file: Path
    member: str
    kind: str
    to_fen: int
    step_fen: int
    least_fen: int
    chart: Path | None


def show_cliffs(wanted: Wanted, packs: Path, as_json: bool) -> None:
    """Find the cliffs and print them; write the points or a chart where wanted."""
    if wanted.chart is not None and wanted.chart.suffix not in (".csv", ".svg"):
        refuse("--chart 的文件名以 .csv 或 .svg 结尾 / the file of --chart ends in .csv or .svg", 2)
    curve = _found(wanted, packs)
    try:
        if wanted.chart is not None:
            _write(wanted.chart, curve)
    except OSError as error:
        refuse(f"无法写文件 / the file cannot be written: {wanted.chart} ({error.strerror})")
    if as_json:
        print_json(shown_curve(curve))
    else:
        _print(curve)


def _found(wanted: Wanted, packs: Path) -> Curve:
    try:
        with wanted.file.open("rb") as opened:
            request = parse_request(opened.read(MAX_BODY_BYTES + 1))
        policy = pack_set_of(read_packs(packs)).prepare(request.region, request.as_of)
        return find_cliffs(
            policy, request, wanted.member, wanted.kind, wanted.to_fen, wanted.step_fen, wanted.least_fen
        )
    except OSError as error:
        refuse(f"无法读取文件 / the file cannot be read: {wanted.file} ({error.strerror})")
    except InvalidBody as invalid:
        for found in invalid.errors:
            errors.print(f"{found.pointer or '/'}: {found.code}: {found.zh} / {found.en}", markup=False)
        raise SystemExit(1) from None
    except CliffsRefused:
        refuse(
            f"--member 须是该户成员，--kind 是收入种类，--step 大于 0 且不多于 {MOST_STEPS} 步 / "
            f"--member is in the household, --kind is a kind of income, --step above 0 and at most {MOST_STEPS} steps"
        )
    except TooManyLines:
        refuse("界线太多，请缩小 --to / there are too many lines: make --to smaller")


# --- what is said ----------------------------------------------------------------------------------------------------


def shown_curve(curve: Curve) -> Mapping[str, Any]:
    """The curve as JSON has it."""
    return {
        "cliffs": [_cliff(cliff) for cliff in curve.cliffs],
        "lines": [_line(before, after) for before, after in curve.lines],
        "points": [
            {
                "income": yuan_of(p.income_fen),
                "support": yuan_of(p.support_fen),
                "disposable": yuan_of(p.disposable_fen),
            }
            for p in curve.points
        ],
    }


def _point(point: Point) -> Sequence[str]:
    return yuan_of(point.income_fen), yuan_of(point.support_fen), yuan_of(point.disposable_fen)


def _cliff(cliff: Cliff) -> Mapping[str, Any]:
    again = cliff.even_again_fen
    return {
        "income": yuan_of(cliff.at.income_fen),
        "loss": yuan_of(cliff.loss_fen),
        "disposable_before": yuan_of(cliff.at.disposable_fen),
        "disposable_after": yuan_of(cliff.beyond.disposable_fen),
        "lost": [_amount(key, cliff.at, None) for key in cliff.lost],
        "less": [_amount(key, cliff.at, cliff.beyond) for key in cliff.less],
        "even_again_at": None if again is None else yuan_of(again),
    }


def _amount(key: tuple[str, str], at: Point, beyond: Point | None) -> Mapping[str, str]:
    after = 0 if beyond is None else beyond.granted[key]
    return {"programme": key[0], "subject": key[1], "before": yuan_of(at.granted[key]), "after": yuan_of(after)}


def _line(before: Point, after: Point) -> Mapping[str, Any]:
    return {
        "income": yuan_of(before.income_fen),
        "ends": [list(key) for key in before.granted if key not in after.granted],
        "begins": [list(key) for key in after.granted if key not in before.granted],
    }


def _print(curve: Curve) -> None:
    if not curve.cliffs:
        console.print("没有断崖 / there are no cliffs")
    for cliff in curve.cliffs:
        print_table("断崖 / cliff", ("", ""), list(_told(cliff)))
    rows = [(yuan_of(a.income_fen), *_turned(a, b)) for a, b in curve.lines]
    columns = ("收入不超过 / income up to", "到此为止 / ends there", "由此开始 / begins beyond")
    print_table("界线 / lines", columns, rows)
    edges = [curve.points[0], curve.points[-1]]
    columns = ("收入 / income", "待遇 / support", "可支配 / disposable")
    print_table("两端 / ends of the range", columns, [_point(point) for point in edges])


def _told(cliff: Cliff) -> Iterator[Sequence[str]]:
    yield "收入 / income", f"{yuan_of(cliff.at.income_fen)} → {yuan_of(cliff.beyond.income_fen)}"
    yield "少得 / loses", yuan_of(cliff.loss_fen)
    for key in (*cliff.lost, *cliff.less):
        after = cliff.beyond.granted.get(key, 0)
        yield f"{key[0]} {key[1]}", f"{yuan_of(cliff.at.granted[key])} → {yuan_of(after)}"
    again = cliff.even_again_fen
    yield "收入到此才不亏 / even again at", "-" if again is None else yuan_of(again)


def _turned(before: Point, after: Point) -> Sequence[str]:
    ends = [" ".join(key) for key in before.granted if key not in after.granted]
    begins = [" ".join(key) for key in after.granted if key not in before.granted]
    return ", ".join(ends), ", ".join(begins)


def _write(path: Path, curve: Curve) -> None:
    if path.suffix == ".svg":
        path.write_text(chart_of(curve), encoding="utf-8")
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        writer.writerows(map(_point, curve.points))
