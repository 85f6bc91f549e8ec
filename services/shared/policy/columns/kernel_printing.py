"""Prints passes as machine-independent code (LLVM's own language): numbers and names of ours, no text of a pack."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.shared.policy.columns.facts_layout import FactsLayout
from services.shared.policy.columns.operations import FAR, REDUCTIONS, UNKNOWN, Number, Operation
from services.shared.policy.columns.passes import FACTS, Pass, Plan
from services.shared.policy.schema import Entity

ArrayOf = tuple[str | int, ...]
"""What an array holds, and of which entity: ("fact", entity, width, row), ("untold", entity), ("truths", entity) and
("numbers", entity) that are kept between passes, ("words", entity, row) and ("amounts", entity, row) of the result,
("begins", entity) where the rows of each parent begin, ("up", entity) in which row of the parent a row lies,
("mode", entity), ("place",) and ("figures",)."""

OutputCells = Mapping[tuple[str, Number], Sequence[ArrayOf]]
"""For each output, by entity and operation: the columns of the result."""

FACT_TYPES = {1: "i8", 4: "i32", 8: "i64"}
HALF = 2**32


@dataclass(frozen=True)
class Printed:
    """The text, and the arrays whose addresses its function `run` takes, in order.

    `run(groups, bounds, arrays)`: `bounds` has for each entity of the schema, one after the other, where its rows
    begin in every group of households, and the end.
    """

    text: str
    arrays: tuple[ArrayOf, ...]


def printed_kernel(plan: Plan, layout: FactsLayout, outputs: OutputCells, mode: int) -> Printed:
    """The passes in order, over the households of a mode."""
    printer = _Printer(plan, layout, outputs, mode)
    parts = [_PassPrinter(printer, part).text() for part in plan.passes]
    return Printed("\n".join([*parts, printer.driver()]), tuple(printer.arrays))


class _Printer:
    """What the passes have in common."""

    def __init__(self, plan: Plan, layout: FactsLayout, outputs: OutputCells, mode: int) -> None:
        self.plan, self.layout, self.outputs, self.mode = plan, layout, outputs, mode
        self.arrays: list[ArrayOf] = []

    def slot(self, array: ArrayOf) -> int:
        """Where among the addresses the array's is."""
        if array not in self.arrays:
            self.arrays.append(array)
        return self.arrays.index(array)

    def driver(self) -> str:
        """The function that takes group after group through all passes."""
        schema = self.plan.graph.schema
        numbers = {entity.name: number for number, entity in enumerate(schema.entities)}
        calls = []
        for part in self.plan.passes:
            looped = numbers[schema.by_name[part.entity].parent or part.entity]
            row = f"%row{part.number}"
            calls += [
                f"  {row} = mul i64 %stride, {looped}",
                f"  %at{part.number} = add i64 {row}, %group",
                f"  %from{part.number} = getelementptr i64, ptr %bounds, i64 %at{part.number}",
                f"  %to{part.number} = getelementptr i64, ptr %from{part.number}, i64 1",
                f"  %first{part.number} = load i64, ptr %from{part.number}",
                f"  %last{part.number} = load i64, ptr %to{part.number}",
                f"  call void @pass{part.number}(i64 %first{part.number}, i64 %last{part.number}, ptr %arrays)",
            ]
        return "\n".join(
            [
                "define void @run(i64 %groups, ptr %bounds, ptr %arrays) {",
                "entry:",
                "  %stride = add i64 %groups, 1",
                "  %some = icmp sgt i64 %groups, 0",
                "  br i1 %some, label %again, label %end",
                "again:",
                "  %group = phi i64 [0, %entry], [%next, %again]",
                *calls,
                "  %next = add i64 %group, 1",
                "  %more = icmp slt i64 %next, %groups",
                "  br i1 %more, label %again, label %end",
                "end:",
                "  ret void",
                "}",
                "",
            ]
        )


