"""A policy for a whole population: tables of households in, tables of outcomes and amounts out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from services.shared.policy.columns.decisions import NOTHING, Column, Statuses
from services.shared.policy.columns.kernel import OPEN, Array, Facts, Kernel, Program, Results, program_of
from services.shared.policy.columns.reading import Given, PlaceOf, Reader, Rejected
from services.shared.policy.columns.sql_printing import printed_sql
from services.shared.policy.evaluation import PreparedPolicy
from services.shared.policy.schema import Entity

ROW = "row"
"""The column of results and rejects that says which row of the block it was."""


@dataclass(frozen=True)
class PopulationPolicy:
    """The rules of many places on one date, compiled, under figures that may be replaced.

    Sharing one between threads is safe: nothing of it changes, and `run` lets other threads run.
    """

    kernel: Kernel = field(repr=False)
    reader: Reader = field(repr=False)
    place_of: PlaceOf
    policies: tuple[PreparedPolicy, ...] = field(repr=False)

    @staticmethod
    def of(
        policies: Sequence[PreparedPolicy],
        place_of: PlaceOf,
        folder: Path,
        *,
        statuses: Statuses | None = None,
        observed: Sequence[str] = (),
        only_observed: bool = False,
        given: Given | None = None,
        whole: frozenset[str] = frozenset(),
        unknown: frozenset[str] = frozenset(),
    ) -> "PopulationPolicy":
        """The policy of these places, `place_of` a region being its number among them.

        `folder` keeps what was compiled; a column is added for each rule of `observed`, or these are all;
        `given`, `whole` and `unknown` are those of `Reader`. Raises NotInOneKernel where the places' rules cannot be
        computed together.
        """
        program = program_of(policies, statuses, observed, only_observed=only_observed)
        looped = frozenset(part.entity for form in program.forms for part in form.plan.passes)
        reader = Reader(program.layout, program.places.codes, looped, given or {}, whole, unknown)
        return PopulationPolicy(Kernel(program, folder), reader, place_of, tuple(policies))

    def with_parameters(self, overrides: Mapping[str, Any]) -> "PopulationPolicy":
        """The same with figures replaced in every place, in their parameters' units; nothing is compiled anew."""
        policies = tuple(policy.with_parameters(overrides) for policy in self.policies)
        return replace(self, kernel=self.kernel.with_policies(policies), policies=policies)

    @property
    def program(self) -> Program:
        """What was compiled."""
        return self.kernel.program

    @property
    def columns_needed(self) -> tuple[str, ...]:
        """The columns that a table must have, those in structs by the way to them, as members.supporters.relation."""
        return self.reader.columns_needed

    def check(self, schema: pa.Schema) -> None:
        """Raises UnfitTable for a table that lacks a column or has one of another type."""
        self.reader.check(schema)

    def run(self, block: pa.Table | pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """The results and the rejects of a block, each with the `row` of the block that it is of.

        Results have for each programme its outcome, amount in fen and exclusions, for members in `members`, and the
        totals and category. Raises UnfitTable as `check` does.
        """
        table = pa.Table.from_batches([block]) if isinstance(block, pa.RecordBatch) else block
        self.check(table.schema)
        facts, rejected = self.reader.read_all(table, self.place_of)
        found = self.to_arrow(self.kernel.run(facts), facts, np.arange(table.num_rows))
        if len(rejected.rows):
            found = found.take(pa.array(rejected.others(table.num_rows)))
        return found, _rejects(rejected)

    def sql(self) -> tuple[str, ...]:
        """The same rules as DuckDB SQL, over the tables that `printed_sql` says; every fact may be null."""
        form = self.program.forms[OPEN]
        return printed_sql(form.plan, self.program.layout, form.columns)

    @cached_property
    def result_schema(self) -> pa.Schema:
        """The schema of what `run` returns as results."""
        schema = self.program.schema
        empty = {entity.name: np.zeros(1, np.int64) for entity in schema.entities[1:]}
        facts = Facts({}, empty, {}, np.zeros(0, np.int32), np.zeros(0, np.int8))
        words = {entity.name: np.zeros((len(self.program.columns), 0), np.int16) for entity in schema.entities}
        numbers = {entity.name: np.zeros((len(self.program.columns), 0), np.int64) for entity in schema.entities}
        return self.to_arrow(Results(words, numbers), facts, np.zeros(0, np.int64)).schema

    def to_arrow(self, results: Results, facts: Facts, rows: Array) -> pa.RecordBatch:
        """What the kernel found of households, each with its `row` of the block, as `run` returns it."""
        schema, found = self.program.schema, {ROW: pa.array(rows)}
        for entity in schema.entities:
            columns = self.columns_of(entity, results)
            if entity.parent is None:
                found |= columns
            elif columns:
                assert entity.parent == schema.root.name, "only households and those in them have results"
                structs = pa.StructArray.from_arrays(list(columns.values()), names=list(columns))
                begins = pa.array(facts.begins[entity.name].astype(np.int32))
                found[entity.plural] = pa.ListArray.from_arrays(begins, structs)
        return pa.RecordBatch.from_pydict(found)

    def columns_of(self, entity: Entity, results: Results) -> dict[str, pa.Array]:
        """The columns of the result of an entity, the rows in the order of the facts."""
        program = self.program
        return {
            column.name: _array(column, (results.words if column.words else results.amounts)[entity.name][cell[1]])
            for column, cell in zip(program.columns, program.cells, strict=True)
            if column.entity == entity.name
        }


def _array(column: Column, values: Array) -> pa.Array:
    if not column.words:
        nothing = values == NOTHING
        return pa.array(values, mask=nothing) if nothing.any() else pa.array(values)
    words = [word for word in dict.fromkeys(column.words) if word is not None]
    number = np.array([-1 if word is None else words.index(word) for word in column.words], np.int16)
    at = number[values].astype("int8" if len(words) < 2**7 else "int16")
    nothing = at < 0
    indices = pa.array(at, mask=nothing) if nothing.any() else pa.array(at)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))


def _rejects(rejected: Rejected) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            ROW: pa.array(rejected.rows, pa.int64()),
            "column": pa.array(rejected.columns, pa.string()),
            "reason": pa.array(rejected.reasons, pa.string()),
        }
    )
