"""Prints one Python program that says why rules have their values: the reasons of each, and those beneath it.

What is beneath a rule is what made it what it is: the false parts of a false conjunction, the branch that was taken,
the exception that applies, row by row what was gathered. A rule without a sentence hands on what is beneath it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from services.shared.policy import tree
from services.shared.policy.open_value import OpenValueUsed
from services.shared.policy.pack import Programme
from services.shared.policy.printing import Place, Program
from services.shared.policy.reason_template import (
    CHILDREN,
    FACTS,
    FIGURES,
    GAP,
    SUBJECT,
    Hole,
    Template,
    Truth,
    exceptions_of,
    figures_of,
    has_sentence,
    programme_of,
    sentence_of,
    template_of,
    truths_of,
    values_of,
)
from services.shared.policy.rulebook import Rule, Rulebook, sub_rules
from services.shared.policy.schema import BOOL, DATE, INT, MONEY, MONTHS, RATE, RATE_SCALE, Kind
from services.shared.policy.spelling import ParameterSlot, Spelling
from services.shared.policy.text import Text
from services.shared.policy.tree import Node
from services.shared.policy.wire import NULL, wire_inside
from services.shared.vocabulary.money import yuan_of
from services.shared.vocabulary.period import date_text, full_months

NUMBER_BITS, ROW_BITS = 16, 20
"""What was said is remembered by a whole number: the rule's, and above it those of the rows from the root down."""

MAX_AMOUNTS = 10_000
"""Amounts of which a program remembers how they are written."""

ARGUMENTS = "c, F, E, P, M"
"""The explanation, the frame and facts of the root, the parameters, and what was said already."""


class TooMuchToSay(Exception):
    """The reasons would fill a book instead of an answer."""


@dataclass(frozen=True, slots=True)
class FigureSet:
    """The figures that a reason shows, by name, and the nodes whose codes choose their rows, each once."""

    figures: tuple[tree.ParameterRef, ...]
    keys: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ToldRule:
    """How a rule is told: its templates by what is known of it, and the number of its figures, -1 without any.

    `at_the_line` tells that it does not hold where there is no gap; None where that is told like any other refusal.
    `excepted` are the exceptions and how it is told while they apply, the first before the others.
    """

    rule: Rule
    templates: Mapping[Truth, Template]
    at_the_line: Template | None
    excepted: tuple[tuple[tree.RuleRef, Mapping[Truth, Template]], ...]
    figures: int


@dataclass(frozen=True)
class ReasonProgram:
    """The compiled functions by rule and by programme, the parameters they take in order, the figures that they name,
    and how rules are told."""

    source: str
    functions: Mapping[str, Callable[..., str]]
    granted: Mapping[str, Callable[..., list[str]]]
    refused: Mapping[str, Callable[..., list[str]]]
    parameters: tuple[ParameterSlot, ...]
    figure_sets: tuple[FigureSet, ...]
    told: tuple[ToldRule, ...]


def compile_reasons(book: Rulebook, program: Program, *, with_facts: bool = False) -> ReasonProgram:
    """The program that explains every rule of the book from what `program` computed.

    `with_facts` lets it ask where the facts that a rule reads come from, which costs time where nobody said.
    """
    printer = _Printer(book, program, with_facts)
    source = printer.source()
    amounts: dict[int, str] = {}
    namespace: dict[str, Any] = {
        "OpenValueUsed": OpenValueUsed,
        "TooMuchToSay": TooMuchToSay,
        "NULL": NULL,
        "full_months": full_months,
        "Y": amounts,
        "yuan": lambda fen: _remembered_amount(amounts, fen),
        "rate_text": rate_text,
        "date_text": date_text,
        **printer.constants,
    }
    # As for values, the text is printed from the checked tree alone; what packs say comes in as constants by number.
    exec(compile(source, f"<reasons {book.chain[0].id} {book.on}>", "exec"), namespace)
    functions = {name: namespace[f"x{number}"] for name, number in printer.numbers.items()}
    granted, refused = (
        {programme: namespace[f"{prefix}{number}"] for number, programme in enumerate(book.programmes)}
        for prefix in "ab"
    )
    return ReasonProgram(
        source, functions, granted, refused, tuple(printer.parameters), tuple(printer.figure_sets), printer.told()
    )


