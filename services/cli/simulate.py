"""`doudi simulate`: what other figures or packs cost a population, and who gains or loses; or a household's cliffs."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli import simulate_cliffs
from services.cli.migrate import data_dir
from services.cli.output import errors, print_json, refuse
from services.cli.simulate_report import print_report
from services.eligibility.domain.reform import REGION_LEVELS, RegionLevel
from services.eligibility.gateways.pack_folder import SHIPPED, read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.columns.extra import ExtraMissing, require_population_extra
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import Pack
from services.shared.vocabulary.money import NotMoney, fen_of, yuan_of
from services.shared.vocabulary.region import NATION

if TYPE_CHECKING:
    from services.eligibility.use_cases.simulate_reform import Progress as Done
    from services.eligibility.use_cases.simulate_reform import Reform
    from services.eligibility.use_cases.simulating.overlay import Figure
    from services.eligibility.use_cases.simulating.population_blocks import PopulationFile
    from services.shared.policy.columns.population import PopulationPolicy

REFUSED, USAGE = 1, 2
FIRST_LINE_SECONDS, LINE_SECONDS = 0.5, 5.0
"""Where there is no terminal: when the first figures are told, and how often after them."""
FIGURE = re.compile(r"(?:(cn|[0-9]{6}):)?([a-z][a-z0-9_]{0,79})(?:\[([a-z0-9_,]{1,80})\])?=(.{1,40})")
"""A figure to set: [REGION:]NAME[KEYS]=VALUE."""


def simulate(
    population: Annotated[Path | None, typer.Argument(metavar="POPULATION.parquet", help="A row a household.")] = None,
    as_of: Annotated[str, typer.Option(help="The day whose rules and figures apply, such as 2026-08-01.")] = "",
    figures: Annotated[
        list[str] | None, typer.Option("--set", help="dibao_standard=900.00, or 420000:dibao_standard[urban]=900.00")
    ] = None,
    packs: Annotated[Path | None, typer.Option(help="The folder of packs that is tried.")] = None,
    against: Annotated[Path, typer.Option(help="The folder of packs that it is compared with.")] = SHIPPED,
    by: Annotated[str, typer.Option(help="Regions of the report: province, prefecture or county.")] = "province",
    losers: Annotated[Path | None, typer.Option(help="Write who loses into this .csv or .parquet file.")] = None,
    region_column: Annotated[str, typer.Option(help="The column with the six-digit region code.")] = "region",
    id_column: Annotated[str, typer.Option(help="A column that names the household among the losers.")] = "id",
    unknown: Annotated[list[str] | None, typer.Option(help="A missing column, as unknown of everybody.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    cliffs: Annotated[Path | None, typer.Option(help="A household's request, whose cliffs to find instead.")] = None,
    member: Annotated[str, typer.Option(help="With --cliffs: the member whose income is varied.")] = "",
    kind: Annotated[str, typer.Option(help="With --cliffs: which income.")] = "wage",
    to: Annotated[str, typer.Option(help="With --cliffs: up to this income a month, such as 6000.00.")] = "6000.00",
    step: Annotated[str, typer.Option(help="With --cliffs: the step between points.")] = "50.00",
    least: Annotated[str, typer.Option(help="With --cliffs: the least drop that is one.")] = "10.00",
    chart: Annotated[Path | None, typer.Option(help="With --cliffs: write points (.csv) or a chart (.svg).")] = None,
) -> None:
    """Say what a reform costs a population, and who gains and loses by it; or where one household's cliffs are.

    Exits 0 with a report, 1 when nothing was computed, 2 for wrong usage.
    """
    try:
        if cliffs is not None:
            wanted = simulate_cliffs.Wanted(cliffs, member, kind, _amount(to), _amount(step), _amount(least), chart)
            simulate_cliffs.show_cliffs(wanted, packs or against, as_json)
        elif population is None:
            refuse("请给出人口文件，或用 --cliffs 给出一户 / name a population, or a household with --cliffs", USAGE)
        elif by not in REGION_LEVELS:
            refuse(f"--by 只能是 {', '.join(REGION_LEVELS)} / --by is one of {', '.join(REGION_LEVELS)}", USAGE)
        elif losers is not None and losers.suffix not in (".csv", ".parquet"):
            refuse("--losers 的文件名以 .csv 或 .parquet 结尾 / the file of --losers ends in .csv or .parquet", USAGE)
        else:
            require_population_extra()
            columns = _Columns(region_column, id_column, tuple(unknown or ()))
            level = cast(RegionLevel, by)
            _simulate(population, _day(as_of), figures or [], packs, against, level, losers, columns, as_json)
    except PackFault as fault:
        refuse(f"规则包有误 / a policy pack is unsound: {fault}", REFUSED)
    except ExtraMissing as missing:
        refuse(missing.text.both, REFUSED)


class _Columns:
    """What the population's columns are called."""

    def __init__(self, region: str, row_id: str, unknown: tuple[str, ...]) -> None:
        self.region, self.row_id, self.unknown = region, row_id, unknown


