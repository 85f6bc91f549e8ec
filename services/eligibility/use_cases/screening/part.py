"""Screens one part: reads its row groups block by block, and writes its results and rejects as two whole files."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.eligibility.use_cases.screening.plan import Part, Plan
from services.eligibility.use_cases.screening.population_file import UNREADABLE, read_blocks
from services.eligibility.use_cases.screening.refusal import ScreeningStopped
from services.eligibility.use_cases.screening.reject_words import reason_text
from services.eligibility.use_cases.screening.rules import rules_of_plan
from services.shared.policy.columns.population import ROW, PopulationPolicy
from services.shared.policy.columns.table import MONEY_UNIT, REGION

BLOCK_ROWS = 2**16
ROW_GROUP_ROWS = 2**18
"""Results are held until there are so many, and then written."""
REJECTS = "_rejects"
"""The folder of the rejects; readers of data sets skip names that begin so."""
COMPRESSION = "snappy"

Tell = Callable[[int], None]
"""Takes how many more rows were read."""


@dataclass(frozen=True, slots=True)
class Done:
    """A finished part: its rows that were rejected, and the bytes of its files."""

    number: int
    rejected: int
    bytes: int


def screen_part(plan: Plan, part: Part, tell: Tell) -> Done:
    """Write the part's files into the plan's unfinished folder; done again, the same bytes take their place.

    Raises ScreeningStopped where the input is torn or was changed, the output cannot be written, or memory is short.
    """
    rules = rules_of_plan(plan)
    _check_input(plan)
    try:
        _write(plan, part, _screened(plan, part, rules, tell))
    except UNREADABLE as error:
        _check_input(plan)
        if isinstance(error, MemoryError):
            raise _too_little_memory(part) from error
        if not isinstance(error, OSError) or error.errno is None:
            raise _torn(part) from error
        raise ScreeningStopped(
            f"无法写入 {plan.unfinished}：{error.strerror}。腾出空间或更正权限后再运行同一命令，已完成的部分保留",
            f"{plan.unfinished} cannot be written: {error.strerror}. Make room or mend the rights and run the same "
            "command again: finished parts are kept",
        ) from error
    done = finished(plan, part, plan.unfinished)
    assert done is not None, "both files were just renamed"
    return done


def finished(plan: Plan, part: Part, folder: Path) -> Done | None:
    """The part if its files are in the folder, whole and of this very plan."""
    results, rejects = folder / part.name, folder / REJECTS / part.name
    rows = [_rows_of(plan, part, file) for file in (results, rejects)]
    if rows[0] is None or rows[1] is None or rows[0] + rows[1] != part.rows:
        return None
    return Done(part.number, rows[1], results.stat().st_size + rejects.stat().st_size)


def _rows_of(plan: Plan, part: Part, file: Path) -> int | None:
    try:
        metadata = pq.read_metadata(file)
    except UNREADABLE:
        return None
    said = metadata.metadata or {}
    wanted = {key.encode(): value.encode() for key, value in plan.metadata(part).items()}
    return metadata.num_rows if wanted.items() <= said.items() else None


Pair = tuple[pa.RecordBatch, pa.RecordBatch]


def _screened(plan: Plan, part: Part, rules: PopulationPolicy, tell: Tell) -> Iterator[Pair]:
    groups = range(part.first_group, part.first_group + part.groups)
    first = part.first_row
    for block in read_blocks(plan.source, plan.leaves, groups, BLOCK_ROWS):
        yield screened_block(rules, block, plan.region_column, plan.id_column, first)
        first += block.num_rows
        tell(block.num_rows)
    if first != part.first_row + part.rows:
        raise _torn(part)
    # The files of the part are not yet in their places.
    _check_input(plan)


def screened_block(
    rules: PopulationPolicy, block: pa.RecordBatch, region_column: str, id_column: str | None, first_row: int
) -> Pair:
    """The results and the rejects of a block whose first row has this number; the id and the region go with both."""
    named = _as_rules_name(block, region_column, id_column)
    results, rejects = rules.run(named)
    said = {} if id_column is None else {id_column: block.column(id_column)}
    results = _numbered(results, {**said, REGION: named.column(REGION)}, first_row)
    return results, _in_words(_numbered(rejects, said, first_row))


def _as_rules_name(block: pa.RecordBatch, region_column: str, id_column: str | None) -> pa.RecordBatch:
    columns = {
        name: column
        for name, column in zip(block.schema.names, block.columns, strict=True)
        if name not in (REGION, region_column, id_column) or name == region_column
    }
    region = columns.pop(region_column)
    columns[REGION] = region if pa.types.is_dictionary(region.type) else region.dictionary_encode()
    return pa.RecordBatch.from_pydict(columns, metadata=block.schema.metadata)


def _numbered(found: pa.RecordBatch, said: Mapping[str, pa.Array], first_row: int) -> pa.RecordBatch:
    rows = found.column(ROW)
    columns = {ROW: pc.add(rows, first_row)}
    for name, column in said.items():
        columns[name] = column if len(column) == len(rows) else column.take(rows)
    rest = {name: found.column(name) for name in found.schema.names if name != ROW}
    return pa.RecordBatch.from_pydict(columns | rest)


def _in_words(rejects: pa.RecordBatch) -> pa.RecordBatch:
    texts = [reason_text(code) for code in rejects.column("reason").to_pylist()]
    said = pa.array([text.zh for text in texts], pa.string()), pa.array([text.en for text in texts], pa.string())
    return rejects.append_column("reason_zh", said[0]).append_column("reason_en", said[1])


# --- files ------------------------------------------------------------------------------------------------------------


def _write(plan: Plan, part: Part, blocks: Iterator[Pair]) -> None:
    # The results are renamed last: a part whose results are there has its rejects.
    with (
        _whole_file(plan.unfinished / part.name) as results,
        _whole_file(plan.unfinished / REJECTS / part.name) as rejects,
        _Writer(results, plan, part) as written,
        _Writer(rejects, plan, part) as rejected,
    ):
        for found, refused in blocks:
            written.add(found)
            rejected.add(refused)


class _Writer:
    """A Parquet file that takes batches of one schema, and writes a row group of a few at a time."""

    def __init__(self, file: Path, plan: Plan, part: Part) -> None:
        self._file = file
        said = {key.encode(): value.encode() for key, value in plan.metadata(part).items()}
        self._metadata = MONEY_UNIT | said
        self._held: list[pa.RecordBatch] = []
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *problem: object) -> None:
        if problem[0] is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Write the batch, or hold it until there are more."""
        self._held.append(batch)
        if sum(len(each) for each in self._held) >= ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._held:
            return
        table = pa.Table.from_batches(self._held).unify_dictionaries()
        self._held = []
        if self._writer is None:
            schema = table.schema.with_metadata(self._metadata)
            # Rows are looked up by their number; least and most of anything else help nobody and cost a twentieth.
            # Amounts differ too much for a dictionary of them to pay.
            self._writer = pq.ParquetWriter(
                self._file, schema, compression=COMPRESSION, write_statistics=[ROW], use_dictionary=list(_words(schema))
            )
        self._writer.write_table(table.replace_schema_metadata(self._writer.schema.metadata))


