"""Screens parts on Apache Spark: a task a part, which reads and writes for itself; the driver hears that it is done."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from services.eligibility.use_cases.screening.part import Done, Tell, screen_part, screened_block
from services.eligibility.use_cases.screening.plan import Part, Plan
from services.eligibility.use_cases.screening.refusal import ScreeningRefused, ScreeningStopped
from services.eligibility.use_cases.screening.reject_words import REJECT_COLUMNS
from services.eligibility.use_cases.screening.rules import MadeOf, check_id_column, rules_made_of, rules_of
from services.shared.policy.columns.population import ROW
from services.shared.policy.columns.table import MONEY_UNIT, REGION

JAVA = 17
JAVA_SECONDS = 30
TELL_SECONDS = 1.0
TASK_ATTEMPTS = 4
"""So often a part is tried before the screening stops; an executor that is lost costs one."""
ROOT = Path(__file__).parents[4]

if TYPE_CHECKING:
    # An extra of its own: whoever names Spark has it, and this module can be looked at without.
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class Spark:
    """A Spark cluster by its master. Its machines must see input, output and packs under the same paths.

    Raises ScreeningRefused when it is made where there is no Java.
    """

    master: str

    def __post_init__(self) -> None:
        check_java()

    def __call__(self, plan: Plan, parts: Sequence[Part], tell: Tell) -> Iterator[Done]:
        """The parts, when all of them are finished. Raises ScreeningStopped."""
        if not parts:
            return
        # Machines that see the same file may differ in its inode and its time.
        shared = replace(plan, identity=plan.identity.on_any_machine)
        session = session_of(self.master)
        try:
            with ThreadPoolExecutor(1) as waiting:
                job = waiting.submit(lambda: _done_by(session, shared, parts))
                told: set[int] = set()
                while not wait([job], TELL_SECONDS).done:
                    _tell_of_files(plan, parts, told, tell)
                done = job.result()
                _tell_of_files(plan, parts, told, tell)
                yield from done
        except Exception as problem:
            raise _stopped(problem) from problem
        finally:
            session.stop()


def check_java() -> None:
    """Raises ScreeningRefused where there is no Java of the version that Spark wants, in JAVA_HOME or on the path."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    found = _java_version(java) if java else None
    if found is None or found < JAVA:
        zh, en = ("没有找到", "was not found") if found is None else (f"是 {found}", f"is {found}")
        raise ScreeningRefused(
            f"Spark 需要 Java {JAVA} 或更新，Java {zh}。Debian：apt install openjdk-{JAVA}-jre-headless，"
            "或设置 JAVA_HOME",
            f"Spark wants Java {JAVA} or newer; Java {en}. Debian: apt install openjdk-{JAVA}-jre-headless, or set "
            "JAVA_HOME",
        )


def _java_version(java: str) -> int | None:
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=JAVA_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', said.stderr)
    return int(found[1]) if found else None


