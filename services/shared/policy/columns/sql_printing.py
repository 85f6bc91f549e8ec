"""Prints passes as DuckDB SQL, a statement a pass: a second opinion, in integers that raise where they overflow."""

from collections.abc import Iterator, Sequence

from services.shared.policy.columns.decisions import NOTHING, Column
from services.shared.policy.columns.facts_layout import FactsLayout
from services.shared.policy.columns.operations import FAR, REDUCTIONS, UNKNOWN, Graph, Number, Operation
from services.shared.policy.columns.passes import FACTS, Pass, Plan, operands

FIGURES = "place"
"""The table with what places are asked for: a row a place, its number in `at`."""


def printed_sql(plan: Plan, layout: FactsLayout, columns: Sequence[Column]) -> tuple[str, ...]:
    """Statements that make a table `<entity>_result` for each entity with results, from `<entity>` and `place`.

    A table of facts has `row`, counted from 0, `up` (the row of the parent it lies in; of a household the number of its
    place), `untold`, and a column a fact: null where nobody told it, a code or date as its number.
    """
    return tuple(_Printer(plan, layout, columns).statements())


class _Printer:
    def __init__(self, plan: Plan, layout: FactsLayout, columns: Sequence[Column]) -> None:
        self._plan, self._graph, self._layout, self._columns = plan, plan.graph, layout, columns
        self._schema = plan.graph.schema
        kept = {*plan.kept, *(column.number for column in columns)}
        self._kept = {number: self._graph[number].entity for number in sorted(kept)}
        # The table that holds all that is known of an entity so far, and the values in it.
        self._table = {entity.name: entity.name for entity in self._schema.entities}
        self._values: dict[str, list[Number]] = {entity.name: [] for entity in self._schema.entities}
        self._own = ""

    def statements(self) -> Iterator[str]:
        """Pass after pass, then the results."""
        for part in self._plan.passes:
            yield from self._pass(part)
        for entity in self._schema.entities:
            mine = [column for column in self._columns if column.entity == entity.name]
            if mine:
                shown = ", ".join(["row", "up", *map(_shown, mine)])
                yield _made(f"{entity.name}_result", f"SELECT {shown} FROM {self._table[entity.name]} ORDER BY row")

    def _pass(self, part: Pass) -> Iterator[str]:
        self._own = part.entity
        query = _PassQuery(self._graph, self._schema.lineage(part.entity), part)
        needed = [operand for number in part.all for operand in operands(self._graph, number)]
        for operand in dict.fromkeys(needed):
            if operand not in query.levels and self._graph[operand].name != "const":
                query.leaves.append(f"{self._leaf(operand)} AS v{operand}")
        new = [number for number in part.computed if number in self._kept]
        old = [*self._facts(part.entity), *(f"v{number}" for number in self._values[part.entity])]
        reduced = [f"{self._over_rows(number)} AS v{number}" for number in part.reduced]
        name = f"{part.entity}_{part.number}"
        carried = ", ".join([f"own.{column} AS {column}" for column in old])
        source = self._joined(part.entity)
        told = ", ".join([*old, *(f"v{number}" for number in new)])
        if new or not reduced:
            yield _made(name, query.text(carried, source, told))
            self._table[part.entity] = name
            self._values[part.entity] += new
        if reduced:
            totals, parent = f"{name}_up", self._schema.by_name[part.entity].parent
            assert parent is not None
            yield _made(totals, query.text("own.up AS up", source, f"up, {', '.join(reduced)}") + " GROUP BY up")
            yield self._with_totals(parent, totals, part)

    def _with_totals(self, parent: str, totals: str, part: Pass) -> str:
        """The parent's table with what was gathered for each row."""
        starts = {number: _STARTS[self._graph[number].name] for number in part.reduced}
        gathered = ", ".join(f"coalesce(total.v{number}, {start}) AS v{number}" for number, start in starts.items())
        source = f"{self._table[parent]} AS own LEFT JOIN {totals} AS total ON total.up = own.row"
        self._table[parent] = f"{parent}_{part.number}"
        self._values[parent] += part.reduced
        return _made(self._table[parent], f"SELECT own.*, {gathered} FROM {source}")

    def _facts(self, entity: str) -> list[str]:
        facts = self._schema.by_name[entity].facts
        read = [facts[position].name for of, position in self._layout.cells if of == entity]
        return ["row", "up", "untold", *map(_quoted, read)]

    def _joined(self, entity: str) -> str:
        """The rows of the entity beside those they lie in, and the figures of the place."""
        own, *above = reversed(self._schema.lineage(entity))
        source, below = f"{self._table[own]} AS own", "own"
        for name in above:
            source += f" JOIN {self._table[name]} AS {name} ON {name}.row = {below}.up"
            below = name
        return f"{source} JOIN {FIGURES} ON {FIGURES}.at = {below}.up"

    def _leaf(self, number: Number) -> str:
        operation = self._graph[number]
        if not operation.entity:
            cell = f"{FIGURES}.v{number}"
            return f"({cell} <> 0)" if operation.is_truth else cell
        if operation.name in FACTS:
            return self._fact(operation)
        return f"{self._alias(operation.entity)}.v{number}"

    def _alias(self, entity: str) -> str:
        return "own" if entity == self._own else entity

    def _fact(self, operation: Operation) -> str:
        entity = operation.entity
        if operation.name == "is_untold":
            return f"{self._alias(entity)}.untold"
        fact = self._schema.by_name[entity].facts[int(operation.written[1])]
        value = f"{self._alias(entity)}.{_quoted(fact.name)}"
        if operation.name == "fact_is":
            asked = operation.written[2]
            return f"({value} IS NULL)" if asked == UNKNOWN else f"coalesce({value} = {asked}, FALSE)"
        return f"(1::BIGINT << {value}::BIGINT)" if operation.name == "fact_code" else f"{value}::BIGINT"

    def _over_rows(self, number: Number) -> str:
        operation = self._graph[number]
        value = spelt(self._graph, operation.of[0])
        return {
            "sum": f"sum({value})::BIGINT",
            "any": f"bool_or({value})",
            "min": f"min({value})",
            "max": f"max({value})",
        }[operation.name]