def _words(fields: Iterable[pa.Field], above: str = "") -> Iterator[str]:
    """The paths of the columns of words, those in lists of structs with theirs."""
    for field in fields:
        if pa.types.is_list(field.type):
            yield from _words(field.type.value_type, f"{above}{field.name}.list.element.")
        elif pa.types.is_dictionary(field.type) or pa.types.is_string(field.type):
            yield above + field.name


@contextmanager
def _whole_file(file: Path) -> Iterator[Path]:
    """A file beside, which takes its place once it is on the disk; nothing stays of it when something fails."""
    handle, beside = tempfile.mkstemp(suffix=".beside", prefix=f".{file.name}.", dir=file.parent)
    try:
        yield Path(beside)
        os.fsync(handle)
        Path(beside).chmod(0o666 & ~_umask())
        Path(beside).replace(file)
        _sync_folder(file.parent)
    finally:
        os.close(handle)
        Path(beside).unlink(missing_ok=True)


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check_input(plan: Plan) -> None:
    if not plan.identity.is_that_of(plan.source):
        raise ScreeningStopped(
            f"{plan.source} 在筛查期间被改动。放回原文件后再运行同一命令；要筛查新文件，先删除 {plan.unfinished}",
            f"{plan.source} was changed while it was screened. Put the old file back and run the same command again; "
            f"for the new one, delete {plan.unfinished} first",
        )


def _too_little_memory(part: Part) -> ScreeningStopped:
    return ScreeningStopped(
        f"读取第 {part.first_row} 行起的部分时内存不足。减少 --processes 或写成较小的行组后再试，已完成的部分保留；"
        "内存充裕时，是输入在此处已损坏",
        f"there was too little memory for the part from row {part.first_row} on. Try again with fewer --processes: "
        "finished parts are kept. Or write smaller row groups; with memory to spare, the input is damaged there",
    )


def _torn(part: Part) -> ScreeningStopped:
    last = part.first_group + part.groups - 1
    return ScreeningStopped(
        f"输入在第 {part.first_group} 至 {last} 行组（第 {part.first_row} 行起）已损坏。重新生成该文件",
        f"the input is damaged in its row groups {part.first_group} to {last}, from row {part.first_row} on: "
        "write the file anew",
    )
