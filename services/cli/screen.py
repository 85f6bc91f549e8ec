"""`doudi screen`: a whole population's aid on one date, from a Parquet file into a folder of Parquet files."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.migrate import data_dir
from services.cli.output import console, errors, print_json, refuse
from services.eligibility.gateways.pack_folder import SHIPPED
from services.shared.policy.fault import PackFault

if TYPE_CHECKING:
    from services.eligibility.use_cases.screen_population import Engine, Screened
    from services.eligibility.use_cases.screening.part import Tell

REFUSED, USAGE, REJECTED, STOPPED, INTERRUPTED = 1, 2, 3, 4, 130
"""Exit codes: nothing was computed; all was, and rows were rejected; it failed on the way; and by the keyboard."""
LINE_SECONDS = 5
"""Between two lines about the progress where there is no terminal."""
ENGINES = ("local", "spark")


def screen(
    source: Annotated[Path, typer.Argument(metavar="IN.parquet", help="The population, a row a household.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.parquet", help="The folder of results, which is made.")],
    as_of: Annotated[str, typer.Option(help="The day whose rules and figures apply, such as 2026-08-01.")],
    region_column: Annotated[str, typer.Option(help="The column with the six-digit region code.")] = "region",
    id_column: Annotated[str, typer.Option(help="A column that goes along into the results, if it is there.")] = "id",
    unknown: Annotated[list[str] | None, typer.Option(help="A missing column, as unknown of everybody.")] = None,
    packs: Annotated[Path, typer.Option(help="A folder of policy packs.")] = SHIPPED,
    processes: Annotated[int, typer.Option(min=1, max=256, help="So many processes of this machine.")] = 1,
    engine: Annotated[str, typer.Option(help="local, or spark.")] = "local",
    master: Annotated[str, typer.Option(help="Spark's master, such as local[2] or spark://host:7077.")] = "local[2]",
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Screen a population. Killed, the same command goes on; the same input gives the same bytes on any engine.

    Exits 0 when every row was screened, 1 when nothing was begun, 2 for wrong usage, 3 when rows were rejected,
    4 when it failed on the way and can be gone on with.
    """
    if engine not in ENGINES:
        refuse(f"--engine 只能是 {'、'.join(ENGINES)} / --engine is one of {', '.join(ENGINES)}", USAGE)
    try:
        from services.eligibility.use_cases import screen_population as use_case
        from services.eligibility.use_cases.screening.refusal import ScreeningRefused, ScreeningStopped
    except ModuleNotFoundError as missing:
        refuse_without_extra(missing)
    began = time.monotonic()
    try:
        wanted = use_case.Wanted(
            source, target, _day(as_of), packs, data_dir() / "kernels", region_column, id_column, tuple(unknown or ())
        )
        chosen = _engine(engine, master, processes)
        plan = use_case.plan_screening(wanted)
        with _told(plan.rows, target) as tell:
            found = use_case.screen_population(plan, chosen, tell)
    except PackFault as fault:
        refuse(f"规则包有误 / a policy pack is unsound: {fault}", REFUSED)
    except ScreeningRefused as refusal:
        refuse(refusal.text.both, STOPPED if isinstance(refusal, ScreeningStopped) else REFUSED)
    except KeyboardInterrupt:
        refuse(
            "已中断，完成的部分保留；再运行同一命令即继续 / interrupted: run the same command again to go on",
            INTERRUPTED,
        )
    _show(found, target, time.monotonic() - began, as_json)
    raise SystemExit(REJECTED if found.rejected else 0)


def refuse_without_extra(missing: ModuleNotFoundError) -> None:
    """Say which lock to install for what is not there."""
    lock = "requirements-spark.lock" if missing.name == "pyspark" else "requirements-population.lock"
    refuse(
        f"缺少 {missing.name}。运行 .venv/bin/python -m pip install --require-hashes -r {lock} / "
        f"{missing.name} is missing. Run .venv/bin/python -m pip install --require-hashes -r {lock}",
        REFUSED,
    )


def _engine(name: str, master: str, processes: int) -> "Engine":
    if name == "local":
        from services.eligibility.use_cases.screening.processes import Processes

        return Processes(processes)
    from services.eligibility.use_cases.screening.spark import Spark

    if find_spec("pyspark") is None:
        refuse_without_extra(ModuleNotFoundError(name="pyspark"))
    return Spark(master)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        refuse("日期写作 2026-08-01 / write the date as 2026-08-01", USAGE)


@contextmanager
def _told(rows: int, target: Path) -> "Iterator[Tell]":
    """A bar on a terminal: rows, a second, remaining; lines elsewhere; on standard error, so --json stays whole."""
    if not errors.is_terminal:
        yield _Lines(rows).tell
        return
    rate = TextColumn("{task.fields[rate]} 户/秒 a second")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=errors) as progress:
        task = progress.add_task(target.name, total=rows, rate="-")

        def tell(more: int) -> None:
            progress.update(task, advance=more)
            speed = progress.tasks[0].speed
            progress.update(task, rate="-" if speed is None else f"{speed:,.0f}")

        yield tell


class _Lines:
    """A line every few seconds: how many of how many rows, how many a second, how long it will take."""

    def __init__(self, rows: int) -> None:
        self._rows, self._done, self._began, self._said = rows, 0, time.monotonic(), time.monotonic()
        self._kept: int | None = None

    def tell(self, more: int) -> None:
        """So many more rows are done; the first that are told were done before."""
        now = time.monotonic()
        if self._kept is None:
            self._kept = more
        self._done += more
        if now - self._said < LINE_SECONDS:
            return
        self._said = now
        rate = max(self._done - self._kept, 1) / (now - self._began)
        left = (self._rows - self._done) / rate
        errors.print(
            f"{self._done} / {self._rows} 户 households, {rate:.0f} /s, 还需 remaining {left:.0f} s", markup=False
        )


def _show(found: "Screened", target: Path, seconds: float, as_json: bool) -> None:
    if as_json:
        print_json({"target": str(target), **asdict(found), "seconds": round(seconds, 3)})
        return
    console.print(
        f"{target}: {found.rows} 户，{found.rejected} 户未能读取（见 _rejects），{found.parts} 个文件，"
        f"{seconds:.1f} 秒 / "
        f"{found.rows} households, {found.rejected} rejected (see _rejects), {found.parts} files, {seconds:.1f} s",
        markup=False,
    )
