"""The eleven outputs of an engine as whole numbers, read from the file that it wrote."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.comparison.referee import Outputs


def answers_in(file: Path) -> list[tuple[int, ...]]:
    """The outputs in the order of ids, money in fen, a truth value as 0 or 1."""
    table = pq.read_table(file).sort_by("id")
    columns = [table[name].cast(pa.int64()).to_pylist() for name in Outputs._fields]
    return list(zip(*columns, strict=True))
