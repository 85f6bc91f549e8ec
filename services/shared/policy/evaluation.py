"""One evaluation: packs prepared for a place and date, run over rows, every rule's value kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from typing import Any

from services.shared.policy.abstract import (
    UNTOLD,
    AbstractEvaluator,
    Paths,
    Row,
    Seen,
    is_single,
    only_value,
    told_rows,
)
from services.shared.policy.expression import Readings, rate_of
from services.shared.policy.fault import PackFault
from services.shared.policy.figures import FigureInForce
from services.shared.policy.open_value import OPEN, Unknown
from services.shared.policy.pack import Pack, ParameterDeclaration
from services.shared.policy.printing import Determine, Frame, Place, Program, compile_rulebook
from services.shared.policy.reason_printing import ReasonProgram, compile_reasons
from services.shared.policy.rulebook import Rulebook, rulebook_of
from services.shared.policy.schema import Schema
from services.shared.policy.spelling import ParameterSlot
from services.shared.policy.text import Text
from services.shared.policy.truth import EITHER, TRUE
from services.shared.vocabulary.money import fen_of
from services.shared.vocabulary.period import date_number
from services.shared.vocabulary.region import NATION, living_code, places_upwards

MAX_PROGRAMS = 500
"""Programs a pack set keeps: some two dozen for each set of rules that differs by place or date."""
MAX_PREPARED = 64
"""Prepared policies a pack set keeps; a service answers for a few places and dates at a time."""


class PackSet:
    """The packs that are in use, by jurisdiction. Preparing a place and date is remembered; nothing else changes."""

    def __init__(self, schema: Schema, packs: Iterable[Pack]) -> None:
        self.schema = schema
        self.packs = tuple(sorted(packs, key=lambda pack: pack.id))
        self.readings = Readings()
        self._by_place: dict[str, Pack] = {}
        for pack in self.packs:
            if pack.jurisdiction in self._by_place:
                problem = Text("同一地区有两个规则包", "two packs are for one place")
                raise PackFault(pack.id, "pack.toml", 0, problem, Text("只保留一个", "keep one of them"))
            self._by_place[pack.jurisdiction] = pack
        self._prepared: dict[tuple[tuple[str, ...], date], PreparedPolicy] = {}
        self._found: dict[tuple[str, date], PreparedPolicy] = {}
        # Each beside its rulebook, which keeps alive what the key names by its identity.
        self._programs: dict[tuple[tuple[int, ...], str], tuple[Program, Rulebook]] = {}
        self._reasons: dict[tuple[tuple[int, ...], tuple[int, ...], bool], tuple[ReasonProgram, Rulebook]] = {}

    def with_pack(self, pack: Pack) -> "PackSet":
        """The set with `pack` in place of the one for its place; programs of rules that both have are made once."""
        others = (each for each in self.packs if each.jurisdiction != pack.jurisdiction)
        changed = PackSet(self.schema, (*others, pack))
        changed.readings = self.readings
        changed._programs, changed._reasons = dict(self._programs), dict(self._reasons)
        return changed

    def chain(self, region: str) -> tuple[Pack, ...]:
        """The packs for a place: its own, its prefecture's, its province's, the nation's. Raises PackFault if none."""
        found = (self._by_place.get(place) for place in places_upwards(region))
        chain = tuple(pack for pack in found if pack is not None and pack.stands_for(region))
        if not chain or chain[-1].jurisdiction != NATION:
            problem = Text("缺少全国规则包", "the nation's pack is missing")
            raise PackFault(NATION, "pack.toml", 0, problem, Text("补上规则包 cn", "add the pack cn"))
        return chain

    def is_prepared(self, region: str, as_of: date) -> bool:
        """Whether `prepare` has only to look it up. Raises PackFault as that does."""
        return (region, as_of) in self._found or self._key(self._chain_on(region, as_of), as_of) in self._prepared

    def prepare(self, region: str, as_of: date) -> "PreparedPolicy":
        """The policy in force at a place on a date. Raises PackFault when the packs do not fit together.

        A place that is no more has the packs of its successor, unless one is still published for its own code.
        """
        policy = self._found.get((region, as_of))
        if policy is None:
            policy = self._prepared_on(self._chain_on(region, as_of), as_of)
            if len(self._found) >= MAX_PREPARED:
                self._found.clear()
            self._found[region, as_of] = policy
        return policy

    def _prepared_on(self, chain: tuple[Pack, ...], as_of: date) -> "PreparedPolicy":
        key = self._key(chain, as_of)
        policy = self._prepared.get(key)
        if policy is None:
            if len(self._prepared) >= MAX_PREPARED:
                # Threads share the set: each step here is one that none can see half done.
                for oldest in list(self._prepared)[:1]:
                    self._prepared.pop(oldest, None)
            book = rulebook_of(self.schema, chain, as_of, self.readings)
            policy = self._prepared[key] = PreparedPolicy(book, self.program(book), _values(book), self)
        return policy

    def _chain_on(self, region: str, as_of: date) -> tuple[Pack, ...]:
        return self.chain(region if region in self._by_place else living_code(region, as_of))

    @staticmethod
    def _key(chain: tuple[Pack, ...], as_of: date) -> tuple[tuple[str, ...], date]:
        return tuple(pack.sha256 for pack in chain), as_of

    def program(self, book: Rulebook) -> Program:
        """The program of a rulebook of this set; places and dates with the same rules share it."""
        return self._program(book, "")

    def trial_program(self, book: Rulebook, programme: str) -> Program:
        """The hasty program of a rulebook that holds the rules of one programme alone."""
        return self._program(book, programme)

    def _program(self, book: Rulebook, programme: str) -> Program:
        key = (book.made_of, programme)
        kept = self._programs.get(key)
        if kept is None:
            if len(self._programs) >= MAX_PROGRAMS:
                self._programs.clear()
            kept = self._programs[key] = compile_rulebook(book, hasty=bool(programme)), book
        return kept[0]

    def reasons(self, book: Rulebook, program: Program, *, with_facts: bool = False) -> ReasonProgram:
        """The program that explains a rulebook of this set; places and dates with the same rules and law share it."""
        key = (book.made_of, book.cites, with_facts)
        kept = self._reasons.get(key)
        if kept is None:
            if len(self._reasons) >= MAX_PREPARED:
                self._reasons.clear()
            kept = self._reasons[key] = compile_reasons(book, program, with_facts=with_facts), book
        return kept[0]


