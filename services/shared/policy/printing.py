"""Prints a rulebook as one Python function over rows and compiles it: what runs is printed, never read from a pack."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.shared.policy import tree
from services.shared.policy.open_value import OPEN, OpenValueUsed
from services.shared.policy.rulebook import Rule, Rulebook
from services.shared.policy.schema import FRACTION, RATE_SCALE, Schema
from services.shared.policy.tree import Node
from services.shared.vocabulary.period import full_months

Frame = tuple[Any, ...]
"""The values of one row: its rules' values and, for each loop over its child rows, the list of their frames."""

ParameterSlot = tuple[str, bool]
"""A parameter that the function takes: its name, and whether it is its value or whether it is held."""


@dataclass(frozen=True)
class Program:
    """The compiled function, where each rule's value lies in what it returns, and the parameters it takes, in order."""

    source: str
    function: Callable[[Frame, int, tuple[Any, ...]], Frame]
    places: Mapping[str, tuple[int, ...]]
    parameters: tuple[ParameterSlot, ...]


def compile_rulebook(book: Rulebook, *, hasty: bool = False) -> Program:
    """The program of every rule in the book. A rule whose inputs are open has the value OPEN and stops nothing.

    A `hasty` program takes what is open for not settled; the other leaves `settled` of it to the abstract evaluator.
    """
    printer = _Printer(book, hasty)
    source = printer.source()
    namespace: dict[str, Any] = {"OPEN": OPEN, "OpenValueUsed": OpenValueUsed, "full_months": full_months}
    # The text is printed from the checked tree alone: names are numbered, codes are the schema's, numbers are ours.
    exec(compile(source, f"<rules {book.chain[0].id} {book.on}>", "exec"), namespace)
    return Program(source, namespace["determine"], printer.places, tuple(printer.parameters))


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


