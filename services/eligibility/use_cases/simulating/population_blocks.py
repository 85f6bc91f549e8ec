"""A population's file, read a block at a time: small ones first, so that first figures come soon."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from services.eligibility.gateways.population_folder import identity_of
from services.shared.policy.columns.table import REGION
from services.shared.policy.text import Text

FIRST_BLOCK_ROWS = 4_096
BLOCK_ROWS = 65_536


class PopulationUnfit(Exception):
    """The file is no population that can be read; `text` says what is wrong and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.both)
        self.text = text


@dataclass(frozen=True, slots=True)
class PopulationFile:
    """A population as it lay there when it was opened; `identity` is another when the file was changed since."""

    path: Path
    rows: int
    names: tuple[str, ...]
    schema: pa.Schema
    """Of its blocks, in which the region's column is called REGION."""
    identity: str


def open_population(path: Path, region_column: str = REGION) -> PopulationFile:
    """The file's shape, with nothing of its rows read. Raises PopulationUnfit."""
    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
        identity = identity_of(path)
    except (OSError, pa.ArrowException):
        raise PopulationUnfit(
            Text("文件读不出，不是完整的 Parquet 文件", "the file cannot be read: it is no whole Parquet file")
        ) from None
    if region_column not in schema.names:
        raise PopulationUnfit(
            Text(
                "没有地区列。用 --region-column 指出写有六位代码的列",
                "there is no region column: name the one with six-digit codes with --region-column",
            )
        )
    if not rows:
        raise PopulationUnfit(Text("文件中没有任何户", "there are no households in the file"))
    return PopulationFile(path, rows, tuple(schema.names), _renamed(schema, region_column), identity)


def blocks_of(
    population: PopulationFile, columns: Collection[str], region_column: str = REGION
) -> Iterator[tuple[int, pa.Table]]:
    """Every block with the row of the file that it begins with; the region's column is called REGION in it.

    `columns` are those outside of structs that are wanted where they are there.
    """
    wanted = [name for name in population.names if name in columns and name not in (REGION, region_column)]
    first = 0
    with pq.ParquetFile(population.path) as file:
        for batch in file.iter_batches(BLOCK_ROWS, columns=[region_column, *wanted]):
            names = [REGION if name == region_column else name for name in batch.schema.names]
            table = pa.Table.from_batches([batch]).rename_columns(names)
            table = table.replace_schema_metadata(population.schema.metadata)
            for start, length in _parts(first, table.num_rows):
                yield first + start, table.slice(start, length)
            first += table.num_rows


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