@dataclass(frozen=True)
class PreparedPolicy:
    """A rulebook, its program and the figures in force; `overrides` are figures that a simulation replaced."""

    book: Rulebook
    program: Program
    parameters: Mapping[str, Mapping[tuple[str, ...], Any]]
    packs: PackSet = field(repr=False, compare=False)
    overrides: tuple[tuple[str, Any], ...] = ()
    is_hasty: bool = False

    def elsewhere(self, region: str) -> "PreparedPolicy":
        """The policy of another place on the same date, with the same figures replaced."""
        return self.packs.prepare(region, self.book.on).with_parameters(dict(self.overrides))

    @cached_property
    def arguments(self) -> tuple[Any, ...]:
        """The program's parameters, in its order: a value, or a table by key code where the figure differs."""
        return self._arguments(self.program.parameters)

    @cached_property
    def reasons(self) -> ReasonProgram:
        """The program that explains."""
        return self.packs.reasons(self.book, self.program)

    @cached_property
    def reasons_with_facts(self) -> ReasonProgram:
        """The program that explains, and says of the facts that a rule reads where they come from."""
        return self.packs.reasons(self.book, self.program, with_facts=True)

    @cached_property
    def reason_arguments(self) -> tuple[Any, ...]:
        """The parameters of either program of reasons."""
        return self._arguments(self.reasons.parameters)

    @cached_property
    def figure_texts(self) -> tuple[dict[Any, str], ...]:
        """For each set of figures that a reason shows, by key codes, where they were published, as far as asked for."""
        return tuple({} for _ in self.reasons.figure_sets)

    @cached_property
    def as_of(self) -> int:
        """The date as a date number."""
        return date_number(self.book.on)

    def held(self, name: str) -> bool:
        """Whether the place holds any figure of the parameter on the date."""
        return any(not isinstance(value, Unknown) for value in self.parameters[name].values())

    @cached_property
    def all_held(self) -> Mapping[str, bool]:
        """`held` of every parameter."""
        return {name: self.held(name) for name in self.parameters}

    def with_parameters(self, overrides: Mapping[str, Any]) -> "PreparedPolicy":
        """The same policy with figures replaced for every key; parameters that no pack declares change nothing."""
        replaced = dict(self.parameters)
        for name, value in overrides.items():
            if name in replaced:
                replaced[name] = dict.fromkeys(replaced[name], value)
        return replace(self, parameters=replaced, overrides=(*self.overrides, *overrides.items()))

    def trial(self, programme: str) -> "PreparedPolicy":
        """The policy for many quick evaluations of one programme: its rules alone, and what is open is not settled."""
        book: Rulebook = self.book.remembered(f"trial {programme}", lambda: self._alone(programme))
        return replace(self, book=book, program=self.packs.trial_program(book, programme), is_hasty=True)

    def _alone(self, programme: str) -> Rulebook:
        below = self.book.rules_below(self.book.programmes[programme].rules)
        return replace(self.book, rules={name: self.book.rules[name] for name in below})

    @cached_property
    def run(self) -> Determine:
        """Gives every rule's value for one root row: the hot path, a few microseconds."""
        # Trials look into what is open, which the quick program would only hand over.
        if self.is_hasty or any(map(_has_gap, self.arguments)):
            return self._run_carefully
        return self.program.quick(self.as_of, self.arguments, self._run_carefully)

    def _run_carefully(self, root: Frame) -> Frame:
        return self.program.function(root, self.as_of, self.arguments)

    def _arguments(self, parameters: Iterable[ParameterSlot]) -> tuple[Any, ...]:
        return tuple(self._argument(name) if is_value else self.held(name) for name, is_value in parameters)

    def _argument(self, name: str) -> Any:
        # Compiled code asks `is OPEN`; which figure is missing is for the abstract evaluator.
        table = {codes: OPEN if isinstance(value, Unknown) else value for codes, value in self.parameters[name].items()}
        if () in table:
            return table[()]
        if len(next(iter(table))) == 1:
            return {codes[0]: value for codes, value in table.items()}
        return table


