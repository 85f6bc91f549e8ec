"""Prints passes as functions over arrays, for numba: numbers and names of ours alone, no text of a pack."""

from collections.abc import Iterator, Mapping, Sequence

from services.shared.policy.columns.facts_layout import FactsLayout
from services.shared.policy.columns.operations import FAR, REDUCTIONS, UNKNOWN, Number, Operation
from services.shared.policy.columns.passes import FACTS, Pass, Plan, operands, stripped
from services.shared.policy.schema import Entity

HEAD = '''"""Printed by Doudi from checked rules; made anew when they change."""

from services.shared.policy.columns.compiling import compiled, floor_div, greatest, least, pick

'''

ARRAYS = {
    "f1": "int8[:, ::1]",
    "f4": "int32[:, ::1]",
    "f8": "int64[:, ::1]",
    "u": "boolean[::1]",
    "kt": "boolean[:, ::1]",
    "kn": "int64[:, ::1]",
    "ow": "int16[:, ::1]",
    "on": "int64[:, ::1]",
    "off": "int64[::1]",
    "up": "int64[::1]",
    "mode": "int8[::1]",
    "place": "int32[::1]",
    "P": "int64[:, ::1]",
}
"""Arrays by the first part of their names: facts by width, untold rows, kept truths and numbers, words and numbers of
the result, where the rows of a parent begin, in which row of the parent a row lies, which rows to compute."""

OutputCells = Mapping[tuple[str, Number], Sequence[tuple[str, int]]]
"""For each output, by entity and operation: the array of the result, `ow` or `on`, and the row in it."""


def printed_kernel(plan: Plan, layout: FactsLayout, outputs: OutputCells) -> str:
    """A module with a function `pass_N(first, last, mode, ...)` for each pass, over parent rows first..last."""
    return HEAD + "\n\n".join(_PassPrinter(plan, part, layout, outputs).text() for part in plan.passes)


def arguments_of(source_line: str) -> tuple[str, ...]:
    """The arrays that a printed function takes, in order, from its first line."""
    inside = source_line.partition("(")[2].rpartition(")")[0]
    return tuple(inside.split(", ")[3:])


