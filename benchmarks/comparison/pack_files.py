"""The policy as packs: the nation's, and one for each of the fifty regions, put together in memory from `figures`."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.comparison.figures import AREAS, INT, MONEY, NATIONAL, RATE, REGIONS, STEPS, regional
from services.shared.policy.pack import FIGURE_COLUMNS
from services.shared.vocabulary.money import yuan_of

WRITTEN = Path(__file__).parent / "pack"
COLUMNS = (*FIGURE_COLUMNS, "area_type")
INSTRUMENT = "comparison_policy"
UNITS = {RATE: "rate", INT: "count", MONEY: "yuan"}
MONTHLY = frozenset({"dibao_floor"})


def packs() -> Iterator[tuple[str, Mapping[str, bytes]]]:
    """The id and the files of every pack, the nation's first."""
    yield "cn", _national()
    for region in REGIONS:
        yield f"cn-{region}", _regional(region)


def write_packs(folder: Path) -> None:
    """Lay the packs out as folders, as a service's migration publishes them."""
    for name, files in packs():
        (folder / name).mkdir(parents=True)
        for file, content in files.items():
            (folder / name / file).write_bytes(content)


def _national() -> Mapping[str, bytes]:
    rows = [
        _row(name, _written(kind, value), f"{UNITS[kind]}{'/month' if name in MONTHLY else ''}", start)
        for name, (kind, dated) in NATIONAL.items()
        for start, value in dated
    ]
    written = {name: (WRITTEN / name).read_bytes() for name in ("pack.toml", "rules.toml")}
    return {**written, "parameters.csv": _table(rows)}


def _regional(region: str) -> Mapping[str, bytes]:
    head = f'''id = "cn-{region}"
version = "1"
jurisdiction = "{region}"
parent = "cn"
title = {{ zh = "{region} 的虚构标准", en = "Invented figures of {region}" }}
from = 2023-07-01
review = "Invented for a benchmark; no authority's figures."
'''
    series = regional(region)
    rows = [
        _row("standard", yuan_of(value), "yuan/month", start, area)
        for area in AREAS
        for start, value in zip(STEPS, series[f"standard_{area}"], strict=True)
    ]
    for name in ("minimum_wage", "median_income"):
        rows += [
            _row(name, yuan_of(value), "yuan/month", start) for start, value in zip(STEPS, series[name], strict=True)
        ]
    return {"pack.toml": head.encode(), "parameters.csv": _table(rows), "rules.toml": b""}


def _written(kind: str, value: int) -> str:
    if kind == MONEY:
        return yuan_of(value)
    return f"{value // 10_000}.{value % 10_000:04d}" if kind == RATE else str(value)


def _row(name: str, value: str, unit: str, start: str, area: str = "") -> dict[str, str]:
    row = dict.fromkeys(COLUMNS, "")
    row |= {"name": name, "value": value, "unit": unit, "from": start, "until": "replaced", "area_type": area}
    return row | {"instrument": INSTRUMENT, "source": "figures.py", "confidence": "design"}


def _table(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
