"""The households on which engines are held to the referee, as files: a population for each day that matters."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.comparison.engine import comparison_packs, parsed, rows
from benchmarks.comparison.household import Household
from benchmarks.comparison.sample import compared
from benchmarks.population.files import Files
from benchmarks.population.flat_form import flat_tables, households_of
from benchmarks.population.households import ON, population
from services.eligibility.domain.facts import SCHEMA
from services.shared.policy.columns.table import rows_to_table

Sample = Sequence[tuple[Files, Sequence[Household]]]


def write_sample(folder: Path, count: int) -> Sample:
    """Households at thresholds and random ones on every day, so many of each, and as many of a generated population."""
    packs = comparison_packs()
    found = []
    by_day = sorted(compared(count), key=lambda household: household.on)
    for on, households in ((on, list(each)) for on, each in groupby(by_day, lambda household: household.on)):
        requests = [parsed(household) for household in households]
        laid_out = [rows(packs.prepare(request.region, request.as_of), request) for request in requests]
        table = rows_to_table(SCHEMA, laid_out, [household.region for household in households])
        table = table.append_column("id", pa.array(range(len(households))))
        found.append((Files(folder / on), households))
        write_population_files(found[-1][0], [table])
    generated = Files(folder / f"{ON}-generated")
    write_generated(generated, count)
    return [*found, (generated, generated_households(generated))]


def write_generated(files: Files, count: int) -> None:
    """A generated population of so many households, in all forms."""
    write_population_files(files, population(count))


def generated_households(files: Files) -> list[Household]:
    """The households of a generated population, for the referee."""
    return list(households_of(pq.read_table(files.households), pq.read_table(files.members), files.day))


def write_population_files(files: Files, blocks: Iterable[pa.Table]) -> None:
    """The blocks in every form, a row group each."""
    files.folder.mkdir(parents=True)
    writers: list[pq.ParquetWriter] = []
    for forms in _forms(blocks, files.day):
        if not writers:
            paths = (files.nested, files.households, files.members)
            writers = [pq.ParquetWriter(path, form.schema) for path, form in zip(paths, forms, strict=True)]
        for writer, form in zip(writers, forms, strict=True):
            writer.write_table(form, row_group_size=max(form.num_rows, 1))
    for writer in writers:
        writer.close()


def _forms(blocks: Iterable[pa.Table], on: date) -> Iterator[tuple[pa.Table, pa.Table, pa.Table]]:
    for block in blocks:
        yield block, *flat_tables(block, on)