def _remembered_amount(amounts: dict[int, str], fen: int) -> str:
    """The amount in yuan. Standards, their sums and what hangs on them come again and again."""
    if len(amounts) >= MAX_AMOUNTS:
        amounts.clear()
    text = amounts[fen] = yuan_of(fen)
    return text


def rate_text(rate: int) -> str:
    """A rate as an answer shows it: 15000 is "1.5"."""
    return f"{rate // RATE_SCALE}.{rate % RATE_SCALE:04d}".rstrip("0").rstrip(".")


Scope = Mapping[str, str]
"""For each entity with many rows, the variable that holds the number of the row that is looked at."""


class _Printer(Spelling):
    def __init__(self, book: Rulebook, program: Program, with_facts: bool) -> None:
        super().__init__()
        self._book, self._schema, self._program, self._with_facts = book, book.schema, program, with_facts
        self.numbers = {name: number for number, name in enumerate(book.rules)}
        self.constants: dict[str, Any] = {}
        self.figure_sets: list[FigureSet] = []
        self._names: dict[Any, str] = {}
        self._reaching: dict[str, bool] = {}
        self._handed_on: dict[str, tuple[str, ...]] = {}
        self._growing: dict[str, bool] = {}
        self._silent: dict[tuple[str, tuple[str, ...], int], str] = {}
        self._waiting: list[Callable[[], None]] = []
        self._lines: list[str] = []
        self._indent = ""
        self._count = 0
        self._scope: Scope = {}
        self._seen_from: tuple[str, ...] = ()
        self._said: list[str] = []
        self._loops: list[str] = []
        self._may_repeat = False

    def source(self) -> str:
        """The text of all functions; fills `constants`, `parameters` and `figure_sets`."""
        # Each rule comes after those it uses, so that no chain of rules is ever gone down at once.
        for rule in self._book.rules.values():
            self._reason(rule)
        for number, programme in enumerate(self._book.programmes.values()):
            self._of_programme(f"a{number}", programme, refused=False)
            self._of_programme(f"b{number}", programme, refused=True)
        while self._waiting:
            self._waiting.pop()()
        return "\n".join([*self._lines, ""])

    def told(self) -> tuple[ToldRule, ...]:
        """How each rule is told, by number."""
        return tuple(self._told(rule) for rule in self._book.rules.values())

    def _told(self, rule: Rule) -> ToldRule:
        templates = {truth: self._template(rule, truth) for truth in truths_of(rule)}
        at_the_line = rule.at_the_line and self._template(rule, False, sentence=rule.at_the_line)
        excepted = tuple(
            (when, {truth: self._template(rule, truth, sentence=said) for truth in truths_of(rule)})
            for when, said in exceptions_of(self._book, rule)
        )
        figures = self._figure_set(rule) if figures_of(rule) else -1
        return ToldRule(rule, templates, at_the_line or None, excepted, figures)

    # --- names -------------------------------------------------------------------------------------------------

    def fact(self, node: tree.FactRef) -> str:
        return f"{self._facts(node.entity)}[{node.position}]"

    def rule(self, node: tree.RuleRef) -> str:
        return self._at(self._program.places[node.rule], self._book.rules[node.rule].entity)

    def aggregate(self, node: tree.Aggregate) -> str:
        parent = self._schema.by_name[node.entity].parent
        assert parent is not None
        return self._at(self._program.gathered[node], parent)

    def slot(self, slot: ParameterSlot) -> str:
        return f"P[{self.slot_number(slot)}]"

    def _as_of(self, _: tree.AsOf) -> str:
        return "c.as_of"

    def _at(self, place: Place, entity: str) -> str:
        rows = [*self._row(entity), ""]
        return "F" + "".join(f"[{slot}]" + (f"[{row}]" if row else "") for slot, row in zip(place, rows, strict=True))

    def _facts(self, entity: str) -> str:
        lineage = self._schema.lineage(entity)[1:]
        return "E" + "".join(f"[{self._schema.rows_slot(name)}][{self._scope[name]}]" for name in lineage)

    def _row(self, entity: str) -> tuple[str, ...]:
        """The variables that say which row of the entity is looked at."""
        return tuple(self._scope[name] for name in self._schema.lineage(entity)[1:])

    def _constant(self, value: Any, prefix: str = "K") -> str:
        key = (prefix, value if isinstance(value, str) else id(value))
        if key not in self._names:
            self._names[key] = f"{prefix}{len(self._names)}"
            self.constants[self._names[key]] = value
        return self._names[key]

    def _fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    # --- lines -------------------------------------------------------------------------------------------------

    def _line(self, text: str) -> None:
        self._lines.append(self._indent + text)

    @contextmanager
    def _block(self, head: str) -> Iterator[None]:
        self._line(head)
        start = len(self._lines)
        self._indent += "    "
        yield
        if len(self._lines) == start:
            self._line("pass")
        self._indent = self._indent[:-4]

    @contextmanager
    def _function(self, name: str, seen_from: Sequence[str], scope: Scope, more: str = "") -> Iterator[None]:
        self._count, self._said, self._loops, self._may_repeat = 0, [], [], False
        self._scope, self._seen_from = scope, tuple(seen_from)
        with self._block(f"def {name}({ARGUMENTS}{more}):"):
            yield

    # --- a programme -------------------------------------------------------------------------------------------

    def _of_programme(self, name: str, programme: Programme, *, refused: bool) -> None:
        """Why it is granted or open: its conditions and its amount; or why it is refused: the conditions that refuse.

        What was met, or is not known, would only hide what refuses. Packs write first what refuses most plainly, such
        as an age: behind a refusal, what the program left open is not looked into.
        """
        lineage = self._schema.lineage(programme.entity)[1:]
        rows = [f"i{depth}" for depth in range(len(lineage))]
        scope = dict(zip(lineage, rows, strict=True))
        with self._function(name, rows, scope, "".join(f", {row}" for row in rows)):
            self._line("out = []")
            amounts = () if refused else (programme.monthly or programme.one_off,)
            for rule in filter(None, (*programme.conditions, *amounts)):
                self._scope = scope
                self._of_condition(self._book.rules[rule], refused)
            self._line("return out")

    def _of_condition(self, rule: Rule, refused: bool) -> None:
        node = tree.RuleRef(rule.id, rule.entity, rule.kind)
        truth = self._truth(node, " and not out" * refused) if refused or self._is_constant(rule) else ""
        self._scope = {name: self._scope[name] for name in self._schema.lineage(rule.entity)[1:]}
        with self._block(f"if {truth} is False:") if refused else nullcontext():
            self._add(rule, "False" if refused else truth)

    # --- one reason --------------------------------------------------------------------------------------------

    def _reason(self, rule: Rule) -> None:
        number = self.numbers[rule.id]
        lineage = self._schema.lineage(rule.entity)[1:]
        rows = [f"i{depth}" for depth in range(len(lineage))]
        more = "".join(f", {name}" for name in [*rows, *(["s"] if rows else [])])
        with self._function(f"x{number}", rows, dict(zip(lineage, rows, strict=True)), more):
            self._remembered(2 * number, rows, " + (s is not NULL)" if rows else "")
            truth = self._truth(tree.RuleRef(rule.id, rule.entity, BOOL)) if rule.kind is BOOL else ""
            self._told_elsewhere(rule, truth)
            has_children = self._beneath(rule, truth)
            if has_children:
                self._line('kids = ",".join(out)')
            self._told_by(rule, truth, has_children)
            if self._grows(rule):
                self._line("c.left -= len(t)")
                self._line("if c.left < 0: raise TooMuchToSay")
            self._line("M[k] = t")
            self._line("return t")

    def _told_elsewhere(self, rule: Rule, truth: str) -> None:
        """Where a programme is answered too, its own result tells what is beneath it, and others only name it."""
        programme = programme_of(self._book, rule)
        if programme is not None:
            with self._block(f"if {self._constant(programme.id)} in c.answered:"):
                self._by_truth(rule, truth, {}, programme.id)
                self._line("M[k] = t")
                self._line("return t")

    def _remembered(self, number: int, rows: Sequence[str], more: str = "") -> None:
        shifts = [f" + ({row} << {NUMBER_BITS + ROW_BITS * depth})" for depth, row in enumerate(rows)]
        self._line(f"k = {number}{''.join(shifts)}{more}")
        self._line("t = M.get(k)")
        self._line("if t is not None: return t")

    def _beneath(self, rule: Rule, truth: str) -> bool:
        if not self._reaches(rule.node):
            return False
        self._line("out = []")
        self._slice(rule.node, truth)
        if self._may_repeat or len(set(self._said)) < len(self._said):
            self._line("if len(out) > 1: out = list({id(told): told for told in out}.values())")
        return True

    def _told_by(self, rule: Rule, truth: str, has_children: bool) -> None:
        """The line or lines that make the text, by what is known of the rule."""
        if not rule.values:
            self._by_truth(rule, truth, {})
            return
        number, rows = self.numbers[rule.id], self._row(rule.entity)
        with self._block("try:"):
            texts = {name: self._shown(node) for name, node in rule.values.items()}
            if figures_of(rule):
                self._published(self._figure_set(rule))
            self._by_truth(rule, truth, texts)
        with self._block("except OpenValueUsed:"):
            subject, kids = ("s" if rows else "NULL"), ("kids" if has_children else '""')
            self._line(f"t = c.partly({number}, {_tuple(rows)}, {subject}, {truth or 'None'}, {kids})")

    def _by_truth(self, rule: Rule, truth: str, texts: Mapping[str, tuple[str, str]], told_by: str = "") -> None:
        cases = truths_of(rule)
        if len(cases) == 1:
            self._composed(rule, cases[0], texts, told_by)
            return
        for case, test in zip(cases, ("if", "elif", "else"), strict=True):
            with self._block("else:" if test == "else" else f"{test} {truth} is {case}:"):
                self._composed(rule, case, texts, told_by)

    def _composed(self, rule: Rule, case: Truth, texts: Mapping[str, tuple[str, str]], told_by: str) -> None:
        shown = {name: text for name, (_, text) in texts.items()}
        if GAP in values_of(rule, case) and rule.written is not None and texts:
            upper, lower = (texts[name][0] for name in rule.written.gap)
            self._line(f"v0 = {upper} - {lower} if {upper} > {lower} else 0")
            shown[GAP] = self._text("v0", self._gap_kind(rule))
        self._line(f"t = {self._formatted(rule, case, shown, told_by)}")
        if GAP in shown and case is False and rule.at_the_line:
            self._line(f"if v0 == 0: t = {self._formatted(rule, case, shown, told_by, sentence=rule.at_the_line)}")
        if case is not None:
            for when, said in reversed(list(exceptions_of(self._book, rule))):
                applies = self._truth(when)
                self._line(f"if {applies} is True: t = {self._formatted(rule, case, shown, told_by, sentence=said)}")

    def _gap_kind(self, rule: Rule) -> Kind:
        assert rule.written is not None
        return rule.values[rule.written.gap[0]].kind

    def _formatted(
        self,
        rule: Rule,
        case: Truth,
        shown: Mapping[str, str],
        told_by: str = "",
        subject: str = "",
        sentence: Text | None = None,
    ) -> str:
        """The template as an f-string, in which literal text are constants by number."""
        kinds = {name: node.kind for name, node in rule.values.items()}
        if rule.written is not None and rule.written.gap:
            kinds[GAP] = self._gap_kind(rule)
        parts: list[str] = []
        literal = ""
        for part in self._template(rule, case, told_by, sentence):
            if isinstance(part, str):
                literal += part
                continue
            quote = '"' if part.what == "json" and kinds[part.value] not in (INT, MONTHS, BOOL) else ""
            filling = self._filling(rule, part, kinds, shown)
            if part == SUBJECT and "NULL" in (filling, subject):
                literal += NULL
                continue
            parts += [self._constant(literal + quote), filling]
            literal = quote
        parts.append(self._constant(literal))
        return 'f"' + "".join(f"{{{part}}}" for part in parts) + '"' if len(parts) > 1 else parts[0]

    def _filling(self, rule: Rule, hole: Hole, kinds: Mapping[str, Kind], shown: Mapping[str, str]) -> str:
        rows = self._row(rule.entity)
        if hole.what in ("zh", "en", "json"):
            is_truth = kinds[hole.value] is BOOL
            return f"{'J' if hole.what == 'json' else 'S'}{shown[hole.value]}" if is_truth else shown[hole.value]
        return {
            SUBJECT: "s" if rows else "NULL",
            FIGURES: "g",
            CHILDREN: "kids",
            FACTS: f"c.facts({self.numbers[rule.id]}, {_tuple(rows)})",
        }[hole]

    def _template(self, rule: Rule, truth: Truth, told_by: str = "", sentence: Text | None = None) -> Template:
        has_children = not told_by and self._reaches(rule.node)
        template = template_of(self._book, rule, truth, has_children=has_children, told_by=told_by, sentence=sentence)
        has_facts = self._with_facts and any(isinstance(part, tree.FactRef) for part in tree.walk(rule.node))
        return template if has_facts else tuple(part for part in template if part != FACTS)

    # --- what is shown -----------------------------------------------------------------------------------------

    def _shown(self, node: Node) -> tuple[str, str]:
        """The variables of a known value and of its text; the lines stop with OpenValueUsed where it is open."""
        value = self._fresh("v")
        # Formatting alone would not stop at an open value.
        checked = " + 0" if node.kind in (INT, MONTHS) else ""
        self._line(f"{value} = {self.spell(node)}{checked}")
        return value, self._text(value, node.kind)

    def _text(self, value: str, kind: Kind) -> str:
        if kind in (INT, MONTHS):
            return value
        text = self._fresh("s")
        spelt = {
            MONEY: f"Y.get({value}) or yuan({value})",
            RATE: f"rate_text({value})",
            DATE: f"date_text({value})",
        }
        if kind is BOOL:
            self._line(f'J{text}, S{text} = ("true", "True") if {value} else ("false", "False")')
        else:
            self._line(f"{text} = {spelt[kind] if kind in spelt else f'{self._codes(kind)}[{value}]'}")
        return text

    def _codes(self, kind: Kind) -> str:
        key = ("codes", kind.codes)
        if key not in self._names:
            self._names[key] = f"C{len(self._names)}"
            self.constants[self._names[key]] = {code: wire_inside(code) for code in kind.codes}
        return self._names[key]

    def _published(self, number: int) -> None:
        keys = [self.spell(key) for key in self.figure_sets[number].keys]
        key = keys[0] if len(keys) == 1 else _tuple(keys)
        self._line(f"g = c.figures[{number}].get({key})")
        self._line(f"if g is None: g = c.published({number}, {_tuple(keys)}, {key})")

    def _figure_set(self, rule: Rule) -> int:
        figures = figures_of(rule)
        keys = tuple(dict.fromkeys(key for figure in figures for key in figure.keys))
        found = FigureSet(figures, keys)
        if found not in self.figure_sets:
            self.figure_sets.append(found)
        return self.figure_sets.index(found)

    # --- what is beneath ---------------------------------------------------------------------------------------

    def _reaches(self, node: Node) -> bool:
        """Whether a sentence is beneath the node."""
        if isinstance(node, tree.RuleRef):
            rule = self._book.rules[node.rule]
            return has_sentence(self._book, rule) or self._hands_on(rule)
        return any(self._reaches(child) for child in tree.children_of(node))

    def _hands_on(self, rule: Rule) -> bool:
        if rule.id not in self._reaching:
            self._reaching[rule.id] = self._reaches(rule.node)
        return self._reaching[rule.id]

    def _slice(self, node: Node, truth: str = "") -> None:
        """The lines that add what is beneath the node to `out`; `truth` is the variable that holds its truth."""
        if not self._reaches(node):
            return
        if isinstance(node, tree.RuleRef):
            self._of_rule(node, truth)
        elif isinstance(node, tree.Junction):
            self._of_junction(node, truth)
        elif isinstance(node, tree.Choice):
            self._of_choice(node)
        elif isinstance(node, tree.Aggregate):
            self._of_aggregate(node)
        elif isinstance(node, tree.Settled):
            truth = self._truth(node.operand)
            with self._block(f"if {truth} is True:"):
                self._slice(node.operand, truth)
        else:
            for child in tree.children_of(node):
                self._slice(child)

    def _truth(self, node: Node, provided: str = "") -> str:
        """A new variable: True, False, or None while the condition is open; looked into only where `provided` holds."""
        name, where = self._fresh("w"), self._innermost()
        resolved = f"c.truth({self._constant(node, 'N')}, {where!r}, {_tuple(self._row(where))})"
        if isinstance(node, tree.RuleRef):
            self._line(f"{name} = {self.rule(node)}")
            # A rule that hands on an open fact has the fact's own Unknown for its value.
            self._line(f"if {name} is not True and {name} is not False{provided}: {name} = {resolved}")
        else:
            # What is no comparison may hand on an open value, at which `not` stops.
            stopping = "" if isinstance(node, tree.Comparison | tree.Among) else "not not "
            self._line(f"try: {name} = {stopping}{self.spell(node)}")
            self._line(f"except OpenValueUsed: {name} = {resolved}")
        return name

    def _innermost(self) -> str:
        """The entity whose row is looked at."""
        return max(self._scope, key=lambda name: len(self._schema.lineage(name)), default=self._schema.root.name)

    def _of_junction(self, node: tree.Junction, truth: str) -> None:
        # A conjunction is false because of its false parts alone; a true one rests on all of them.
        truth = truth or self._truth(node)
        for operand in filter(self._reaches, node.operands):
            own = self._truth(operand)
            with self._block(f"if {own} is {truth}:"):
                self._slice(operand, own)

    def _of_choice(self, node: tree.Choice) -> None:
        truth = self._truth(node.condition)
        is_exception = isinstance(node.condition, tree.RuleRef) and node.condition.rule in self._book.exceptions
        # An exception that does not apply is not worth a line.
        for part, case, is_limited in (
            (node.condition, False, is_exception),
            (node.then, False, True),
            (node.otherwise, True, True),
        ):
            if self._reaches(part):
                with self._block(f"if {truth} is not {case}:") if is_limited else nullcontext():
                    self._slice(part, truth if part is node.condition else "")

    def _of_aggregate(self, node: tree.Aggregate) -> None:
        entity, outer = self._schema.by_name[node.entity], self._scope
        assert entity.parent is not None
        row, rows = self._fresh("o"), f"{self._facts(entity.parent)}[{self._schema.rows_slot(entity.name)}]"
        above = self._schema.lineage(entity.parent)[1:]
        self._scope = {name: outer[name] for name in above} | {entity.name: row}
        self._loops.append(row)
        with self._block(f"for {row} in range(len({rows})):"):
            self._of_row(node)
        self._loops.pop()
        self._scope = outer

    def _of_row(self, node: tree.Aggregate) -> None:
        if node.condition is None:
            self._slice(node.operand)
            return
        taken = self._truth(node.condition)
        if self._reaches(node.condition):
            with self._block(f"if {taken} is not True:"):
                self._slice(node.condition, taken)
        if self._reaches(node.operand):
            with self._block(f"if {taken} is not False:"):
                self._slice(node.operand)

    # --- rules beneath -----------------------------------------------------------------------------------------

    def _of_rule(self, node: tree.RuleRef, truth: str) -> None:
        rule, outer = self._book.rules[node.rule], self._scope
        self._scope = {name: outer[name] for name in self._schema.lineage(rule.entity)[1:]}
        if has_sentence(self._book, rule):
            self._say(rule, node, truth)
        else:
            self._hand_on(rule)
        self._scope = outer

    def _say(self, rule: Rule, node: tree.RuleRef, truth: str) -> None:
        said = [case for case in truths_of(rule) if sentence_of(self._book, rule, case) is not None]
        is_limited = len(said) < len(truths_of(rule))
        if rule.kind is BOOL and (is_limited or self._is_constant(rule)):
            truth = truth or self._truth(node)
        test = f"if {' or '.join(f'{truth} is {case}' for case in said)}:"
        with self._block(test) if said and is_limited else nullcontext():
            if said:
                self._say_where_shown(rule, truth)

    def _say_where_shown(self, rule: Rule, truth: str) -> None:
        shown = None if rule.shown_when is None else self._truth(rule.shown_when)
        with self._block(f"if {shown} is not False:") if shown else nullcontext():
            self._add(rule, truth)

    def _add(self, rule: Rule, truth: str) -> None:
        rows = self._row(rule.entity)
        self._said.append(rule.id)
        self._may_repeat |= not set(self._loops) <= set(rows)
        if self._is_constant(rule):
            self._line(f"out.append({self._constant_text(rule, truth)})")
            return
        more = "".join(f", {name}" for name in [*rows, *([self._subject(rule.entity, rows)] if rows else [])])
        self._line(f"out.append(x{self.numbers[rule.id]}({ARGUMENTS}{more}))")

    def _constant_text(self, rule: Rule, truth: str) -> str:
        texts = {case: self._formatted(rule, case, {}, subject="NULL") for case in truths_of(rule)}
        if rule.kind is not BOOL:
            return texts[None]
        if truth == "False":
            return texts[False]
        return f"{texts[True]} if {truth} is True else {texts[False]} if {truth} is False else {texts[None]}"

    def _is_constant(self, rule: Rule) -> bool:
        """Whether the reason's text, here, hangs on nothing but what is known of the rule."""
        rows = self._row(rule.entity)
        if programme_of(self._book, rule) is not None or (rows and self._subject(rule.entity, rows) != "NULL"):
            return False
        template = self._template(rule, truths_of(rule)[0])
        return all(isinstance(part, str) or part == SUBJECT for part in template)

    def _subject(self, entity: str, rows: tuple[str, ...]) -> str:
        """Whom a row stands for, where it is not the row that the reason is of, or one that this lies in."""
        seen_from = self._seen_from[: len(rows)]
        if rows == seen_from:
            return "NULL"
        number = self._schema.entities.index(self._schema.by_name[entity])
        key = rows[0] if len(rows) == 1 else _tuple(rows)
        name = f"(c.names[{number}].get({key}) or c.named({number}, {_tuple(rows)}, {key}))"
        if len(seen_from) < len(rows):
            return name
        same = " and ".join(f"{own} == {other}" for own, other in zip(rows, seen_from, strict=True) if own != other)
        return f"NULL if {same} else {name}"

    def _hand_on(self, rule: Rule) -> None:
        """What is beneath a rule that says nothing itself, in a function of its own, since many rest on it."""
        rows = self._row(rule.entity)
        shared = next((i for i, (a, b) in enumerate(zip(rows, self._seen_from, strict=False)) if a != b), None)
        shared = min(len(rows), len(self._seen_from)) if shared is None else shared
        own = rows[shared:]
        key = (rule.id, tuple(f"i{depth}" for depth in range(len(self._seen_from))), shared)
        if key not in self._silent:
            self._silent[key] = f"z{len(self._silent)}"
            self._waiting.append(lambda: self._silent_function(rule, key))
        self._said += self._may_say(rule)
        self._may_repeat |= bool(self._loops)
        more = "".join(f", {name}" for name in [*self._seen_from, *own])
        self._line(f"out += {self._silent[key]}({ARGUMENTS}{more})")

    def _silent_function(self, rule: Rule, key: tuple[str, tuple[str, ...], int]) -> None:
        _, seen_from, shared = key
        lineage = self._schema.lineage(rule.entity)[1:]
        own = [f"j{depth}" for depth in range(shared, len(lineage))]
        scope = dict(zip(lineage, [*seen_from[:shared], *own], strict=True))
        name, parameters = self._silent[key], [*seen_from, *own]
        with self._function(name, seen_from, scope, "".join(f", {name}" for name in parameters)):
            self._line(f"k = {_tuple([repr(name), *parameters])}")
            self._line("t = M.get(k)")
            self._line("if t is not None: return t")
            truth = self._truth(tree.RuleRef(rule.id, rule.entity, BOOL)) if rule.kind is BOOL else ""
            self._beneath(rule, truth)
            self._line("M[k] = out")
            self._line("return out")

    def _may_say(self, rule: Rule) -> tuple[str, ...]:
        """The rules with a sentence that a rule without one hands on."""
        if rule.id not in self._handed_on:
            found: dict[str, None] = {}
            for name in sub_rules(rule.node):
                below = self._book.rules[name]
                found |= dict.fromkeys([name] if has_sentence(self._book, below) else self._may_say(below))
            self._handed_on[rule.id] = tuple(found)
        return self._handed_on[rule.id]

    def _grows(self, rule: Rule) -> bool:
        """Whether the size of the text hangs on how many rows there are."""
        if rule.id not in self._growing:
            gathers = any(isinstance(part, tree.Aggregate) for part in tree.walk(rule.node))
            below = (self._book.rules[name] for name in sub_rules(rule.node))
            self._growing[rule.id] = gathers or any(self._grows(used) for used in below)
        return self._growing[rule.id]


def _tuple(parts: Sequence[str]) -> str:
    return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"
