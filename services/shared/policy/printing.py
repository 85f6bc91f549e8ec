"""Prints a rulebook as one Python function over rows and compiles it: what runs is printed, never read from a pack.

The careful program gives every rule the value OPEN whose inputs are open. The quick one is the same program for a
policy that holds all its figures and a row of which nothing is open: what is open stops it, and the careful one runs.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from services.shared.policy import tree
from services.shared.policy.open_value import OPEN, OpenValueUsed
from services.shared.policy.rulebook import Rule, Rulebook
from services.shared.policy.schema import BOOL, Schema
from services.shared.policy.spelling import ParameterSlot, Spelling
from services.shared.policy.tree import Node
from services.shared.vocabulary.period import full_months

Frame = tuple[Any, ...]
"""The values of one row: its rules' values and, for each loop over its child rows, the list of their frames."""

Place = tuple[int, ...]
"""The slots that lead from the root's frame to a value: before each but the last, the row's number is taken."""


Determine = Callable[[Frame], Frame]
"""Gives every rule's value for one root row."""


@dataclass(frozen=True)
class Program:
    """The printed function, where in what it returns each rule's value lies and what was gathered for the row above,
    and the parameters it takes, in order. Compiled when it is first run."""

    source: str
    places: Mapping[str, Place]
    gathered: Mapping[tree.Aggregate, Place]
    parameters: tuple[ParameterSlot, ...]
    book: Rulebook = field(repr=False, compare=False)

    @cached_property
    def function(self) -> Callable[[Frame, int, tuple[Any, ...]], Frame]:
        """The careful program, of a root row, the date and the parameters."""
        function: Callable[..., Frame] = _compiled(self.source, self.book)["determine"]
        return function

    @cached_property
    def quick_source(self) -> str:
        """The text of `quick`."""
        return _Printer(self.book, quick_parameters=self.parameters).source()

    @cached_property
    def quick(self) -> Callable[[int, tuple[Any, ...], Determine], Determine]:
        """Prepares the quick program for a date, parameters of which none is OPEN, and what runs in its place where
        something is open."""
        prepare: Callable[..., Determine] = _compiled(self.quick_source, self.book)["prepare"]
        return prepare


def compile_rulebook(book: Rulebook, *, hasty: bool = False) -> Program:
    """The program of every rule in the book. A rule whose inputs are open has the value OPEN and stops nothing.

    A `hasty` program takes what is open for not settled; the other leaves `settled` of it to the abstract evaluator.
    """
    printer = _Printer(book, hasty=hasty)
    return Program(printer.source(), printer.places, printer.gathered, tuple(printer.parameters), book)


def _compiled(source: str, book: Rulebook) -> dict[str, Any]:
    namespace: dict[str, Any] = {"OPEN": OPEN, "OpenValueUsed": OpenValueUsed, "full_months": full_months}
    # The text is printed from the checked tree alone: names are numbered, codes are the schema's, numbers are ours.
    exec(compile(source, f"<rules {book.chain[0].id} {book.on}>", "exec"), namespace)
    return namespace


@dataclass
class _Item:
    """A rule, or a gathering over child rows: what is computed, in the loop over which entity, after what."""

    name: str
    runs_in: str
    needs: frozenset[str]
    node: Node
    gathers: bool = False


@dataclass
class _Stage:
    """One loop over the rows of an entity, and what its frames hold, in order."""

    number: int
    entity: str
    parent: "_Stage | None"
    entries: list[str] = field(default_factory=list)
    inner: list["_Stage"] = field(default_factory=list)

    def place(self) -> tuple[int, ...]:
        """Where the stage's frames lie, from the root frame on."""
        if self.parent is None:
            return ()
        return (*self.parent.place(), self.parent.entries.index(f"L{self.number}"))