def _simulate(
    population: Path,
    day: date,
    written: list[str],
    packs: Path | None,
    against: Path,
    level: RegionLevel,
    losers: Path | None,
    columns: _Columns,
    as_json: bool,
) -> None:
    from services.eligibility.use_cases import simulate_reform as use_case
    from services.eligibility.use_cases.simulating.loser_file import loser_file
    from services.eligibility.use_cases.simulating.overlay import OverlayRefused
    from services.eligibility.use_cases.simulating.population_blocks import (
        PopulationUnfit,
        blocks_of,
        open_population,
    )
    from services.eligibility.use_cases.simulating.prepared import not_together
    from services.shared.policy.columns.places import NotInOneKernel
    from services.shared.policy.columns.reading import UnfitTable

    figures = [_figure(text) for text in written]
    try:
        file = open_population(population, columns.region)
        if losers is not None and losers.exists() and losers.samefile(population):
            refuse("--losers 不能是人口文件本身 / --losers cannot be the population's own file", USAGE)
        reform = _reform(figures, packs, against, day, columns.unknown)
        reform.check(file.schema)
        row_id = columns.row_id if columns.row_id in file.schema.names else None
        blocks = blocks_of(file, {*reform.columns, columns.row_id}, columns.region)
        with loser_file(losers, row_id) as keep, _told(file) as tell:
            found = use_case.simulate_reform(reform, blocks, level, tell, keep, row_id if keep else None)
    except OverlayRefused as refused:
        refuse(f"--set: {refused.text.both}", REFUSED)
    except NotInOneKernel as why:
        refuse(not_together(why).both, REFUSED)
    except PopulationUnfit as unfit:
        refuse(unfit.text.both, REFUSED)
    except UnfitTable as unfit:
        refuse(f"{population}: {unfit.text.both}", REFUSED)
    except OSError as error:
        refuse(f"无法读写文件 / the file cannot be read or written: {error.strerror}", REFUSED)
    report = use_case.report_of(reform, found, level)
    if as_json:
        print_json(report)
    else:
        print_report(report, losers)


def _reform(
    figures: "list[Figure]", packs: Path | None, against: Path, day: date, unknown: tuple[str, ...]
) -> "Reform":
    from services.eligibility.use_cases.simulate_reform import Reform
    from services.eligibility.use_cases.simulating.overlay import with_figures
    from services.eligibility.use_cases.simulating.prepared import prepare_compared

    def prepared(folder: Path) -> "PopulationPolicy":
        return prepare_compared(pack_set_of(_packs(folder, against)), day, data_dir() / "kernels", unknown)

    if packs is None and not figures:
        refuse("请用 --set 或 --packs 说明改什么 / say with --set or --packs what is changed", USAGE)
    before = prepared(against)
    return Reform(before, with_figures(before if packs is None else prepared(packs), figures))


def _packs(folder: Path, against: Path) -> Iterator[Pack]:
    """The packs of a folder; without the nation's they stand in the place of those they are compared with."""
    own = read_packs(folder)
    yield from own
    if all(pack.jurisdiction != NATION for pack in own):
        places = {pack.jurisdiction for pack in own}
        yield from (pack for pack in read_packs(against) if pack.jurisdiction not in places)


def _figure(text: str) -> "Figure":
    from services.eligibility.use_cases.simulating.overlay import Figure

    found = FIGURE.fullmatch(text)
    if found is None:
        refuse(
            "--set 写作 dibao_standard=900.00 或 420000:dibao_standard[urban]=900.00 / "
            "write --set as dibao_standard=900.00 or 420000:dibao_standard[urban]=900.00",
            USAGE,
        )
    keys = tuple(found[3].split(",")) if found[3] else ()
    return Figure(found[2], found[4], keys, found[1] or NATION)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        refuse("用 --as-of 写明日期，如 2026-08-01 / name the day with --as-of, such as 2026-08-01", USAGE)


def _amount(written: str) -> int:
    try:
        return fen_of(written)
    except NotMoney:
        refuse("金额写作 6000.00 / write an amount as 6000.00", USAGE)


# --- on the way ------------------------------------------------------------------------------------------------------


@contextmanager
def _told(file: "PopulationFile") -> Iterator[Any]:
    """A bar with the cost so far on a terminal, lines elsewhere: on standard error, so that --json stays whole."""
    if not errors.is_terminal:
        yield _Lines(file.rows).tell
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=errors) as progress:
        task = progress.add_task("", total=file.rows)
        yield lambda done: progress.update(task, completed=done.rows_done, description=_cost(done))


class _Lines:
    """A line soon, and then every few seconds: how many rows, and what they come to."""

    def __init__(self, rows: int) -> None:
        self._rows, self._next = rows, time.monotonic() + FIRST_LINE_SECONDS

    def tell(self, done: "Done") -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_SECONDS
            errors.print(f"{done.rows_done} / {self._rows} 户 households: {_cost(done)}", markup=False)


def _cost(done: "Done") -> str:
    total = done.figures().total
    cost = yuan_of(total["monthly_after_fen"] - total["monthly_before_fen"])
    return f"{cost} 元/月 a month"
