"""How the report of a reform is shown: cost, programmes, regions and tenths in tables, zh and en."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.cli.output import console, print_table

Shown = Mapping[str, Any]

PROGRAMME_COLUMNS = (
    "项目 / programme",
    "原有户 / before",
    "改后户 / after",
    "新获 / gained",
    "失去 / lost",
    "增加 / more",
    "减少 / less",
    "由不定 / settled",
    "变不定 / unsettled",
    "不定 / undetermined",
    "人数变化 / persons",
    "每月 / a month",
    "每年 / a year",
    "一次性 / once",
)
GROUP_COLUMNS = (
    "户 / households",
    "新获 / gained",
    "失去 / lost",
    "增加 / more",
    "减少 / less",
    "减少的人 / persons losing",
    "每月 / a month",
    "每年 / a year",
    "一次性 / once",
)


def print_report(report: Shown, losers: Path | None) -> None:
    """The report in tables; `losers` is the file that who loses was written to."""
    rows, total = report["rows"], report["total"]
    console.print(
        f"{report['as_of']}: {rows['counted']} 户计入，{rows['rejected']} 户读不出 / "
        f"{rows['counted']} households counted, {rows['rejected']} rejected",
        markup=False,
    )
    print_table("总计 / total", ("", "改前 / before", "改后 / after", "费用 / cost"), list(_costs(total)))
    programmes = [_programme(item) for item in report["programmes"] if _is_touched(item)]
    print_table("按项目（仅有变化的）/ by programme, where anything changes", PROGRAMME_COLUMNS, programmes)
    regions = [(f"{each['region']} {each.get('name', '')}".strip(), *_group(each)) for each in report["by_region"]]
    print_table("按地区 / by region", ("地区 / region", *GROUP_COLUMNS), regions)
    tenths = [(_decile(each), *_group(each)) for each in report["by_decile"]]
    if report["income_unknown"] is not None:
        tenths.append(("收入不明 / income unknown", *_group(report["income_unknown"])))
    print_table("按人均收入十分位 / by tenth of income a head", ("收入 / income", *GROUP_COLUMNS), tenths)
    where = f": {losers}" if losers else "（--losers FILE 列出 / lists them）"
    console.print(f"{report['losers']} 项待遇减少或失去 / results that pay less or end{where}", markup=False)
    changed = [pack for pack in report["packs_after"] if pack not in report["packs_before"]]
    for pack in changed:
        console.print(f"试用规则包 tried pack: {pack['id']} {pack['version']} {pack['sha256'][:12]}", style="dim")


def _costs(total: Shown) -> Sequence[Sequence[str]]:
    names = {"monthly": "每月 / a month", "yearly": "每年 / a year", "one_off": "一次性 / once"}
    return [(words, *(total[name][key] for key in ("before", "after", "cost"))) for name, words in names.items()]


def _is_touched(item: Shown) -> bool:
    moved = any(item["households"][name] for name in ("gained", "lost", "more", "less", "settled", "unsettled"))
    return moved or item["households"]["undetermined_before"] != item["households"]["undetermined_after"]


def _programme(item: Shown) -> Sequence[str]:
    households, persons = item["households"], item["persons"]
    counts = ("before", "after", "gained", "lost", "more", "less", "settled", "unsettled", "undetermined_after")
    costs = (item.get(name, {}).get("cost", "") for name in ("monthly", "yearly", "one_off"))
    difference = f"{persons['after'] - persons['before']:+d}"
    return (item["programme"], *(str(households[name]) for name in counts), difference, *costs)


def _group(group: Shown) -> Sequence[str]:
    households, persons = group["households"], group["persons"]
    counts = [str(households[name]) for name in ("all", "gained", "lost", "more", "less")]
    costs = [group[name]["cost"] for name in ("monthly", "yearly", "one_off")]
    return (*counts, str(persons["lost"] + persons["less"]), *costs)


def _decile(each: Shown) -> str:
    until = each["income_until"]
    return f"{each['decile']}: {each['income_from']} – {until if until is not None else '∞'}"