class _PassQuery:
    """What a pass computes, in queries one around the other, so that each value is computed once."""

    def __init__(self, graph: Graph, lineage: Sequence[str], part: Pass) -> None:
        self._graph, self._lineage = graph, lineage
        self.leaves: list[str] = []
        self.levels: dict[Number, int] = {}
        for number in part.computed:
            self.levels[number] = 1 + max((self.levels.get(of, 0) for of in operands(graph, number)), default=0)

    def text(self, carried: str, source: str, told: str) -> str:
        """The query of `told`."""
        query = f"SELECT {', '.join([carried, *self.leaves])} FROM {source}"
        for level in range(1, max(self.levels.values(), default=0) + 1):
            new = [f"{self._computed(number)} AS v{number}" for number, at in self.levels.items() if at == level]
            query = f"SELECT *, {', '.join(new)} FROM ({query})"
        return f"SELECT {told} FROM ({query})"

    def _computed(self, number: Number) -> str:
        operation = self._graph[number]
        values = [spelt(self._graph, of) for of in operation.of]
        if operation.name == "div" and self._graph[operation.of[0]].least < 0:
            # `//` rounds toward nought.
            return "(({0} // {1}) - CASE WHEN {0} % {1} < 0 THEN 1 ELSE 0 END)".format(*values)
        return _SPELLINGS[operation.name].format(*values)


def spelt(graph: Graph, number: Number) -> str:
    """A value that stands in the query below, or a written one."""
    operation = graph[number]
    if operation.name == "not":
        return f"(NOT {spelt(graph, operation.of[0])})"
    if operation.name == "const":
        if operation.is_truth:
            return "TRUE" if operation.written[0] else "FALSE"
        return f"({operation.written[0]})::BIGINT"
    return f"v{number}"


def _shown(column: Column) -> str:
    value = f"v{column.number}"
    if not column.words:
        return f"nullif({value}, {NOTHING}) AS {_quoted(column.name)}"
    cases = " ".join(
        f"WHEN {number} THEN {_text(word)}" for number, word in enumerate(column.words) if word is not None
    )
    return f"CASE {value} {cases} END AS {_quoted(column.name)}"


def _made(name: str, query: str) -> str:
    return f"CREATE OR REPLACE TEMP TABLE {name} AS {query}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


_STARTS = {"sum": "0", "any": "FALSE", "min": str(FAR), "max": str(-FAR)}
assert set(_STARTS) == REDUCTIONS

_SPELLINGS = {
    "same": "{0}",
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} // {1})",
    "least": "least({0}, {1})",
    "greatest": "greatest({0}, {1})",
    "bits": "({0} & {1})",
    "either": "({0} | {1})",
    "pick": "CASE WHEN {0} THEN {1} ELSE {2} END",
    "lt": "({0} < {1})",
    "eq": "({0} = {1})",
    "and": "({0} AND {1})",
    "or": "({0} OR {1})",
}
