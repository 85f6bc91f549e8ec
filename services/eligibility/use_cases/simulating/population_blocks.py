"""A population's file, read a block at a time: small ones first, so that first figures come soon."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from services.eligibility.gateways.population_folder import identity_of
from services.eligibility.use_cases.screening import population_file
from services.eligibility.use_cases.screening.population_file import UNREADABLE
from services.eligibility.use_cases.screening.refusal import ScreeningRefused
from services.shared.policy.columns.table import REGION
from services.shared.policy.text import Text

FIRST_BLOCK_ROWS = 4_096
BLOCK_ROWS = 65_536


class PopulationUnfit(Exception):
    """The file is no population that can be read; `text` says what is wrong and what to do, and names no folder."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.both)
        self.text = text


@dataclass(frozen=True, slots=True)
class PopulationFile:
    """A population as it lay there when it was opened; `identity` is another when the file was changed since."""

    file: population_file.PopulationFile
    schema: pa.Schema
    """Of its blocks, in which the region's column is called REGION."""
    identity: str

    @property
    def rows(self) -> int:
        """The households in it."""
        return self.file.rows


def open_population(path: Path, region_column: str = REGION) -> PopulationFile:
    """The file's shape, with nothing of its rows read. Raises PopulationUnfit."""
    try:
        file, identity = population_file.open_population(path), identity_of(path)
    except (ScreeningRefused, OSError) as error:
        raise _unfit(path, error) from None
    if region_column not in file.schema.names:
        raise PopulationUnfit(
            Text(
                f"{path.name} 没有地区列。用 --region-column 指出写有六位代码的列",
                f"{path.name} has no region column: name the one with six-digit codes with --region-column",
            )
        )
    if not file.rows:
        raise PopulationUnfit(Text(f"{path.name} 中没有任何户", f"there are no households in {path.name}"))
    return PopulationFile(file, _renamed(file.schema, region_column), identity)


def blocks_of(
    population: PopulationFile, columns: Collection[str], region_column: str = REGION
) -> Iterator[tuple[int, pa.Table]]:
    """Every block with the row of the file that it begins with; the region's column is called REGION in it.

    `columns` are those outside of structs that are wanted where they are there. Raises PopulationUnfit for a file that
    turns out to be damaged, and OSError where the system could not read it.
    """
    first = 0
    for batch in _batches(population.file, columns, region_column):
        names = [REGION if name == region_column else name for name in batch.schema.names]
        table = pa.Table.from_batches([batch]).rename_columns(names)
        table = table.replace_schema_metadata(population.schema.metadata)
        for start, length in _parts(first, table.num_rows):
            yield first + start, table.slice(start, length)
        first += table.num_rows


def _batches(
    file: population_file.PopulationFile, columns: Collection[str], region_column: str
) -> Iterator[pa.RecordBatch]:
    wanted = [name for name in file.schema.names if name in columns and name not in (REGION, region_column)]
    leaves = population_file.needed_leaves(file, [region_column, *wanted])
    try:
        population_file.check_chunks(file, leaves)
        yield from population_file.read_blocks(file.path, leaves, range(len(file.group_rows)), BLOCK_ROWS)
    except (ScreeningRefused, *UNREADABLE) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _unfit(file.path, error) from None


def _unfit(path: Path, error: Exception) -> PopulationUnfit:
    if not isinstance(error, ScreeningRefused):
        return PopulationUnfit(
            Text(
                f"{path.name} 已损坏，有的行读不出。重新传输或重新生成",
                f"{path.name} is damaged: some of its rows cannot be read. Transfer or write it again",
            )
        )
    # Where the operator keeps populations is not for those who ask.
    return PopulationUnfit(Text(*(said.replace(str(path), path.name) for said in (error.text.zh, error.text.en))))


def _parts(first: int, rows: int) -> Iterator[tuple[int, int]]:
    if first or rows <= FIRST_BLOCK_ROWS:
        yield 0, rows
        return
    yield 0, FIRST_BLOCK_ROWS
    yield FIRST_BLOCK_ROWS, rows - FIRST_BLOCK_ROWS


def _renamed(schema: pa.Schema, region_column: str) -> pa.Schema:
    fields = [field for field in schema if field.name != REGION or region_column == REGION]
    named = [field.with_name(REGION) if field.name == region_column else field for field in fields]
    return pa.schema(named, metadata=schema.metadata)
