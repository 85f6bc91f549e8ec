"""Runs the printed passes over the facts of many households, some at a time so that all stays in the cache."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from services.shared.policy.columns.compiling import loaded
from services.shared.policy.columns.decisions import Column, Decisions, Statuses
from services.shared.policy.columns.facts_layout import FactsLayout, layout_of
from services.shared.policy.columns.kernel_printing import arguments_of, printed_kernel
from services.shared.policy.columns.lowering import Lowering
from services.shared.policy.columns.passes import Plan, operands, plan_of
from services.shared.policy.columns.place_values import place_table
from services.shared.policy.columns.places import Places
from services.shared.policy.evaluation import PreparedPolicy
from services.shared.policy.schema import Schema

HOUSEHOLDS_AT_A_TIME = 1_024
"""What is kept of them between passes fits into the second cache."""

KNOWN, OPEN = 0, 1
"""How a household is computed: exactly, or by all that its unknown facts could be. Others (-1) are left out."""
LEFT_OUT = -1

Array: TypeAlias = "np.ndarray[Any, Any]"


@dataclass(frozen=True)
class Facts:
    """Households in memory as the layout has them.

    `facts` holds for each entity and width a table, a row a fact; `begins` for each entity but the root where the rows
    of each parent begin; `mode` for each household whether it is KNOWN, OPEN or left out; `untold` marks the rows
    that stand for those of a list that nobody told (only in households that are OPEN).
    """

    facts: Mapping[tuple[str, int], Array]
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
    numbers: Mapping[str, Array]


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

    def source(self, form: int) -> str:
        """The printed module of one form."""
        outputs: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for column, cell in zip(self.forms[form].columns, self.cells, strict=True):
            outputs.setdefault((column.entity, column.number), []).append(cell)
        return printed_kernel(self.forms[form].plan, self.layout, outputs)

    @property
    def cells(self) -> tuple[tuple[str, int], ...]:
        """For each column of the result, the table (`ow` or `on`) and the row in it."""
        counts: dict[tuple[str, str], int] = {}
        found = []
        for column in self.columns:
            of = column.entity, "ow" if column.words else "on"
            found.append((of[1], counts.get(of, 0)))
            counts[of] = counts.get(of, 0) + 1
        return tuple(found)

    def result_rows(self, entity: str, table: str) -> int:
        """How many columns of the result stand in an entity's table."""
        return sum(
            column.entity == entity and cell[0] == table for column, cell in zip(self.columns, self.cells, strict=True)
        )


def program_of(
    policies: Sequence[PreparedPolicy], statuses: Statuses | None = None, observed: Sequence[str] = ()
) -> Program:
    """The rules of these policies, a place each, with a column for each rule of `observed`.

    Raises NotInOneKernel where they cannot be computed together.
    """
    places = Places(tuple(policies))
    forms = []
    for open_facts in (False, True):
        lowering = Lowering(places, open_facts=open_facts)
        columns = tuple(Decisions(lowering, statuses, observed).columns)
        forms.append(Form(plan_of(lowering.graph, [column.number for column in columns]), columns))
    return Program(places, layout_of(places.schema, (_read(form.plan) for form in forms)), (forms[0], forms[1]))


def _read(plan: Plan) -> tuple[Any, list[int]]:
    operations = [number for part in plan.passes for number in part.all]
    return plan.graph, [operand for number in operations for operand in operands(plan.graph, number)]


