"""Writes who loses into a file as they are found: CSV with amounts in yuan, or Parquet in fen."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.eligibility.use_cases.simulating.losers import Loser
from services.shared.vocabulary.money import yuan_of

NAMES = tuple(field.name for field in fields(Loser))
_ARROW = {"row": pa.int64(), "member": pa.int32(), "before_fen": pa.int64(), "after_fen": pa.int64()}
Keep = Callable[[Sequence[Loser]], None]


@contextmanager
def loser_file(path: Path | None, row_id: str | None) -> Iterator[Keep | None]:
    """What takes losers while it is open; None where no file is wanted. With `row_id` each has its household's id.

    The file is there when all of them are: after a failure what was there before stays. Raises OSError.
    """
    if path is None:
        yield None
        return
    with _beside(path) as unfinished:
        if path.suffix == ".parquet":
            with pq.ParquetWriter(unfinished, schema_of(row_id)) as writer:
                yield lambda losers: writer.write_table(table_of(losers, row_id))
        else:
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                lines = csv.writer(file)
                lines.writerow(csv_head(row_id))
                yield lambda losers: lines.writerows(csv_line(loser, row_id) for loser in losers)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A new file in the same folder, for its owner alone, which takes the path when all went well."""
    with tempfile.NamedTemporaryFile(prefix=f".{path.name}.", dir=path.parent, delete=False) as made:
        unfinished = Path(made.name)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def csv_of(losers: Sequence[Loser]) -> bytes:
    """Losers as a CSV file, without names of households."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(csv_head())
    lines.writerows(csv_line(loser) for loser in losers)
    return written.getvalue().encode()


def csv_head(row_id: str | None = None) -> tuple[str, ...]:
    """The names of the columns of a CSV file."""
    names = tuple(name.removesuffix("_fen") for name in NAMES if name != "id")
    return (names[0], row_id, *names[1:]) if row_id else names


def csv_line(loser: Loser, row_id: str | None = None) -> tuple[Any, ...]:
    """A loser as a line of a CSV file."""
    words = (loser.programme, loser.member, loser.outcome_before, loser.outcome_after)
    amounts = (yuan_of(loser.before_fen), yuan_of(loser.after_fen))
    return (loser.row, *((_harmless(loser.id),) if row_id else ()), *words, *amounts)


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def schema_of(row_id: str | None) -> pa.Schema:
    """The columns of a Parquet file."""
    named = [(name, _ARROW.get(name, pa.string())) for name in NAMES if name != "id" or row_id]
    return pa.schema([(row_id if name == "id" and row_id else name, kind) for name, kind in named])


def table_of(losers: Sequence[Loser], row_id: str | None) -> pa.Table:
    """Losers as a table."""
    columns = dict(zip(NAMES, zip(*map(astuple, losers), strict=True), strict=True))
    if not row_id:
        del columns["id"]
    schema = schema_of(row_id)
    arrays = [pa.array(values, kind) for values, kind in zip(columns.values(), schema.types, strict=True)]
    return pa.table(arrays, schema=schema)