class _PassPrinter:
    def __init__(self, plan: Plan, part: Pass, layout: FactsLayout, outputs: OutputCells) -> None:
        self._plan, self._graph, self._part, self._layout, self._outputs = plan, plan.graph, part, layout, outputs
        self._schema = plan.graph.schema
        self._entity: Entity = self._schema.by_name[part.entity]
        self._lineage = tuple(reversed(self._schema.lineage(part.entity)))
        self._arrays: set[str] = set()
        self._outer: dict[str, str] = {}
        self._inner: dict[str, str] = {}
        self._lines: list[str] = []

    def text(self) -> str:
        """The function."""
        for number in self._part.computed:
            self._lines.append(f"v{number} = {self._expression(number)}")
            self._keep(number)
        sums = [self._reduced(number) for number in self._part.reduced]
        looped = self._over_rows() if self._entity.parent is None else self._inside_parents(sums)
        body = "\n".join(f"    {line}" for line in looped)
        arrays = sorted(self._arrays)
        signature = ", ".join(["int64", "int64", "int8", *(ARRAYS[name.partition("_")[0]] for name in arrays)])
        head = f"def pass_{self._part.number}({', '.join(['first', 'last', 'mode', *arrays])}):"
        return f'@compiled("void({signature})")\n{head}\n{body}\n'

    # --- loops -----------------------------------------------------------------------------------------------------

    def _over_rows(self) -> Iterator[str]:
        root = self._entity.name
        yield f"for {root} in range(first, last):"
        yield f"    if {self._array(f'mode_{root}')}[{root}] == mode:"
        for line in (*self._place_line(), *self._loads(self._outer), *self._loads(self._inner), *self._lines):
            yield f"        {line}"

    def _inside_parents(self, sums: Sequence[tuple[str, str, str]]) -> Iterator[str]:
        own, parent = self._entity.name, self._entity.parent
        offsets = self._array(f"off_{own}")
        yield f"base_{own} = {offsets}[first]"
        yield f"for {parent} in range(first, last):"
        yield f"    if {self._array(f'mode_{parent}')}[{parent}] == mode:"
        for line in (*self._ancestors(), *self._place_line(), *self._loads(self._outer)):
            yield f"        {line}"
        for start, _, _ in sums:
            yield f"        {start}"
        yield f"        for {own} in range({offsets}[{parent}], {offsets}[{parent} + 1]):"
        for line in (*self._loads(self._inner), *self._lines, *(step for _, step, _ in sums)):
            yield f"            {line}"
        for _, _, end in sums:
            yield f"        {end}"

    def _ancestors(self) -> Iterator[str]:
        for below, above in zip(self._lineage[1:], self._lineage[2:], strict=False):
            yield f"{above} = {self._array(f'up_{below}')}[{below}]"

    def _place_line(self) -> Iterator[str]:
        if "P" in self._arrays:
            yield f"at = {self._array('place')}[{self._lineage[-1]}]"

    @staticmethod
    def _loads(loads: Mapping[str, str]) -> Iterator[str]:
        for name, value in loads.items():
            yield f"{name} = {value}"

    # --- values ----------------------------------------------------------------------------------------------------

    def _expression(self, number: Number) -> str:
        operation = self._graph[number]
        return _SPELLINGS[operation.name].format(*map(self._value, operation.of))

    def _value(self, number: Number) -> str:
        operation = self._graph[number]
        if operation.name == "not":
            return f"(not {self._value(operation.of[0])})"
        if operation.name == "const":
            return str(bool(operation.written[0])) if operation.is_truth else str(operation.written[0])
        if number in self._part.computed:
            return f"v{number}"
        name = f"v{number}"
        if operation.entity == self._entity.name:
            self._inner.setdefault(name, self._load(number, operation))
        elif name not in self._outer:
            self._outer[name] = self._load(number, operation)
        return name

    def _load(self, number: Number, operation: Operation) -> str:
        if not operation.entity:
            cell = f"{self._array('P')}[at, {self._plan.of_places.index(number)}]"
            self._array("place")
            return f"({cell} != 0)" if operation.is_truth else cell
        if operation.name in FACTS:
            return self._fact(operation)
        return self._kept_cell(number, operation.entity)

    def _kept_row(self, entity: str) -> str:
        """A row of what is kept: these arrays begin with the first row that the pass is for."""
        if entity == self._entity.name and self._entity.parent is not None:
            return f"{entity} - base_{entity}"
        if entity in (self._entity.name, self._entity.parent):
            return f"{entity} - first"
        below = self._lineage[self._lineage.index(entity) - 1]
        first = "first"
        for each in self._lineage[1 : self._lineage.index(below) + 1]:
            first = f"{self._array(f'up_{each}')}[{first}]"
        return f"{entity} - {first}"

    def _fact(self, operation: Operation) -> str:
        entity = operation.entity
        if operation.name == "is_untold":
            return f"{self._array(f'u_{entity}')}[{entity}]"
        cell = self._layout.cells[entity, int(operation.written[1])]
        value = f"{self._array(f'f{cell.width}_{entity}')}[{cell.row}, {entity}]"
        if operation.name == "fact_is":
            asked = operation.written[2]
            return f"({value} == {cell.unknown if asked == UNKNOWN else asked})"
        return f"(1 << {value})" if operation.name == "fact_code" else value

    def _array(self, name: str) -> str:
        self._arrays.add(name)
        return name

    # --- what remains ----------------------------------------------------------------------------------------------

    def _keep(self, number: Number) -> None:
        entity = self._entity.name
        if number in self._plan.kept:
            self._lines.append(f"{self._kept_cell(number, entity)} = v{number}")
        for array, row in self._outputs.get((entity, number), ()):
            self._lines.append(f"{self._array(f'{array}_{entity}')}[{row}, {entity}] = v{number}")

    def _kept_cell(self, number: Number, entity: str) -> str:
        kind = "kt" if self._graph[number].is_truth else "kn"
        return f"{self._array(f'{kind}_{entity}')}[{self._kept_row(entity)}, {self._plan.kept[number]}]"

    def _reduced(self, number: Number) -> tuple[str, str, str]:
        """How a reduction begins, goes on a row, and is kept for the parent."""
        operation, parent = self._graph[number], self._entity.parent
        assert operation.name in REDUCTIONS and parent is not None
        value, name = self._value(operation.of[0]), f"v{number}"
        steps = {
            "sum": f"{name} += {value}",
            "any": f"{name} |= {value}",
            "min": f"{name} = least({name}, {value})",
            "max": f"{name} = greatest({name}, {value})",
        }
        ends = [f"{self._kept_cell(number, parent)} = {name}"] if number in self._plan.kept else []
        for array, row in self._outputs.get((parent, number), ()):
            ends.append(f"{self._array(f'{array}_{parent}')}[{row}, {parent}] = {name}")
        return f"{name} = {_STARTS[operation.name]}", steps[operation.name], "; ".join(ends)


_STARTS = {"sum": "0", "any": "False", "min": str(FAR), "max": str(-FAR)}

_SPELLINGS = {
    "same": "{0}",
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "floor_div({0}, {1})",
    "least": "least({0}, {1})",
    "greatest": "greatest({0}, {1})",
    "bits": "{0} & {1}",
    "either": "{0} | {1}",
    "pick": "pick({0}, {1}, {2})",
    "lt": "{0} < {1}",
    "eq": "{0} == {1}",
    "and": "{0} & {1}",
    "or": "{0} | {1}",
}

__all__ = ["ARRAYS", "OutputCells", "arguments_of", "operands", "printed_kernel", "stripped"]