def _has_gap(argument: Any) -> bool:
    """Whether a program's argument is a figure that is missing, or a table in which one is."""
    return any(value is OPEN for value in (argument.values() if isinstance(argument, dict) else (argument,)))


def _values(book: Rulebook) -> dict[str, Mapping[tuple[str, ...], Any]]:
    """The book's own figures as rules take them: a value, or the Unknown that stands for it."""
    return {
        name: {codes: item.value if isinstance(item, FigureInForce) else item for codes, item in table.items()}
        for name, table in book.figures.items()
    }


def parameter_value(text: str, declaration: ParameterDeclaration) -> Any:
    """A figure given with a call, in its parameter's unit. Raises ValueError for a text of another form."""
    if declaration.type == "money":
        return fen_of(text)
    if declaration.type == "rate":
        return rate_of(text)
    if declaration.type in ("int", "months"):
        return int(text)
    if declaration.type == "bool":
        return {"true": True, "false": False}[text]
    if text not in declaration.codes:
        raise ValueError("no such code")
    return text


class Evaluation:
    """The values of every rule for one root row; what the program left open is looked at only when asked for."""

    def __init__(self, policy: PreparedPolicy, root: Frame) -> None:
        self.policy = policy
        self.root = Row(policy.book.schema.root.name, root, None, ())
        self.frame = policy.run(root)
        self._places = policy.program.places
        self._rows: dict[tuple[str, tuple[int, ...]], list[Row]] = {}

    @cached_property
    def _abstract(self) -> AbstractEvaluator:
        policy = self.policy
        as_of = (policy.as_of, policy.as_of)
        known = partial(_value_at, self.frame, self._places)
        return AbstractEvaluator(policy.book, policy.parameters, policy.all_held, as_of, known, hasty=policy.is_hasty)

    def value(self, rule: str, row: Row) -> Any:
        """The value that the program computed, OPEN where an input was open."""
        place = self._places[rule]
        if len(place) == 1:
            return self.frame[place[0]]
        return _value_at(self.frame, self._places, rule, row.of(self.policy.book.rules[rule].entity))

    def truth(self, rule: str, row: Row) -> bool | None:
        """Whether a condition holds for the row; None while it is open."""
        value = self.value(rule, row)
        if value is True or value is False:
            return value
        possible, _ = self.seen(rule, row)
        return None if possible == EITHER else bool(possible == TRUE)

    def settled(self, rule: str, row: Row) -> Any:
        """The rule's one possible value for the row; OPEN while there are several."""
        value = self.value(rule, row)
        if isinstance(value, Unknown):
            possible, _ = self.seen(rule, row)
            return only_value(possible) if is_single(possible) else OPEN
        return value

    def seen(self, rule: str, row: Row) -> Seen:
        """What the rule can be, and the open facts and figures it hangs on."""
        return self._abstract.rule(rule, row)

    def node_seen(self, node: Any, row: Row) -> Seen:
        """What any expression can be for a row."""
        return self._abstract.node(node, row)

    def rows(self, entity: str, row: Row) -> list[Row]:
        """The rows of `entity` that were told, below a row of its parent."""
        schema = self.policy.book.schema
        parent = schema.by_name[entity].parent
        assert parent is not None
        above = row.of(parent)
        key = (entity, above.indices)
        if key not in self._rows:
            self._rows[key] = told_rows(schema, entity, above)
        return self._rows[key]


def _value_at(frame: Frame, places: Mapping[str, Place], rule: str, row: Row) -> Any:
    if UNTOLD in row.indices:
        return OPEN
    place = places[rule]
    value: Any = frame
    for slot, index in zip(place, row.indices, strict=False):
        value = value[slot][index]
    return value[place[-1]]


__all__ = ["Evaluation", "PackSet", "Paths", "PreparedPolicy", "Row", "parameter_value"]
