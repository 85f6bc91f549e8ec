"""Writes requests, one a line, as a population file that `doudi screen` reads."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from services.eligibility.domain.facts import SCHEMA, read_facts
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy.columns.table import rows_to_table
from services.shared.vocabulary.invalid_body import BodyError, InvalidBody

LINES_AT_A_TIME = 4_096
ID = "id"
"""The column with the number of the line, counted from 1."""

Line = tuple[int, DeterminationRequest | InvalidBody]


@dataclass(frozen=True, slots=True)
class WrongLine:
    """A line that is no household, and why; of what stands on it nothing is repeated."""

    number: int
    errors: tuple[BodyError, ...]


OVERRIDDEN = BodyError(
    "/parameters",
    "parameters_in_a_population",
    "人口文件中的户不能自带标准；去掉 parameters",
    "a household of a population has no figures of its own: leave out parameters",
)

ELSEWHERE = BodyError(
    "/events",
    "event_elsewhere",
    "人口文件按户所在地认定；发生在外地的急难要由当地认定，请去掉，或者单独认定这一户",
    "a population is decided where its households live; an emergency elsewhere is decided there: leave it out, or "
    "determine this household by itself",
)


def write_population(lines: Iterable[Line], file: Path) -> Iterator[WrongLine]:
    """Write the households of the lines in their order, the line's number as `id`; yields each wrong line.

    The file appears when all of it is written. Dates and programmes asked for are not kept: screening has its own.
    """
    beside = file.with_name(f".{file.name}.beside")
    try:
        schema = _table(()).schema
        with pq.ParquetWriter(beside, schema) as writer:
            for some in _some_at_a_time(lines):
                good = [
                    (number, each)
                    for number, each in some
                    if isinstance(each, DeterminationRequest) and not _errors_of(each)
                ]
                if good:
                    writer.write_table(_table(good).cast(schema))
                yield from (WrongLine(number, errors) for number, each in some if (errors := _errors_of(each)))
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _errors_of(request: DeterminationRequest | InvalidBody) -> tuple[BodyError, ...]:
    if isinstance(request, InvalidBody):
        return request.errors
    elsewhere = any(event.get("region", request.region) != request.region for event in request.events or ())
    return (*((OVERRIDDEN,) if request.parameters else ()), *((ELSEWHERE,) if elsewhere else ()))


def _some_at_a_time(lines: Iterable[Line]) -> Iterator[list[Line]]:
    rest = iter(lines)
    while some := list(islice(rest, LINES_AT_A_TIME)):
        yield some


def _table(lines: Iterable[tuple[int, DeterminationRequest]]) -> pa.Table:
    told = list(lines)
    # What packs presume is theirs to fill in, at the date of the screening, which asks for every programme.
    rows = [read_facts(replace(request, programmes=None)) for _, request in told]
    table = rows_to_table(SCHEMA, rows, [request.region for _, request in told])
    return table.add_column(0, ID, pa.array([number for number, _ in told], pa.int64()))
