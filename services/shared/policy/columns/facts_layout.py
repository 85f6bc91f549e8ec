"""How the facts that rules read lie in memory: for each entity a few tables of whole numbers, a row a fact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.shared.policy.columns.operations import Graph, Number
from services.shared.policy.schema import BOOL, DATE, Fact, Schema

UNKNOWN_OF = {1: -(2**7), 4: -(2**31), 8: -(2**63)}
"""The number that stands for what nobody told, by the width in bytes: the least that fits."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a fact lies: in the table of its width, in which row of it."""

    width: int
    row: int

    @property
    def unknown(self) -> int:
        """The number that stands for what nobody told."""
        return UNKNOWN_OF[self.width]


@dataclass(frozen=True)
class FactsLayout:
    """The cells of the facts that are read, by entity and the fact's position."""

    schema: Schema
    cells: Mapping[tuple[str, int], Cell]

    def rows(self, entity: str, width: int) -> int:
        """How many facts the entity's table of a width holds."""
        return sum(of == entity and cell.width == width for (of, _), cell in self.cells.items())

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities, parents before children."""
        return tuple(entity.name for entity in self.schema.entities)


def layout_of(schema: Schema, graphs: Iterable[tuple[Graph, Iterable[Number]]]) -> FactsLayout:
    """The layout of all facts that these operations read."""
    read = {
        (str(op.written[0]), int(op.written[1]))
        for graph, numbers in graphs
        for op in (graph[number] for number in numbers)
        if op.name.startswith("fact")
    }
    counts: dict[tuple[str, int], int] = {}
    cells = {}
    for entity, position in sorted(read):
        width = width_of(schema.by_name[entity].facts[position])
        cells[entity, position] = Cell(width, counts.get((entity, width), 0))
        counts[entity, width] = cells[entity, position].row + 1
    return FactsLayout(schema, cells)


def width_of(fact: Fact) -> int:
    """The bytes that a fact takes."""
    if fact.kind == BOOL or fact.kind.codes or fact.most < 2**7:
        return 1
    return 4 if fact.kind == DATE or fact.most < 2**31 else 8