class _Printer(Spelling):
    """Prints the careful program; the quick one where `quick_parameters` give the order in which it takes them."""

    def __init__(
        self, book: Rulebook, *, hasty: bool = False, quick_parameters: tuple[ParameterSlot, ...] | None = None
    ) -> None:
        super().__init__()
        self._hasty, self._quick = hasty, quick_parameters is not None
        self.parameters.extend(quick_parameters or ())
        self._schema: Schema = book.schema
        self._figures: dict[tree.ParameterRef, str] = {}
        self._aggregates: dict[tree.Aggregate, str] = {}
        self._numbers: dict[str, str] = {}
        self._items: dict[str, _Item] = {}
        self._same: dict[str, str] = {}
        self._twins: dict[tuple[str, Node], str] = {}
        self._figure_rules: set[str] = set()
        self._rules = book.rules
        for name, rule in book.rules.items():
            self._add_rule(name, rule)
        for rule in book.rules.values():
            self._add_shown(rule)
        self._add_aggregates()
        self._stages: list[_Stage] = []
        self._lines: list[str] = []
        self._fixed: dict[Node, str] = {}
        self._fixed_lines: tuple[list[str], list[str]] = ([], [])
        self._home: dict[str, _Stage] = {}
        self._gathered_in: dict[str, _Stage] = {}
        self.places: dict[str, Place] = {}
        self.gathered: dict[tree.Aggregate, Place] = {}

    def source(self) -> str:
        """The function's text; fills `places`, `gathered` and `parameters`."""
        root = self._stage(self._schema.root.name, None)
        self._scope(root, set(self._items), set(), "            " if self._quick else "    ")
        for node, name in self._aggregates.items():
            self.gathered[node] = (*self._gathered_in[name].place(), self._gathered_in[name].entries.index(name))
            self.places[name] = self.gathered[node]
        for name, stage in self._home.items():
            self.places[name] = (*stage.place(), stage.entries.index(self._numbers[name]))
        self.places = {name: self.places[self._same.get(name, name)] for name in self._rules}
        return "\n".join([*(self._quick_text(root) if self._quick else self._careful_text(root)), ""])

    def _careful_text(self, root: _Stage) -> Iterator[str]:
        figures = self._figure_lookups()
        yield f"def determine(e_{root.entity}, as_of, P):"
        yield from self._taken()
        for lookup in figures:
            yield f"    try: {lookup}"
            yield f"    except OpenValueUsed: {lookup.partition(' = ')[0]} = OPEN"
        yield from self._lines
        yield f"    return {_tuple(root.entries)}"

    def _quick_text(self, root: _Stage) -> Iterator[str]:
        """A function for one policy: what rests on its figures alone is computed before any row is seen."""
        figures = self._figure_lookups()
        yield "def prepare(as_of, P, careful):"
        yield from self._taken()
        yield from (f"    {line}" for line in self._fixed_lines[0])
        yield f"    def determine(e_{root.entity}):"
        yield "        try:"
        yield from (f"            {line}" for line in [*figures, *self._fixed_lines[1]])
        yield from self._lines
        yield f"            return {_tuple(root.entries)}"
        yield "        except OpenValueUsed: pass"
        yield f"        return careful(e_{root.entity})"
        yield "    return determine"

    def _figure_lookups(self) -> list[str]:
        return [f"{name} = {super(_Printer, self).parameter(node)}" for node, name in list(self._figures.items())]

    def _taken(self) -> Iterator[str]:
        if self.parameters:
            yield f"    {', '.join(f'p{index}' for index in range(len(self.parameters)))}, = P"

    # --- what there is to compute ------------------------------------------------------------------------------

    def _add_rule(self, name: str, rule: Rule) -> None:
        """Number the rule; one that says the same as an earlier rule for the same rows shares its value."""
        twin = self._twins.setdefault((rule.entity, rule.node), name)
        if isinstance(rule.node, tree.RuleRef) and rule.node.entity == rule.entity:
            twin = self._same.get(rule.node.rule, rule.node.rule)
        elif isinstance(rule.node, tree.Aggregate) and self._schema.by_name[rule.node.entity].parent == rule.entity:
            twin = self.aggregate(rule.node)
            self._numbers[twin] = twin
        if twin != name:
            self._same[name] = twin
            self._numbers[name] = self._numbers[twin]
            return
        self._numbers[name] = f"r{len(self._numbers)}"
        self._items[name] = _Item(name, rule.entity, frozenset(self._needs(rule.node)), rule.node)

    def _add_shown(self, rule: Rule) -> None:
        """Gather also what only an explanation asks for."""
        for node in (*rule.values.values(), *([rule.shown_when] if rule.shown_when else [])):
            for part in tree.walk(node):
                if isinstance(part, tree.Aggregate):
                    self.aggregate(part)

    def _needs(self, node: Node) -> Iterator[str]:
        if isinstance(node, tree.Aggregate):
            yield self.aggregate(node)
            return
        if isinstance(node, tree.RuleRef):
            yield self._same.get(node.rule, node.rule)
        for child in tree.children_of(node):
            yield from self._needs(child)

    def _add_aggregates(self) -> None:
        # Looking at one gathering may name another inside it, which is then looked at in its turn.
        done = 0
        while done < len(self._aggregates):
            node, name = list(self._aggregates.items())[done]
            needs = set(self._needs(node.operand))
            if node.condition is not None:
                needs |= set(self._needs(node.condition))
            self._items[name] = _Item(name, node.entity, frozenset(needs), node, gathers=True)
            done += 1

    # --- loops -------------------------------------------------------------------------------------------------

    def _stage(self, entity: str, parent: _Stage | None) -> _Stage:
        stage = _Stage(len(self._stages), entity, parent)
        self._stages.append(stage)
        return stage

    def _scope(self, stage: _Stage, todo: set[str], done: set[str], indent: str) -> None:
        """Print everything of `todo` for one row of the stage, in loops over child rows where needed."""
        todo = set(todo)
        while todo:
            self._own(stage, todo, done, indent)
            for child in self._schema.children(stage.entity):
                batch = self._batch(child.name, todo, done)
                if batch:
                    self._loop(self._stage(child.name, stage), batch, done, indent)
                    todo -= batch
                    done |= batch

    def _own(self, stage: _Stage, todo: set[str], done: set[str], indent: str) -> None:
        progress = True
        while progress:
            progress = False
            for name in self._items:
                item = self._items[name]
                if name in todo and item.runs_in == stage.entity and item.needs <= done:
                    self._compute(stage, item, indent)
                    todo.discard(name)
                    done.add(name)
                    progress = True

    def _batch(self, entity: str, todo: set[str], done: set[str]) -> set[str]:
        """All that can be computed in one loop over `entity` with what is done already."""
        batch: set[str] = set()
        grown = True
        while grown:
            grown = False
            for name in todo - batch:
                item = self._items[name]
                inside = entity in self._schema.lineage(item.runs_in)
                # What a gathering over `entity` yields is whole only after the loop.
                usable = done | {other for other in batch if not self._yields_outside(other, entity)}
                if inside and item.needs <= usable:
                    batch.add(name)
                    grown = True
        return batch - self._better_later(entity, batch, todo)

    def _better_later(self, entity: str, batch: set[str], todo: set[str]) -> set[str]:
        """Values of rows further in that nothing needs yet, when their rows must be gone through again anyhow."""
        later: set[str] = set()
        for child in self._schema.children(entity):
            inside = {name for name in todo if child.name in self._schema.lineage(self._items[name].runs_in)}
            needed = any(self._yields_outside(name, child.name) for name in inside & batch)
            if not needed and inside - batch:
                later |= inside & batch
        return later

    def _yields_outside(self, name: str, entity: str) -> bool:
        item = self._items[name]
        return item.gathers and item.runs_in == entity

    def _loop(self, stage: _Stage, batch: set[str], done: set[str], indent: str) -> None:
        assert stage.parent is not None
        gathered = [name for name in self._items if name in batch and self._yields_outside(name, stage.entity)]
        self._lines += [f"{indent}{name} = {self._start(stage, self._items[name].node)}" for name in gathered]
        start = len(self._lines)
        self._head(stage, batch, indent)
        first = len(self._lines)
        body = indent + "    "
        self._scope(stage, batch, set(done), body)
        if len(self._lines) == first and not stage.entries:
            del self._lines[start:]
        if stage.entries:
            self._lines.insert(start, f"{indent}L{stage.number} = []")
            self._lines.append(f"{body}L{stage.number}.append({_tuple(stage.entries)})")
            stage.parent.entries.append(f"L{stage.number}")
        self._finish(stage, gathered, indent)

    def _start(self, stage: _Stage, node: Node) -> str:
        assert isinstance(node, tree.Aggregate)
        return f"len({self._rows(stage)})" if _counts_rows(node) else _STARTS[node.operator]

    def _rows(self, stage: _Stage) -> str:
        assert stage.parent is not None
        return f"e_{stage.parent.entity}[{self._schema.rows_slot(stage.entity)}]"

    def _head(self, stage: _Stage, batch: set[str], indent: str) -> None:
        """The loop's first lines: rows beside the frames of earlier loops, and the values of these that are used."""
        assert stage.parent is not None
        rows = self._rows(stage)
        earlier = [other for other in self._stages[: stage.number] if other.entity == stage.entity and other.entries]
        if not earlier:
            self._lines.append(f"{indent}for e_{stage.entity} in {rows}:")
            return
        frames = ", ".join(f"f{other.number}" for other in earlier)
        lists = ", ".join(self._frames(other, stage.parent) for other in earlier)
        self._lines.append(f"{indent}for e_{stage.entity}, {frames} in zip({rows}, {lists}):")
        used = {need for name in batch for need in self._items[name].needs}
        for other in earlier:
            for index, entry in enumerate(other.entries):
                if entry in {self._numbers.get(name, name) for name in used}:
                    self._lines.append(f"{indent}    {entry} = f{other.number}[{index}]")

    def _frames(self, other: _Stage, current: _Stage) -> str:
        if other.parent is current or other.parent is None or other.parent.parent is None:
            return f"L{other.number}"
        return f"f{other.parent.number}[{other.parent.entries.index(f'L{other.number}')}]"

    def _finish(self, stage: _Stage, gathered: list[str], indent: str) -> None:
        """After the loop: an extreme of nothing is 0, and of a list that may have more rows little is known."""
        assert stage.parent is not None
        # A later loop over the parent may need what was gathered here.
        stage.parent.entries.extend(gathered)
        for name in gathered:
            self._gathered_in[name] = stage.parent
            if self._items[name].node.operator in ("min", "max"):  # type: ignore[union-attr]
                self._lines.append(f"{indent}if {name} is None: {name} = 0")
        if self._schema.by_name[stage.entity].always_complete or not gathered:
            return
        slot = self._schema.rows_slot(stage.entity) + 1
        self._lines.append(f"{indent}if e_{stage.parent.entity}[{slot}] is not True:")
        if self._quick:
            self._lines.append(f"{indent}    return careful(e_{self._schema.root.name})")
            return
        for name in gathered:
            decided = {"any": "True", "all": "False"}.get(self._items[name].node.operator)  # type: ignore[union-attr]
            guard = f"if {name} is not {decided}: " if decided else ""
            self._lines.append(f"{indent}    {guard}{name} = OPEN")

    # --- one value ---------------------------------------------------------------------------------------------

    def _compute(self, stage: _Stage, item: _Item, indent: str) -> None:
        if item.gathers:
            assert isinstance(item.node, tree.Aggregate)
            self._gather(item.name, item.node, indent)
            return
        number = self._numbers[item.name]
        stage.entries.append(number)
        self._home[item.name] = stage
        if self._quick:
            self._lines.append(f"{indent}{number} = {self.spell(item.node)}")
            if _passes_on(item.node):
                self._lines.append(f"{indent}{number} == {number}")
            return
        guard = "".join(f"OPEN if {figure} is OPEN else " for figure in self._needed_figures(item.node))
        self._lines.append(f"{indent}try: {number} = {guard}{self.spell(item.node)}")
        self._lines.append(f"{indent}except OpenValueUsed: {number} = OPEN")
        if guard or self._yields_a_figure(item.node):
            self._figure_rules.add(item.name)

    def _gather(self, name: str, node: tree.Aggregate, indent: str) -> None:
        if _counts_rows(node):
            return
        operand = self.spell(node.operand)
        test = {"any": operand, "all": f"not {operand}", "count": operand}.get(node.operator, "")
        tests = [] if node.condition is None else [self.spell(node.condition)]
        tests += [test] if test and test != "True" else []
        if self._quick and node.operator in ("min", "max") and _passes_on(node.operand):
            # The first value of an extreme is compared with none, and would be taken though it is open.
            tests.append(f"{operand} == {operand}")
        step = {
            "sum": f"{name} += {operand}",
            "count": f"{name} += 1",
            "any": f"{name} = True",
            "all": f"{name} = False",
            "max": f"{name} = {operand} if {name} is None or {operand} > {name} else {name}",
            "min": f"{name} = {operand} if {name} is None or {operand} < {name} else {name}",
        }[node.operator]
        condition = f"if {' and '.join(tests)}: " if tests else ""
        if self._quick:
            self._lines.append(f"{indent}{condition}{step}")
            return
        decided = {"any": "True", "all": "False"}.get(node.operator)
        guard = f"if {name} is not {decided}: " if decided else ""
        self._lines.append(f"{indent}try:")
        self._lines.append(f"{indent}    {condition}{step}")
        self._lines.append(f"{indent}except OpenValueUsed:")
        self._lines.append(f"{indent}    {guard}{name} = OPEN")

    def _needed_figures(self, node: Node) -> list[str]:
        """Figures without which the node has no value: asking first is cheaper than an exception, row after row."""
        if isinstance(node, tree.ParameterRef):
            printed = self.spell(node)
            return [printed] if printed.isidentifier() else []
        if isinstance(node, tree.RuleRef) and node.rule in self._figure_rules:
            return [self.spell(node)]
        if isinstance(node, tree.Comparison | tree.Arithmetic | tree.Rounded | tree.Share | tree.Quotient):
            found = [figure for child in tree.children_of(node) for figure in self._needed_figures(child)]
            return list(dict.fromkeys(found))
        return []

    def _yields_a_figure(self, node: Node) -> bool:
        """Whether the node's value may be a figure as it is, so that it is open where the figure is missing."""
        if isinstance(node, tree.Choice):
            return self._yields_a_figure(node.then) or self._yields_a_figure(node.otherwise)
        return isinstance(node, tree.ParameterRef) or (
            isinstance(node, tree.RuleRef) and node.rule in self._figure_rules
        )

    # --- what hangs on no row --------------------------------------------------------------------------------------

    def spell(self, node: Node) -> str:
        if not self._quick or not isinstance(node, _HOISTED):
            return super().spell(node)
        hangs_on = max(map(self._hangs_on, tree.walk(node)))
        if hangs_on not in (_FIGURES, _ROOT) or (hangs_on == _ROOT and len(self._stages) == 1):
            return super().spell(node)
        if node not in self._fixed:
            printed = super().spell(node)
            self._fixed[node] = f"h{len(self._fixed)}"
            self._fixed_lines[hangs_on - _FIGURES].append(f"{self._fixed[node]} = {printed}")
        return self._fixed[node]

    def _hangs_on(self, node: Node) -> int:
        if isinstance(node, tree.FactRef):
            return _ROOT if node.entity == self._schema.root.name else _ROW
        if isinstance(node, tree.ParameterRef | tree.AsOf | tree.Held):
            return _FIGURES
        return _NOTHING if isinstance(node, (tree.Const, *_HOISTED)) else _ROW

    # --- names -------------------------------------------------------------------------------------------------

    def fact(self, node: tree.FactRef) -> str:
        return f"e_{node.entity}[{node.position}]"

    def rule(self, node: tree.RuleRef) -> str:
        return self._numbers[node.rule]

    def parameter(self, node: tree.ParameterRef) -> str:
        if node.keys and all(
            isinstance(key, tree.FactRef) and key.entity == self._schema.root.name for key in node.keys
        ):
            # Looked up once for the whole run, since the root's facts do not change in it.
            return self._figures.setdefault(node, f"q{len(self._figures)}")
        return super().parameter(node)

    def slot(self, slot: ParameterSlot) -> str:
        return f"p{self.slot_number(slot)}"

    def aggregate(self, node: tree.Aggregate) -> str:
        return self._aggregates.setdefault(node, f"a{len(self._aggregates)}")

    def settled(self, node: tree.Settled) -> str:
        return f"({self.spell(node.operand)} is True)" if self._hasty else super().settled(node)


def _passes_on(node: Node) -> bool:
    """Whether the node can have the value of an open fact without being stopped by it."""
    if isinstance(node, tree.Choice):
        return _passes_on(node.then) or _passes_on(node.otherwise)
    return isinstance(node, tree.FactRef) or (isinstance(node, tree.Junction) and _passes_on(node.operands[-1]))


def _counts_rows(node: tree.Aggregate) -> bool:
    return node.operator == "count" and node.condition is None and node.operand == tree.Const(True, BOOL)


_NOTHING, _FIGURES, _ROOT, _ROW = range(4)
"""What an expression hangs on: nothing, the figures and the date, the root's facts too, or other rows and rules."""

_HOISTED = (tree.Arithmetic, tree.Share, tree.Rounded, tree.Extreme)
"""What is worth computing once, and can be computed whether it will be needed or not."""

_STARTS = {"sum": "0", "count": "0", "any": "False", "all": "True", "min": "None", "max": "None"}


def _tuple(parts: list[str]) -> str:
    return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"
