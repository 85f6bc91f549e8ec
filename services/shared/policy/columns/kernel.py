"""Runs the printed passes over the facts of many households, some at a time so that all stays in the cache."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from services.shared.policy.columns.compiling import Compiled
from services.shared.policy.columns.decisions import Column, Decisions, Statuses
from services.shared.policy.columns.facts_layout import FactsLayout, layout_of
from services.shared.policy.columns.kernel_printing import ArrayOf, Printed, printed_kernel
from services.shared.policy.columns.lowering import Lowering
from services.shared.policy.columns.passes import Plan, operands, plan_of
from services.shared.policy.columns.place_values import place_table
from services.shared.policy.columns.places import Places
from services.shared.policy.evaluation import PreparedPolicy
from services.shared.policy.schema import Schema

HOUSEHOLDS_AT_A_TIME = 1_024
"""What is kept of them between passes fits into the second cache."""

KNOWN, OPEN = 0, 1
"""How a household is computed: exactly, or by all that its unknown facts could be."""

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Facts:
    """Households in memory as the layout has them.

    `facts` holds for each entity and width an array a fact; `begins` for each entity but the root where the rows
    of each parent begin; `mode` says of each household whether it is KNOWN or OPEN; `untold` marks the rows that
    stand for those of a list that nobody told (only in households that are OPEN).
    """

    facts: Mapping[tuple[str, int], Sequence[Array]]
    begins: Mapping[str, Array]
    untold: Mapping[str, Array]
    place: Array
    mode: Array

    @property
    def households(self) -> int:
        """How many there are."""
        return len(self.mode)


@dataclass(frozen=True)
class Results:
    """For each entity, a table of words' numbers and one of numbers, a row a column of the result."""

    words: Mapping[str, Array]
    amounts: Mapping[str, Array]


@dataclass(frozen=True)
class Form:
    """The rules for one kind of household: with facts that may be open, or without."""

    plan: Plan
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Program:
    """The rules of many places, printed: what to read, what comes out, and the two forms."""

    places: Places
    layout: FactsLayout
    forms: tuple[Form, Form]

    @property
    def schema(self) -> Schema:
        """The facts."""
        return self.places.schema

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the result; their operations are those of the form for what is known."""
        return self.forms[KNOWN].columns

    def printed(self, form: int) -> Printed:
        """The text of one form, and the arrays it takes."""
        outputs: dict[tuple[str, int], list[ArrayOf]] = {}
        for column, (table, row) in zip(self.forms[form].columns, self.cells, strict=True):
            outputs.setdefault((column.entity, column.number), []).append((table, column.entity, row))
        return printed_kernel(self.forms[form].plan, self.layout, outputs, form)

    @property
    def cells(self) -> tuple[tuple[str, int], ...]:
        """For each column of the result, the table (`words` or `amounts`) and the row in it."""
        counts: dict[tuple[str, str], int] = {}
        found = []
        for column in self.columns:
            of = column.entity, "words" if column.words else "amounts"
            found.append((of[1], counts.get(of, 0)))
            counts[of] = counts.get(of, 0) + 1
        return tuple(found)

    def result_rows(self, entity: str, table: str) -> int:
        """How many columns of the result stand in an entity's table."""
        return sum(
            column.entity == entity and cell[0] == table for column, cell in zip(self.columns, self.cells, strict=True)
        )


def program_of(
    policies: Sequence[PreparedPolicy],
    statuses: Statuses | None = None,
    observed: Sequence[str] = (),
    *,
    only_observed: bool = False,
) -> Program:
    """The rules of these policies, a place each, with a column for each rule of `observed`, or those alone.

    Raises NotInOneKernel where they cannot be computed together.
    """
    places = Places(tuple(policies))
    forms = []
    for open_facts in (False, True):
        lowering = Lowering(places, open_facts=open_facts)
        columns = tuple(Decisions(lowering, statuses, observed, only_observed=only_observed).columns)
        forms.append(Form(plan_of(lowering.graph, [column.number for column in columns]), columns))
    return Program(places, layout_of(places.schema, (_read(form.plan) for form in forms)), (forms[0], forms[1]))


def _read(plan: Plan) -> tuple[Any, list[int]]:
    operations = [number for part in plan.passes for number in part.all]
    return plan.graph, [operand for number in operations for operand in operands(plan.graph, number)]


