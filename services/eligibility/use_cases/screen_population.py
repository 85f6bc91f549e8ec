"""Screens a population file: what is not fit is refused before work starts, and what was finished before is kept."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pyarrow as pa

from services.eligibility.use_cases.screening.output_folder import (
    check_space,
    complete,
    is_complete,
    unfinished_folder,
)
from services.eligibility.use_cases.screening.part import Done, Tell, finished
from services.eligibility.use_cases.screening.plan import PART_ROWS, Part, Plan, parts_of
from services.eligibility.use_cases.screening.population_file import (
    PopulationFile,
    check_chunks,
    needed_leaves,
    open_population,
    sha256_of,
)
from services.eligibility.use_cases.screening.refusal import ScreeningRefused
from services.eligibility.use_cases.screening.rules import check_id_column, columns_read, in_file, rules_of
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.columns.reading import UnfitTable
from services.shared.policy.columns.table import REGION

MOST_NAMED = 5
"""Parts that a message names."""

Engine = Callable[[Plan, Sequence[Part], Tell], Iterator[Done]]
"""Screens parts, in any order, on whatever machines; yields each when it is finished."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to screen, with which rules, and where the results go; `kernel_folder` keeps what was compiled."""

    source: Path
    target: Path
    as_of: date
    pack_folder: Path
    kernel_folder: Path
    region_column: str = REGION
    id_column: str = "id"
    unknown: tuple[str, ...] = ()
    part_rows: int = PART_ROWS


@dataclass(frozen=True, slots=True)
class Screened:
    """What came of it. `kept` are the rows of parts that were finished before."""

    rows: int
    rejected: int
    parts: int
    kept: int
    bytes: int


def plan_screening(wanted: Wanted) -> Plan:
    """What will be computed. Raises ScreeningRefused where the input is not fit, and PackFault."""
    file = open_population(wanted.source)
    if not file.rows:
        raise ScreeningRefused(f"{wanted.source} 中没有任何户", f"there are no households in {wanted.source}")
    rules = rules_of(wanted.pack_folder, wanted.as_of, wanted.unknown, wanted.kernel_folder)
    _check_columns(file, rules.policy, wanted)
    id_column = wanted.id_column if wanted.id_column in file.schema.names else None
    leaves = needed_leaves(file, in_file(columns_read(rules.policy), wanted.region_column))
    if id_column is not None:
        # As it is: identifiers are no codes, of which there are few.
        check_id_column(rules.policy, id_column, wanted.region_column)
        leaves += tuple(replace(leaf, is_code=False) for leaf in needed_leaves(file, [id_column]))
    check_chunks(file, leaves)
    input_sha256 = sha256_of(wanted.source)
    if not file.identity.is_that_of(wanted.source):
        raise ScreeningRefused(
            f"{wanted.source} 正在被改动。写完后再运行同一命令",
            f"{wanted.source} is being changed. Run the same command again when it is written",
        )
    return Plan(
        source=wanted.source.absolute(),
        target=wanted.target.absolute(),
        pack_folder=wanted.pack_folder.absolute(),
        kernel_folder=wanted.kernel_folder.absolute(),
        as_of=wanted.as_of,
        region_column=wanted.region_column,
        id_column=id_column,
        unknown=wanted.unknown,
        leaves=leaves,
        input_sha256=input_sha256,
        identity=file.identity,
        packs=rules.packs,
        engine=rules.engine,
        parts=tuple(parts_of(file.group_rows, wanted.part_rows)),
    )


def screen_population(plan: Plan, engine: Engine, tell: Tell) -> Screened:
    """Compute what is not there yet; the target appears when all of it is.

    `tell` takes how many more rows are done, those of kept parts first. Raises ScreeningRefused before work starts,
    and ScreeningStopped when it fails on the way.
    """
    if is_complete(plan):
        kept = _finished(plan, plan.target)
        _check_all_there(plan, kept)
        tell(plan.rows)
        return _screened(plan, kept, kept)
    with unfinished_folder(plan):
        kept = _finished(plan, plan.unfinished)
        missing = [part for part in plan.parts if part.number not in kept]
        tell(plan.rows - _rows(missing))
        check_space(plan, _rows(missing))
        done = dict(kept)
        for each in engine(plan, missing, tell):
            done[each.number] = each
            _check_space_left(plan, done)
        complete(plan)
    return _screened(plan, done, kept)


Parts = Mapping[int, Done]


def _check_all_there(plan: Plan, kept: Parts) -> None:
    missing = [part.name for part in plan.parts if part.number not in kept]
    if missing:
        named = ", ".join(missing[:MOST_NAMED]) + (", …" if len(missing) > MOST_NAMED else "")
        raise ScreeningRefused(
            f"{plan.target} 曾经完整，现有 {len(missing)} 个部分缺失或损坏：{named}。把文件夹改名为 "
            f"{plan.unfinished.name} 后再运行同一命令，只重做这些部分",
            f"{plan.target} was complete, and {len(missing)} of its parts are gone or torn: {named}. Rename the folder "
            f"{plan.unfinished.name} and run the same command again: these alone are made anew",
        )


def _finished(plan: Plan, folder: Path) -> Parts:
    found = (finished(plan, part, folder) for part in plan.parts)
    return {done.number: done for done in found if done is not None}


def _screened(plan: Plan, done: Parts, kept: Parts) -> Screened:
    return Screened(
        rows=plan.rows,
        rejected=sum(each.rejected for each in done.values()),
        parts=len(plan.parts),
        kept=_rows(plan.parts[number] for number in kept),
        bytes=sum(each.bytes for each in done.values()),
    )


def _rows(parts: Iterable[Part]) -> int:
    return sum(part.rows for part in parts)


def _check_space_left(plan: Plan, done: Parts) -> None:
    rows = _rows(plan.parts[number] for number in done)
    check_space(plan, plan.rows - rows, rows, sum(each.bytes for each in done.values()))


def _check_columns(file: PopulationFile, rules: PopulationPolicy, wanted: Wanted) -> None:
    region = wanted.region_column
    if region not in file.schema.names:
        raise ScreeningRefused(
            f"{wanted.source} 没有地区列 {region}。用 --region-column 指出写有六位地区代码的列",
            f"{wanted.source} has no region column {region}. Name the one with six-digit codes with --region-column",
        )
    fields = [field for field in file.schema if field.name not in (REGION, region)]
    fields.append(file.schema.field(region).with_name(REGION))
    try:
        rules.check(pa.schema(fields, metadata=file.schema.metadata))
    except UnfitTable as unfit:
        raise ScreeningRefused(f"{wanted.source}：{unfit.text.zh}", f"{wanted.source}: {unfit.text.en}") from None