class _Lines:
    """Lines of code, each value under a number of its own."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.lines: list[str] = []

    def add(self, instruction: str) -> str:
        """The name of what an instruction yields."""
        name = f"%{self._prefix}{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return name


class _PassPrinter:
    def __init__(self, printer: _Printer, part: Pass) -> None:
        self._all, self._plan, self._graph, self._part = printer, printer.plan, printer.plan.graph, part
        self._schema = self._graph.schema
        self._entity: Entity = self._schema.by_name[part.entity]
        # From the rows of the pass up to the household.
        self._lineage = tuple(reversed(self._schema.lineage(part.entity)))
        self._looped = self._entity.parent or self._entity.name
        self._computed = set(part.computed)
        # What is done once, for each parent, and for each row of the pass.
        self._entry, self._outer, self._inner = _Lines("e"), _Lines("o"), _Lines("i")
        self._named: dict[object, str] = {}

    def text(self) -> str:
        """The function."""
        for below, above in zip(self._lineage[1:], self._lineage[2:], strict=False):
            self._named[above] = self._load(self._outer, ("up", below), "i64", self._row(below))
        for number in self._part.computed:
            self._compute(number)
        steps = [(number, self._step(number)) for number in self._part.reduced]
        body = self._over_rows() if self._entity.parent is None else self._inside_parents(steps)
        head = f"define void @pass{self._part.number}(i64 %first, i64 %last, ptr %arrays) noinline {{"
        return "\n".join([head, "entry:", *body, "}", ""])

    # --- loops -----------------------------------------------------------------------------------------------------

    def _over_rows(self) -> Iterator[str]:
        wanted = self._wanted()
        yield from self._entry.lines
        yield from self._loop_over_looped(wanted, "row")
        yield "row:"
        yield from (*self._outer.lines, *self._inner.lines)
        yield "  br label %following"
        yield from _TAIL

    def _inside_parents(self, steps: Sequence[tuple[Number, str]]) -> Iterator[str]:
        wanted, ends = self._wanted(), _Lines("s")
        begin = self._load(self._outer, ("begins", self._entity.name), "i64", "%looped")
        end = self._load(self._outer, ("begins", self._entity.name), "i64", self._outer.add("add i64 %looped, 1"))
        for number, _ in steps:
            self._store_all(ends, number, self._looped, "%looped")
        yield from self._entry.lines
        yield from self._loop_over_looped(wanted, "parent")
        yield "parent:"
        yield from self._outer.lines
        yield f"  %is_any = icmp slt i64 {begin}, {end}"
        yield "  br i1 %is_any, label %rows, label %rows_end"
        yield "rows:"
        yield f"  %row = phi i64 [{begin}, %parent], [%next_row, %rows]"
        for number, step in steps:
            yield f"  %a{number} = phi {self._type(number)} [{self._start(number)}, %parent], [{step}, %rows]"
        yield from self._inner.lines
        yield "  %next_row = add i64 %row, 1"
        yield f"  %more_rows = icmp slt i64 %next_row, {end}"
        yield "  br i1 %more_rows, label %rows, label %rows_end"
        yield "rows_end:"
        for number, step in steps:
            yield f"  %v{number} = phi {self._type(number)} [{self._start(number)}, %parent], [{step}, %rows]"
        yield from ends.lines
        yield "  br label %following"
        yield from _TAIL

    def _wanted(self) -> _Lines:
        """Whether the household of a row is to be computed here."""
        wanted = _Lines("w")
        mode = self._load(wanted, ("mode", self._looped), "i8", "%looped")
        wanted.lines.append(f"  %wanted = icmp eq i8 {mode}, {self._all.mode}")
        return wanted

    @staticmethod
    def _loop_over_looped(wanted: _Lines, then: str) -> Iterator[str]:
        yield "  %is_some = icmp slt i64 %first, %last"
        yield "  br i1 %is_some, label %again, label %done"
        yield "again:"
        yield "  %looped = phi i64 [%first, %entry], [%next, %following]"
        yield from wanted.lines
        yield f"  br i1 %wanted, label %{then}, label %following"

    # --- memory ----------------------------------------------------------------------------------------------------

    def _pointer(self, array: ArrayOf) -> str:
        """The address of an array, read once at the beginning."""
        if array not in self._named:
            slot = self._all.slot(array)
            where = self._entry.add(f"getelementptr ptr, ptr %arrays, i64 {slot}")
            self._named[array] = self._entry.add(f"load ptr, ptr {where}")
        return self._named[array]

    def _load(self, lines: _Lines, array: ArrayOf, kind: str, index: str) -> str:
        where = lines.add(f"getelementptr {kind}, ptr {self._pointer(array)}, i64 {index}")
        return lines.add(f"load {kind}, ptr {where}")

    def _row(self, entity: str) -> str:
        """The number of the entity's row."""
        if entity == self._entity.name:
            return "%row" if self._entity.parent else "%looped"
        return "%looped" if entity == self._looped else self._named[entity]

    def _lines_for(self, entity: str) -> _Lines:
        return self._inner if entity == self._entity.name else self._outer

    def _kept_index(self, entity: str, number: Number) -> str:
        """Where a kept value lies: these arrays begin with the first row of the group."""
        key = ("kept row", entity)
        lines = self._lines_for(entity)
        is_truth = self._graph[number].is_truth
        width = self._plan.kept_in(entity, truths=is_truth)
        if (key, is_truth) not in self._named:
            local = lines.add(f"sub i64 {self._row(entity)}, {self._first(entity)}")
            self._named[key, is_truth] = lines.add(f"mul i64 {local}, {width}")
        return lines.add(f"add i64 {self._named[key, is_truth]}, {self._plan.kept[number]}")

    def _first(self, entity: str) -> str:
        """The first row of the group."""
        if entity == self._looped:
            return "%first"
        if ("first", entity) not in self._named:
            if entity == self._entity.name:
                first = self._load(self._entry, ("begins", entity), "i64", "%first")
            else:
                below = self._lineage[self._lineage.index(entity) - 1]
                # Of a group without rows below, no row is looked at, and the array has one entry more than rows.
                first = self._load(self._entry, ("up", below), "i64", self._first(below))
            self._named["first", entity] = first
        return self._named["first", entity]

    # --- values ----------------------------------------------------------------------------------------------------

    def _type(self, number: Number) -> str:
        return "i1" if self._graph[number].is_truth else "i64"

    def _value(self, number: Number) -> str:
        operation = self._graph[number]
        if operation.name == "not":
            return self._denied(operation.of[0])
        if operation.name == "const":
            return ("false", "true")[int(operation.written[0])] if operation.is_truth else str(operation.written[0])
        if number in self._computed:
            return f"%v{number}"
        if number not in self._named:
            self._named[number] = self._loaded(number, operation)
        return self._named[number]

    def _denied(self, number: Number) -> str:
        if ("not", number) not in self._named:
            value = self._value(number)
            lines = self._lines_for(self._graph[number].entity)
            self._named["not", number] = lines.add(f"xor i1 {value}, true")
        return self._named["not", number]

    def _loaded(self, number: Number, operation: Operation) -> str:
        if not operation.entity:
            return self._of_place(number, operation)
        lines = self._lines_for(operation.entity)
        if operation.name in FACTS:
            return self._fact(operation, lines)
        index = self._kept_index(operation.entity, number)
        if not operation.is_truth:
            return self._load(lines, ("numbers", operation.entity), "i64", index)
        return lines.add(f"icmp ne i8 {self._load(lines, ('truths', operation.entity), 'i8', index)}, 0")

    def _of_place(self, number: Number, operation: Operation) -> str:
        lines = self._outer
        if "place" not in self._named:
            place = self._load(lines, ("place",), "i32", self._row(self._lineage[-1]))
            wide = lines.add(f"zext i32 {place} to i64")
            self._named["place"] = lines.add(f"mul i64 {wide}, {len(self._plan.of_places)}")
        index = lines.add(f"add i64 {self._named['place']}, {self._plan.of_places.index(number)}")
        figure = self._load(lines, ("figures",), "i64", index)
        return lines.add(f"icmp ne i64 {figure}, 0") if operation.is_truth else figure

    def _fact(self, operation: Operation, lines: _Lines) -> str:
        entity = operation.entity
        if operation.name == "is_untold":
            return lines.add(f"icmp ne i8 {self._load(lines, ('untold', entity), 'i8', self._row(entity))}, 0")
        cell = self._all.layout.cells[entity, int(operation.written[1])]
        array: ArrayOf = ("fact", entity, cell.width, cell.row)
        kind = FACT_TYPES[cell.width]
        if ("raw", *array) not in self._named:
            self._named["raw", *array] = self._load(lines, array, kind, self._row(entity))
        raw = self._named["raw", *array]
        if operation.name == "fact_is":
            asked = operation.written[2]
            return lines.add(f"icmp eq {kind} {raw}, {cell.unknown if asked == UNKNOWN else asked}")
        wide = raw if kind == "i64" else lines.add(f"sext {kind} {raw} to i64")
        return lines.add(f"shl i64 1, {wide}") if operation.name == "fact_code" else wide

    def _compute(self, number: Number) -> None:
        operation, lines = self._graph[number], self._inner
        values = [self._value(part) for part in operation.of]
        if operation.name in ("least", "greatest"):
            sign = "slt" if operation.name == "least" else "sgt"
            is_first = lines.add(f"icmp {sign} i64 {values[0]}, {values[1]}")
            printed = f"select i1 {is_first}, i64 {values[0]}, i64 {values[1]}"
        elif operation.name == "div":
            printed = self._quotient(operation, values)
        elif operation.name == "same":
            neutral = "or i1 {0}, false" if operation.is_truth else "add i64 {0}, 0"
            printed = neutral.format(values[0])
        else:
            printed = _INSTRUCTIONS[operation.name].format(*values)
        lines.lines.append(f"  %v{number} = {printed}")
        self._store_all(lines, number, self._entity.name, self._row(self._entity.name))

    def _quotient(self, operation: Operation, values: Sequence[str]) -> str:
        """Rounded down; most amounts are not below nought, and small ones are divided several times as fast."""
        lines, (amount, divisor) = self._inner, (self._graph[part] for part in operation.of)
        if amount.least >= 0 and max(amount.most, divisor.most) < HALF and divisor.name != "const":
            narrow = [lines.add(f"trunc i64 {value} to i32") for value in values]
            return f"zext i32 {lines.add(f'udiv i32 {narrow[0]}, {narrow[1]}')} to i64"
        if amount.least >= 0:
            return f"udiv i64 {values[0]}, {values[1]}"
        quotient = lines.add(f"sdiv i64 {values[0]}, {values[1]}")
        whole = lines.add(f"mul i64 {quotient}, {values[1]}")
        is_above = lines.add(f"icmp sgt i64 {whole}, {values[0]}")
        return f"sub i64 {quotient}, {lines.add(f'zext i1 {is_above} to i64')}"

    # --- what remains ----------------------------------------------------------------------------------------------

    def _store_all(self, lines: _Lines, number: Number, entity: str, row: str) -> None:
        """Keep a value for later passes, and put it where it is a result."""
        value, is_truth = f"%v{number}", self._graph[number].is_truth
        if number in self._plan.kept:
            kind, array = ("i8", "truths") if is_truth else ("i64", "numbers")
            local = lines.add(f"sub i64 {row}, {self._first(entity)}")
            start = lines.add(f"mul i64 {local}, {self._plan.kept_in(entity, truths=is_truth)}")
            index = lines.add(f"add i64 {start}, {self._plan.kept[number]}")
            kept = lines.add(f"zext i1 {value} to i8") if is_truth else value
            self._store(lines, (array, entity), kind, index, kept)
        for column in self._all.outputs.get((entity, number), ()):
            if column[0] == "words":
                self._store(lines, column, "i16", row, lines.add(f"trunc i64 {value} to i16"))
            else:
                self._store(lines, column, "i64", row, value)

    def _store(self, lines: _Lines, array: ArrayOf, kind: str, index: str, value: str) -> None:
        where = lines.add(f"getelementptr {kind}, ptr {self._pointer(array)}, i64 {index}")
        lines.lines.append(f"  store {kind} {value}, ptr {where}")

    def _start(self, number: Number) -> str:
        return _STARTS[self._graph[number].name]

    def _step(self, number: Number) -> str:
        """What a reduction comes to after one row more."""
        operation, lines = self._graph[number], self._inner
        assert operation.name in REDUCTIONS
        value, so_far = self._value(operation.of[0]), f"%a{number}"
        if operation.name == "sum":
            return lines.add(f"add i64 {so_far}, {value}")
        if operation.name == "any":
            return lines.add(f"or i1 {so_far}, {value}")
        sign = "slt" if operation.name == "min" else "sgt"
        is_kept = lines.add(f"icmp {sign} i64 {so_far}, {value}")
        return lines.add(f"select i1 {is_kept}, i64 {so_far}, i64 {value}")


_TAIL = (
    "following:",
    "  %next = add i64 %looped, 1",
    "  %more = icmp slt i64 %next, %last",
    "  br i1 %more, label %again, label %done",
    "done:",
    "  ret void",
)

_STARTS = {"sum": "0", "any": "false", "min": str(FAR), "max": str(-FAR)}

_INSTRUCTIONS = {
    "add": "add i64 {0}, {1}",
    "sub": "sub i64 {0}, {1}",
    "mul": "mul i64 {0}, {1}",
    "bits": "and i64 {0}, {1}",
    "either": "or i64 {0}, {1}",
    "pick": "select i1 {0}, i64 {1}, i64 {2}",
    "lt": "icmp slt i64 {0}, {1}",
    "eq": "icmp eq i64 {0}, {1}",
    "and": "and i1 {0}, {1}",
    "or": "or i1 {0}, {1}",
}