class _Printer:
    def __init__(self, book: Rulebook, hasty: bool) -> None:
        self._hasty = hasty
        self._temporaries = 0
        self._schema: Schema = book.schema
        self.parameters: list[ParameterSlot] = []
        self._figures: dict[tree.ParameterRef, str] = {}
        self._aggregates: dict[tree.Aggregate, str] = {}
        self._numbers: dict[str, str] = {}
        self._items: dict[str, _Item] = {}
        self._same: dict[str, str] = {}
        self._twins: dict[tuple[str, Node], str] = {}
        self._figure_rules: set[str] = set()
        for name, rule in book.rules.items():
            self._add_rule(name, rule)
        self._add_aggregates()
        self._stages: list[_Stage] = []
        self._lines: list[str] = []
        self._home: dict[str, _Stage] = {}
        self.places: dict[str, tuple[int, ...]] = {}

    def source(self) -> str:
        """The function's text; fills `places` and `parameters`."""
        root = self._stage(self._schema.root.name, None)
        self._scope(root, set(self._items), set(), "    ")
        self._lines.append(f"    return {_tuple(root.entries)}")
        for name, stage in self._home.items():
            self.places[name] = (*stage.place(), stage.entries.index(self._numbers[name]))
        self.places |= {name: self.places[twin] for name, twin in self._same.items()}
        figures = [line for node, name in list(self._figures.items()) for line in self._figure_lines(node, name)]
        head = [f"def determine(e_{self._schema.root.name}, as_of, P):"]
        if self.parameters:
            head.append(f"    {', '.join(f'p{index}' for index in range(len(self.parameters)))}, = P")
        return "\n".join([*head, *figures, *self._lines, ""])

    def _figure_lines(self, node: tree.ParameterRef, name: str) -> list[str]:
        return [f"    try: {name} = {self._looked_up(node)}", f"    except OpenValueUsed: {name} = OPEN"]

    # --- what there is to compute ------------------------------------------------------------------------------

    def _add_rule(self, name: str, rule: Rule) -> None:
        """Number the rule; one that says the same as an earlier rule for the same rows shares its value."""
        twin = self._twins.setdefault((rule.entity, rule.node), name)
        if isinstance(rule.node, tree.RuleRef) and rule.node.entity == rule.entity:
            twin = self._same.get(rule.node.rule, rule.node.rule)
        if twin != name:
            self._same[name] = twin
            self._numbers[name] = self._numbers[twin]
            return
        self._numbers[name] = f"r{len(self._numbers)}"
        self._items[name] = _Item(name, rule.entity, frozenset(self._needs(rule.node)), rule.node)

    def _needs(self, node: Node) -> Iterator[str]:
        if isinstance(node, tree.Aggregate):
            yield self._aggregate_name(node)
            return
        if isinstance(node, tree.RuleRef):
            yield self._same.get(node.rule, node.rule)
        for child in tree.children_of(node):
            yield from self._needs(child)

    def _aggregate_name(self, node: tree.Aggregate) -> str:
        return self._aggregates.setdefault(node, f"a{len(self._aggregates)}")

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
        self._lines += [f"{indent}{name} = {_STARTS[self._items[name].node.operator]}" for name in gathered]  # type: ignore[union-attr]
        start = len(self._lines)
        self._head(stage, batch, indent)
        body = indent + "    "
        self._scope(stage, batch, set(done), body)
        if stage.entries:
            self._lines.insert(start, f"{indent}L{stage.number} = []")
            self._lines.append(f"{body}L{stage.number}.append({_tuple(stage.entries)})")
            stage.parent.entries.append(f"L{stage.number}")
        self._finish(stage, gathered, indent)

    def _head(self, stage: _Stage, batch: set[str], indent: str) -> None:
        """The loop's first lines: rows beside the frames of earlier loops, and the values of these that are used."""
        assert stage.parent is not None
        rows = f"e_{stage.parent.entity}[{self._schema.rows_slot(stage.entity)}]"
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
            if self._items[name].node.operator in ("min", "max"):  # type: ignore[union-attr]
                self._lines.append(f"{indent}if {name} is None: {name} = 0")
        if self._schema.by_name[stage.entity].always_complete or not gathered:
            return
        slot = self._schema.rows_slot(stage.entity) + 1
        self._lines.append(f"{indent}if e_{stage.parent.entity}[{slot}] is not True:")
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
        guard = "".join(f"OPEN if {figure} is OPEN else " for figure in self._needed_figures(item.node))
        self._lines.append(f"{indent}try: {number} = {guard}{self._print(item.node)}")
        self._lines.append(f"{indent}except OpenValueUsed: {number} = OPEN")
        if guard or self._yields_a_figure(item.node):
            self._figure_rules.add(item.name)
        stage.entries.append(number)
        self._home[item.name] = stage

    def _gather(self, name: str, node: tree.Aggregate, indent: str) -> None:
        condition = f"if {self._print(node.condition)}: " if node.condition is not None else ""
        operand = self._print(node.operand)
        step = {
            "sum": f"{name} += {operand}",
            "count": f"{name} += 1 if {operand} else 0",
            "any": f"{name} = {name} if not {operand} else True",
            "all": f"{name} = {name} if {operand} else False",
            "max": f"{name} = {operand} if {name} is None or {operand} > {name} else {name}",
            "min": f"{name} = {operand} if {name} is None or {operand} < {name} else {name}",
        }[node.operator]
        decided = {"any": "True", "all": "False"}.get(node.operator)
        guard = f"if {name} is not {decided}: " if decided else ""
        self._lines.append(f"{indent}try:")
        self._lines.append(f"{indent}    {condition}{step}")
        self._lines.append(f"{indent}except OpenValueUsed:")
        self._lines.append(f"{indent}    {guard}{name} = OPEN")

    def _needed_figures(self, node: Node) -> list[str]:
        """Figures without which the node has no value: asking first is cheaper than an exception, row after row."""
        if isinstance(node, tree.ParameterRef):
            printed = self._print(node)
            return [printed] if printed.isidentifier() else []
        if isinstance(node, tree.RuleRef) and node.rule in self._figure_rules:
            return [self._print(node)]
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

    def _print(self, node: Node) -> str:
        return _PRINTERS[type(node)](self, node)

    def _const(self, node: tree.Const) -> str:
        return repr(node.value)

    def _fact(self, node: tree.FactRef) -> str:
        return f"e_{node.entity}[{node.position}]"

    def _rule(self, node: tree.RuleRef) -> str:
        return self._numbers[node.rule]

    def _parameter(self, node: tree.ParameterRef) -> str:
        if node.keys and all(
            isinstance(key, tree.FactRef) and key.entity == self._schema.root.name for key in node.keys
        ):
            # Looked up once for the whole run, since the root's facts do not change in it.
            return self._figures.setdefault(node, f"q{len(self._figures)}")
        return self._looked_up(node)

    def _looked_up(self, node: tree.ParameterRef) -> str:
        slot = self._slot((node.name, True))
        if not node.keys:
            return slot
        keys = [self._print(key) for key in node.keys]
        return f"{slot}[{keys[0]}]" if len(keys) == 1 else f"{slot}[{', '.join(keys)}]"

    def _held(self, node: tree.Held) -> str:
        return self._slot((node.name, False))

    def _slot(self, slot: ParameterSlot) -> str:
        if slot not in self.parameters:
            self.parameters.append(slot)
        return f"p{self.parameters.index(slot)}"

    def _as_of(self, _: tree.AsOf) -> str:
        return "as_of"

    def _not(self, node: tree.Not) -> str:
        return f"(not {self._print(node.operand)})"

    def _junction(self, node: tree.Junction) -> str:
        return "(" + f" {node.operator} ".join(self._print(operand) for operand in node.operands) + ")"

    def _comparison(self, node: tree.Comparison) -> str:
        if FRACTION not in (node.left.kind, node.right.kind):
            return f"({self._print(node.left)} {node.operator} {self._print(node.right)})"
        left, left_divisor = self._ratio(node.left)
        right, right_divisor = self._ratio(node.right)
        return f"({_product(left, right_divisor)} {node.operator} {_product(right, left_divisor)})"

    def _among(self, node: tree.Among) -> str:
        return f"({self._print(node.operand)} in {{{', '.join(repr(value) for value in node.values)}}})"

    def _arithmetic(self, node: tree.Arithmetic) -> str:
        return f"({self._print(node.left)} {node.operator} {self._print(node.right)})"

    def _ratio(self, node: Node) -> tuple[str, str]:
        if isinstance(node, tree.Share):
            amount, divisor = self._ratio(node.amount)
            return f"({amount} * {self._print(node.rate)})", _product(divisor, str(RATE_SCALE))
        if isinstance(node, tree.Quotient):
            amount, divisor = self._ratio(node.amount)
            return amount, _product(divisor, self._print(node.divisor))
        return self._print(node), "1"

    def _rounded(self, node: tree.Rounded) -> str:
        amount, divisor = self._ratio(node.operand)
        whole = _product(divisor, str(node.unit_fen))
        steps = {
            "floor": f"{amount} // {whole}",
            "ceil": f"({amount} + {whole} - 1) // {whole}",
            "half_up": f"(2 * {amount} + {whole}) // (2 * {whole})",
        }
        return _product(f"({steps[node.mode]})", str(node.unit_fen))

    def _choice(self, node: tree.Choice) -> str:
        condition, then, otherwise = (self._print(part) for part in (node.condition, node.then, node.otherwise))
        return f"({then} if {condition} else {otherwise})"

    def _extreme(self, node: tree.Extreme) -> str:
        printed = [self._print(operand) for operand in node.operands]
        if len(printed) != 2:
            return f"{node.operator}({', '.join(printed)})"
        # Twice as quick as calling the built-in; the first is computed before the second, and both only once.
        self._temporaries += 1
        first, second = f"t{self._temporaries}", f"u{self._temporaries}"
        sign = ">" if node.operator == "max" else "<"
        return f"({first} if ({first} := {printed[0]}) {sign} ({second} := {printed[1]}) else {second})"

    def _span(self, node: tree.Span) -> str:
        earlier, later = self._print(node.earlier), self._print(node.later)
        years = f"({later} - {earlier}) // 10000" if node.unit == "years" else f"full_months({earlier}, {later})"
        return f"({years} if {earlier} <= {later} else 0)"

    def _aggregate(self, node: tree.Aggregate) -> str:
        return self._aggregate_name(node)

    def _settled(self, node: tree.Settled) -> str:
        operand = self._print(node.operand)
        # An open fact is not settled; an open rule may yet be, which the abstract evaluator says.
        at_once = self._hasty or isinstance(node.operand, tree.FactRef)
        return f"({operand} is True)" if at_once else f"(not not {operand})"

    def _known(self, node: tree.Known) -> str:
        operand = self._print(node.operand)
        return f"({operand} == {operand})"


_STARTS = {"sum": "0", "count": "0", "any": "False", "all": "True", "min": "None", "max": "None"}

_PRINTERS: dict[type, Callable[[_Printer, Any], str]] = {
    tree.Const: _Printer._const,
    tree.FactRef: _Printer._fact,
    tree.RuleRef: _Printer._rule,
    tree.ParameterRef: _Printer._parameter,
    tree.Held: _Printer._held,
    tree.AsOf: _Printer._as_of,
    tree.Not: _Printer._not,
    tree.Junction: _Printer._junction,
    tree.Comparison: _Printer._comparison,
    tree.Among: _Printer._among,
    tree.Arithmetic: _Printer._arithmetic,
    tree.Rounded: _Printer._rounded,
    tree.Choice: _Printer._choice,
    tree.Extreme: _Printer._extreme,
    tree.Span: _Printer._span,
    tree.Aggregate: _Printer._aggregate,
    tree.Settled: _Printer._settled,
    tree.Known: _Printer._known,
}


def _product(left: str, right: str) -> str:
    if "1" in (left, right):
        return right if left == "1" else left
    return f"({left} * {right})"


def _tuple(parts: list[str]) -> str:
    return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"
