"""The policy in our kernel: the eleven outputs from arrays in memory, and from one Parquet file to another."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.comparison.engine import RULES, comparison_packs
from benchmarks.comparison.figures import REGIONS
from benchmarks.comparison.referee import Outputs
from services.eligibility.use_cases.prepare_population import prepare_population
from services.shared.policy.columns.kernel import Facts
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.evaluation import PackSet

BLOCK_ROWS = 2**16


def eleven_outputs(on: date, folder: Path) -> PopulationPolicy:
    """The policy with the eleven outputs alone, as peers compute them; compiled into `folder`.

    What `doudi screen` computes beside them (each programme's outcome and amount for households and members) is left
    out, and with it what only that rests on.
    """
    return prepare_population(_packs(), REGIONS, on, folder, observed=tuple(RULES.values()), only_observed=True)


@cache
def _packs() -> PackSet:
    return comparison_packs()


def facts_of(policy: PopulationPolicy, source: Path) -> list[Facts]:
    """The facts of a file, as the kernel takes them, block by block."""
    return [policy.reader.read(pa.Table.from_batches([batch]), policy.place_of)[0] for batch in _blocks(policy, source)]


def monthly_total(policy: PopulationPolicy, facts: list[Facts]) -> int:
    """Compute every output of every household, and return what all get a month, in fen."""
    amounts = [policy.kernel.run(each).amounts["household"] for each in facts]
    row = [column.name for column in policy.program.columns].index(RULES["monthly_total"])
    return sum(int(each[row].sum()) for each in amounts)


def through(policy: PopulationPolicy, source: Path, target: Path) -> None:
    """Parquet to Parquet: the eleven outputs of every household, with its id, block by block."""
    writer = None
    for block in _blocks(policy, source):
        found, rejects = policy.run(block)
        assert not rejects.num_rows, "populations of the benchmark are sound"
        outputs = {"id": block.column("id"), **{name: found.column(RULES[name]) for name in Outputs._fields}}
        batch = pa.RecordBatch.from_pydict(outputs)
        writer = writer or pq.ParquetWriter(target, batch.schema, use_dictionary=False)
        writer.write_batch(batch, row_group_size=batch.num_rows)
    if writer:
        writer.close()


def _blocks(policy: PopulationPolicy, source: Path) -> Iterator[pa.RecordBatch]:
    wanted = {name.partition(".")[0] for name in policy.columns_needed} | {"id"}
    with pq.ParquetFile(source) as file:
        metadata = file.schema_arrow.metadata
        names = [name for name in file.schema_arrow.names if name in wanted]
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(BLOCK_ROWS, [group], names, use_threads=False):
                yield batch.replace_schema_metadata(metadata)