class Kernel:
    """A program compiled, under the figures of its places or others in their stead."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self._forms = tuple(_Compiled(program, form, folder) for form in (KNOWN, OPEN))
        self._tables = self._tables_of(program.places.policies)

    def with_policies(self, policies: Sequence[PreparedPolicy]) -> "Kernel":
        """The same under other figures of the same places: nothing is compiled anew."""
        other = object.__new__(Kernel)
        other.program, other._forms = self.program, self._forms
        other._tables = other._tables_of(policies)
        return other

    def _tables_of(self, policies: Sequence[PreparedPolicy]) -> list[Array]:
        return [place_table(form.plan, self.program.places, policies) for form in self.program.forms]

    def run(self, facts: Facts) -> Results:
        """The result of every household that is not left out. Other threads run meanwhile."""
        schema = self.program.schema
        counts = _row_counts(schema, facts)
        words, numbers = self._empty(counts, "ow", np.int16), self._empty(counts, "on", np.int64)
        arrays = _named(schema, facts, counts, words, numbers)
        for form in (KNOWN, OPEN):
            if (facts.mode == form).any():
                self._forms[form].run(arrays, self._tables[form], facts)
        return Results(words, numbers)

    def _empty(self, counts: Mapping[str, int], table: str, kind: type) -> dict[str, Array]:
        return {
            entity: np.zeros((rows, count), kind)
            for entity, count in counts.items()
            if (rows := self.program.result_rows(entity, table))
        }


@dataclass
class _Compiled:
    """One form's functions and the arrays that each takes."""

    program: Program
    form: int
    folder: Path
    functions: list[tuple[Callable[..., None], tuple[str, ...], str]] = field(init=False)

    def __post_init__(self) -> None:
        source = self.program.source(self.form)
        module = loaded(source, self.folder)
        heads = [line for line in source.splitlines() if line.startswith("def ")]
        self.functions = [
            (getattr(module, f"pass_{part.number}"), arguments_of(head), self._looped(part.entity))
            for part, head in zip(self.program.forms[self.form].plan.passes, heads, strict=True)
        ]

    def _looped(self, entity: str) -> str:
        """The entity whose rows are numbered from `first` to `last`: the parent's, or the root's own."""
        return self.program.schema.by_name[entity].parent or entity

    def run(self, arrays: dict[str, Array], table: Array, facts: Facts) -> None:
        bounds = self._bounds(facts)
        arrays = {**arrays, "P": table, **self._kept(bounds)}
        for number in range(len(bounds[self.program.schema.root.name]) - 1):
            for function, names, looped in self.functions:
                first, last = bounds[looped][number : number + 2]
                function(first, last, self.form, *[arrays[name] for name in names])

    def _bounds(self, facts: Facts) -> dict[str, list[int]]:
        """For each entity, where its rows begin in every group of households, and the end."""
        starts = [*range(0, facts.households, HOUSEHOLDS_AT_A_TIME), facts.households]
        bounds = {self.program.schema.root.name: np.array(starts)}
        for entity in self.program.schema.entities[1:]:
            assert entity.parent is not None
            bounds[entity.name] = facts.begins[entity.name][bounds[entity.parent]]
        return {name: [int(each) for each in found] for name, found in bounds.items()}

    def _kept(self, bounds: Mapping[str, list[int]]) -> dict[str, Array]:
        plan, found = self.program.forms[self.form].plan, {}
        for entity, starts in bounds.items():
            rows = max(np.diff(starts), default=0)
            found[f"kt_{entity}"] = np.empty((rows, plan.kept_in(entity, truths=True)), np.bool_)
            found[f"kn_{entity}"] = np.empty((rows, plan.kept_in(entity, truths=False)), np.int64)
        return found


def _row_counts(schema: Schema, facts: Facts) -> dict[str, int]:
    counts = {schema.root.name: facts.households}
    for entity in schema.entities[1:]:
        counts[entity.name] = int(facts.begins[entity.name][-1])
    return counts


def _named(
    schema: Schema, facts: Facts, counts: Mapping[str, int], words: Mapping[str, Array], numbers: Mapping[str, Array]
) -> dict[str, Array]:
    """Every array under the name that printed functions have for it."""
    arrays = {f"f{width}_{entity}": table for (entity, width), table in facts.facts.items()}
    arrays |= {f"ow_{entity}": table for entity, table in words.items()}
    arrays |= {f"on_{entity}": table for entity, table in numbers.items()}
    arrays |= {f"u_{entity}": marks for entity, marks in facts.untold.items()}
    arrays["place"] = facts.place
    modes = {schema.root.name: facts.mode}
    for entity in schema.entities[1:]:
        assert entity.parent is not None
        begins = facts.begins[entity.name]
        up = np.repeat(np.arange(counts[entity.parent], dtype=np.int64), np.diff(begins))
        modes[entity.name] = modes[entity.parent][up]
        arrays |= {f"off_{entity.name}": begins, f"up_{entity.name}": up}
    arrays |= {f"mode_{entity}": mode for entity, mode in modes.items()}
    return arrays