class Kernel:
    """A program compiled, under the figures of its places or others in their stead."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self._printed = tuple(program.printed(form) for form in (KNOWN, OPEN))
        self._compiled = tuple(Compiled(printed.text, folder) for printed in self._printed)
        self._figures = self._figures_of(program.places.policies)

    def with_policies(self, policies: Sequence[PreparedPolicy]) -> "Kernel":
        """The same under other figures of the same places: nothing is compiled anew.

        Raises NotInOneKernel for other rules, and where a figure is missing that was in force in every place.
        """
        self.program.places.check_figures(policies)
        other = object.__new__(Kernel)
        other.program, other._printed, other._compiled = self.program, self._printed, self._compiled
        other._figures = other._figures_of(policies)
        return other

    def _figures_of(self, policies: Sequence[PreparedPolicy]) -> list[Array]:
        return [place_table(form.plan, self.program.places, policies) for form in self.program.forms]

    def run(self, facts: Facts) -> Results:
        """The result of every household. Other threads run meanwhile."""
        counts = _row_counts(self.program.schema, facts)
        words, amounts = self._empty(counts, "words", np.int16), self._empty(counts, "amounts", np.int64)
        groups, bounds = _bounds(self.program.schema, facts)
        for form in (KNOWN, OPEN):
            if (facts.mode == form).any():
                arrays = _Arrays(self.program.schema, facts, counts, words, amounts, self._kept(form, bounds))
                self._run(form, arrays, groups, bounds)
        return Results(words, amounts)

    def _run(self, form: int, arrays: "_Arrays", groups: int, bounds: Array) -> None:
        figures = self._figures[form]
        taken = [figures if name == ("figures",) else arrays.of(*name) for name in self._printed[form].arrays]
        addresses = np.array([array.ctypes.data for array in taken], np.uint64)
        self._compiled[form].run(groups, bounds.ctypes.data, addresses.ctypes.data)

    def _empty(self, counts: Mapping[str, int], table: str, kind: type) -> dict[str, Array]:
        return {
            entity: np.empty((rows, count), kind)
            for entity, count in counts.items()
            if (rows := self.program.result_rows(entity, table))
        }

    def _kept(self, form: int, bounds: Array) -> dict[ArrayOf, Array]:
        """Room for what is kept between the passes over one group of households."""
        plan, found = self.program.forms[form].plan, dict[ArrayOf, Array]()
        for entity, starts in zip(self.program.layout.entities, bounds, strict=True):
            rows = int(np.diff(starts).max(initial=0))
            found["truths", entity] = np.empty(rows * plan.kept_in(entity, truths=True), np.int8)
            found["numbers", entity] = np.empty(rows * plan.kept_in(entity, truths=False), np.int64)
        return found


def _bounds(schema: Schema, facts: Facts) -> tuple[int, Array]:
    """How many groups of households there are; for each entity where its rows begin in each, and the end."""
    starts = np.array([*range(0, facts.households, HOUSEHOLDS_AT_A_TIME), facts.households], np.int64)
    found = {schema.root.name: starts}
    for entity in schema.entities[1:]:
        assert entity.parent is not None
        found[entity.name] = facts.begins[entity.name][found[entity.parent]]
    return len(starts) - 1, np.array([found[entity.name] for entity in schema.entities], np.int64)


def _row_counts(schema: Schema, facts: Facts) -> dict[str, int]:
    counts = {schema.root.name: facts.households}
    for entity in schema.entities[1:]:
        counts[entity.name] = int(facts.begins[entity.name][-1])
    return counts


@dataclass
class _Arrays:
    """What a printed text takes, array by array; what no pass asks for is not made."""

    schema: Schema
    facts: Facts
    counts: Mapping[str, int]
    words: Mapping[str, Array]
    amounts: Mapping[str, Array]
    kept: Mapping[ArrayOf, Array]

    def of(self, what: Any, *of: Any) -> Array:
        """One array (`ArrayOf`)."""
        if what == "fact":
            entity, width, row = of
            return self.facts.facts[entity, width][row]
        if what in ("words", "amounts"):
            entity, row = of
            table: Mapping[str, Array] = getattr(self, what)
            return table[entity][row]
        if what in ("truths", "numbers"):
            return self.kept[what, of[0]]
        if what in ("begins", "untold"):
            known: Mapping[str, Array] = getattr(self.facts, what)
            return known[of[0]]
        if what == "place":
            return self.facts.place
        return self._mode(of[0]) if what == "mode" else self._up(of[0])

    def _mode(self, entity: str) -> Array:
        parent = self.schema.by_name[entity].parent
        if parent is None:
            return self.facts.mode
        return np.repeat(self._mode(parent), np.diff(self.facts.begins[entity]))

    def _up(self, entity: str) -> Array:
        parent = self.schema.by_name[entity].parent
        assert parent is not None
        rows = np.arange(self.counts[parent] + 1, dtype=np.int64)
        # One entry more than rows: in which row of the parent the next group would begin.
        return np.repeat(rows, np.append(np.diff(self.facts.begins[entity]), 1))