def session_of(master: str) -> "SparkSession":
    """A session whose Python workers are this Python with this code, and whose driver stays small."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("doudi screen").master(master)
    settings = {
        "spark.driver.memory": "512m",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.task.maxFailures": str(TASK_ATTEMPTS),
        "spark.executorEnv.PYTHONPATH": str(ROOT),
        # A name that its own machine cannot look up is of no use for a cluster inside of it.
        **({"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"} if _is_here(master) else {}),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _is_here(master: str) -> bool:
    return master.startswith("local") or "//127.0.0.1" in master or "//localhost" in master


def _done_by(session: "SparkSession", plan: Plan, parts: Sequence[Part]) -> list[Done]:
    # One part a partition, so that a lost executor costs the parts that it was at and no other.
    numbers = session.range(0, len(parts), 1, len(parts))
    done = numbers.mapInArrow(_task(plan, tuple(parts)), "number long, rejected long, bytes long").collect()
    return [Done(row.number, row.rejected, row.bytes) for row in done]


def _task(plan: Plan, parts: tuple[Part, ...]) -> Callable[[Batches], Batches]:
    def screen_all(batches: Batches) -> Batches:
        for batch in batches:
            for index in batch.column("id").to_pylist():
                done = screen_part(plan, parts[index], _nobody_is_told)
                yield pa.RecordBatch.from_pydict(
                    {"number": [done.number], "rejected": [done.rejected], "bytes": [done.bytes]}
                )

    return screen_all


def _nobody_is_told(more: int) -> None:
    """The driver sees the files."""


def _tell_of_files(plan: Plan, parts: Sequence[Part], told: set[int], tell: Tell) -> None:
    for part in parts:
        if part.number not in told and (plan.unfinished / part.name).exists():
            told.add(part.number)
            tell(part.rows)


def _stopped(problem: Exception) -> ScreeningRefused:
    if isinstance(problem, ScreeningRefused):
        return problem
    # Spark's own text is pages of Java; what a task said of its part stands in it.
    said = re.search(r"ScreeningStopped: \('(.*?)', ['\"](.*?)['\"]\)", str(problem))
    if said:
        return ScreeningStopped(said[1], said[2])
    return ScreeningStopped(
        f"Spark 未能完成（{type(problem).__name__}）；原因见其日志。再运行同一命令即继续，已完成的部分保留",
        f"Spark did not finish ({type(problem).__name__}); its log says why. Run the same command again to go on: "
        "finished parts are kept",
    )


# --- any DataFrame ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScreenMap:
    """For `frame.mapInArrow(screen_map, screen_map.schema(frame))` on any DataFrame with the columns of a population.

    Amounts are decimals in yuan, or with `money_in_fen` whole numbers. `id_column` tells households apart in the
    result, since a DataFrame has no row numbers. Households that cannot be read are not in it; `rejects` has them.
    Raises ScreeningRefused when it is made with an `id_column` that has the name of a fact or a result.
    """

    pack_folder: Path
    as_of: date
    kernel_folder: Path
    id_column: str
    region_column: str = REGION
    unknown: tuple[str, ...] = ()
    money_in_fen: bool = False
    rejects: bool = False
    made_of: MadeOf = field(init=False)
    """The packs and versions where it was made, which every executor must have."""

    def __post_init__(self) -> None:
        rules = rules_of(*self._named)
        check_id_column(rules.policy, self.id_column, self.region_column)
        object.__setattr__(self, "made_of", rules.made_of)

    @property
    def _named(self) -> tuple[Path, date, tuple[str, ...], Path]:
        return self.pack_folder, self.as_of, self.unknown, self.kernel_folder

    def __call__(self, batches: Batches) -> Batches:
        """The results, or the rejects, of each batch. Raises ScreeningStopped where packs or versions are others."""
        rules = rules_made_of(self.made_of, *self._named)
        for batch in batches:
            block = batch.replace_schema_metadata(MONEY_UNIT) if self.money_in_fen else batch
            yield _plain(screened_block(rules, block, self.region_column, self.id_column, 0)[self.rejects])

    def schema(self, frame: "DataFrame") -> "StructType":
        """The columns of the result over this frame, in Spark's types."""
        from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_type

        of_id = to_arrow_type(frame.schema[self.id_column].dataType)
        rules = rules_made_of(self.made_of, *self._named)
        fields = [pa.field(self.id_column, of_id), pa.field(REGION, pa.string()), *list(rules.result_schema)[1:]]
        if self.rejects:
            fields = [fields[0], *(pa.field(name, pa.string()) for name in REJECT_COLUMNS)]
        return from_arrow_schema(pa.schema([field.with_type(_plain_type(field.type)) for field in fields]))


def _plain(found: pa.RecordBatch) -> pa.RecordBatch:
    """Without row numbers, which mean nothing in a frame, and without dictionaries, which Spark does not take."""
    kept = found.drop_columns([ROW])
    fields = [field.with_type(_plain_type(field.type)) for field in kept.schema]
    return kept.cast(pa.schema(fields))


def _plain_type(found: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(found):
        return found.value_type
    if pa.types.is_struct(found):
        return pa.struct([field.with_type(_plain_type(field.type)) for field in found])
    return pa.list_(_plain_type(found.value_type)) if pa.types.is_list(found) else found
