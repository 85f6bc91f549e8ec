"""In which order operations are computed: passes over the rows of one entity, each in one loop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.shared.policy.columns.operations import REDUCTIONS, Graph, Number

MOST_OPERATIONS = 400
"""Operations of one pass: a longer loop takes a compiler more than twice as long."""

FACTS = frozenset({"fact", "fact_is", "fact_code", "is_untold"})
"""What is read from the facts' own columns wherever it is needed."""


@dataclass(slots=True)
class Pass:
    """One loop over the rows of an entity, inside a loop over those of its parent: what it computes, in order."""

    number: int
    entity: str
    computed: list[Number] = field(default_factory=list)
    reduced: list[Number] = field(default_factory=list)

    @property
    def all(self) -> Sequence[Number]:
        """Everything that it computes."""
        return (*self.computed, *self.reduced)


@dataclass(frozen=True)
class Plan:
    """The passes in order; where each value is kept for later ones, as (entity, column); what places are asked for."""

    graph: Graph
    passes: tuple[Pass, ...]
    kept: dict[Number, int]
    of_places: tuple[Number, ...]

    def kept_in(self, entity: str, *, truths: bool) -> int:
        """How many columns of truth values, or of numbers, are kept for an entity."""
        mine = (op for op in self.kept if self.graph[op].entity == entity)
        return sum(self.graph[op].is_truth == truths for op in mine)


def plan_of(graph: Graph, outputs: Sequence[Number]) -> Plan:
    """The passes that compute the outputs."""
    return _Planner(graph, outputs).plan()


def operands(graph: Graph, number: Number) -> Iterator[Number]:
    """What an operation is computed from; a denial is part of whatever uses it."""
    for part in graph[number].of:
        yield stripped(graph, part)


def stripped(graph: Graph, number: Number) -> Number:
    """The operation without a denial around it."""
    return graph[number].of[0] if graph[number].name == "not" else number


class _Planner:
    def __init__(self, graph: Graph, outputs: Sequence[Number]) -> None:
        self._graph = graph
        self._outputs = tuple(stripped(graph, each) for each in outputs)
        self._needed = sorted(self._reachable())
        # Parents have their round before their children, and so have operands before what uses them.
        self._rounds: dict[Number, int] = {}
        self._runs_in: dict[Number, str] = {}
        for number in self._needed:
            self._place(number)

    def plan(self) -> Plan:
        """Passes by round, in each the rows that lie deepest first."""
        depth = {entity.name: len(self._graph.schema.lineage(entity.name)) for entity in self._graph.schema.entities}
        places = sorted(
            {(self._rounds[each], self._runs_in[each]) for each in self._rounds},
            key=lambda place: (place[0], -depth[place[1]], place[1]),
        )
        passes: list[Pass] = []
        for turn, entity in places:
            mine = [each for each in self._rounds if (self._rounds[each], self._runs_in[each]) == (turn, entity)]
            for start in range(0, len(mine), MOST_OPERATIONS):
                part = Pass(len(passes), entity)
                for each in mine[start : start + MOST_OPERATIONS]:
                    reduces = self._graph[each].name in REDUCTIONS
                    (part.reduced if reduces else part.computed).append(each)
                passes.append(part)
        return Plan(self._graph, tuple(passes), self._kept(passes), self._of_places())

    def _reachable(self) -> set[Number]:
        found: set[Number] = set()
        pending = list(self._outputs)
        while pending:
            number = pending.pop()
            if number not in found:
                found.add(number)
                pending.extend(operands(self._graph, number))
        return found

    def _place(self, number: Number) -> None:
        operation = self._graph[number]
        if not operation.entity or operation.name in FACTS:
            return
        entity = str(operation.written[0]) if operation.name in REDUCTIONS else operation.entity
        turn = 0
        for part in operands(self._graph, number):
            if part in self._rounds:
                is_own = self._graph[part].entity == entity
                turn = max(turn, self._rounds[part] if is_own else self._rounds[part] + 1)
        self._rounds[number], self._runs_in[number] = turn, entity

    def _kept(self, passes: Sequence[Pass]) -> dict[Number, int]:
        home = {number: part for part in passes for number in part.all}
        used_elsewhere = {
            operand
            for number, part in home.items()
            for operand in operands(self._graph, number)
            if operand in home and (home[operand] is not part or self._graph[operand].name in REDUCTIONS)
        }
        counts: dict[tuple[str, bool], int] = {}
        kept: dict[Number, int] = {}
        for number in sorted(used_elsewhere):
            of = self._graph[number].entity, self._graph[number].is_truth
            kept[number] = counts.get(of, 0)
            counts[of] = kept[number] + 1
        return kept

    def _of_places(self) -> tuple[Number, ...]:
        """What is the same for all rows of a place and stands in operations on rows."""
        return tuple(
            dict.fromkeys(
                operand
                for number in self._rounds
                for operand in operands(self._graph, number)
                if not self._graph[operand].entity and self._graph[operand].name != "const"
            )
        )
