"""The single decisions inside rules, laid open: each read for every row, and each turned round at will."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from services.shared.policy import tree
from services.shared.policy.printing import Program, compile_rulebook
from services.shared.policy.rulebook import Rule, Rulebook
from services.shared.policy.schema import BOOL, INT, Kind
from services.shared.policy.tree import Node
from tests.eligibility.proof.frames import Reader, answers_reader_of, rules_decided_by
from tests.eligibility.proof.worlds import Worlds

TURNED = "turned_round"
"""The parameter that says which decision is turned round, by its number."""
NOTHING = -1
PARTS = 8


@dataclass(frozen=True, slots=True)
class Decision:
    """A comparison, a truth told, chosen or taken from another rule, or the pick of an extreme, inside a rule."""

    name: str
    rule: str
    entity: str
    node: Node


@dataclass(frozen=True)
class Opened:
    """A rulebook of which some decisions are rules of their own, each of which can be turned round alone."""

    worlds: Worlds
    program: Program

    @cached_property
    def outputs(self) -> Reader:
        """From a frame, what answers differ by."""
        return answers_reader_of(self.program, self.worlds.book)

    @cached_property
    def _arguments(self) -> tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...]:
        """By world, the program's parameters before and after the number of the decision that is turned round."""
        slot = self.program.parameters.index((TURNED, True))
        found = []
        for policy in self.worlds.policies:
            parameters = {**policy.parameters, TURNED: {(): NOTHING}}
            arguments = replace(policy, program=self.program, parameters=parameters).arguments
            found.append((arguments[:slot], arguments[slot + 1 :]))
        return tuple(found)

    def run(self, world: int, row: tuple[Any, ...], turned: int = NOTHING) -> Any:
        """The frame of a household, with one decision turned round."""
        before, after = self._arguments[world]
        return self.program.function(row, self.worlds.as_of, (*before, turned, *after))


@dataclass(frozen=True)
class Openness(Opened):
    """All decisions laid open; in `parts` those of some rules each, which runs twice as fast."""

    decisions: tuple[Decision, ...]
    parts: tuple[Opened, ...]
    part_of: Mapping[str, int]

    def near(self, number: int) -> Opened:
        """The part in which a decision is laid open, with all others of its rule."""
        return self.parts[self.part_of[self.decisions[number].rule]]


def laid_open(worlds: Worlds) -> Openness:
    """The decisions of every rule by which answers are decided."""
    opener = _Opener(worlds.book)
    opened = [name for name in opener.opened if len(opener.opened[name]) > 1]
    part_of = {name: index * PARTS // len(opened) for index, name in enumerate(opened)}
    parts = tuple(
        Opened(worlds, opener.program([name for name, number in part_of.items() if number == part]))
        for part in range(PARTS)
    )
    return Openness(worlds, opener.program(opened), tuple(opener.decisions), parts, part_of)


class _Opener:
    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self.decisions: list[Decision] = []
        self.opened: dict[str, dict[str, Rule]] = {}
        """For each rule its decisions, each a rule, and then itself, as the printer has it."""
        for name in rules_decided_by(book):
            rule = book.rules[name]
            self.opened[name] = {}
            node = self._opened(rule.node, rule, rule.entity)
            self.opened[name][name] = replace(rule, node=node)

    def program(self, opened: Collection[str]) -> Program:
        """The program in which these rules are laid open."""
        wanted = set(opened)
        rules: dict[str, Rule] = {}
        for name, rule in self._book.rules.items():
            rules |= self.opened[name] if name in wanted else {name: rule}
        return compile_rulebook(replace(self._book, rules=rules))

    def _opened(self, node: Node, rule: Rule, entity: str) -> Node:
        if isinstance(node, tree.Aggregate):
            entity = node.entity
        inside = _rebuilt(node, lambda child: self._opened(child, rule, entity))
        if isinstance(node, tree.Comparison) or _is_truth(node):
            return self._decision(rule, entity, node, inside)
        if isinstance(node, tree.Among):
            return self._each(rule, entity, node, inside)
        if isinstance(node, tree.Extreme):
            return self._pick(rule, entity, node, inside)
        return inside

    def _decision(self, rule: Rule, entity: str, node: Node, inside: Node) -> Node:
        number = len(self.decisions)
        name = f"{rule.id}.decision{number}"
        self.decisions.append(Decision(name, rule.id, entity, node))
        is_turned = tree.Comparison("==", tree.ParameterRef(TURNED, (), INT), tree.Const(number, INT), BOOL)
        turned = tree.Comparison("!=", inside, is_turned, BOOL)
        self.opened[rule.id][name] = Rule(name, rule.pack, entity, BOOL, turned)
        return tree.RuleRef(name, entity, BOOL)

    def _each(self, rule: Rule, entity: str, node: Node, inside: Any) -> Node:
        """Whether the code is the first listed, or the second: a decision each."""
        equals = [
            tree.Comparison("==", inside.operand, tree.Const(value, inside.operand.kind), BOOL)
            for value in inside.values
        ]
        return tree.Junction("or", tuple(self._decision(rule, entity, node, equal) for equal in equals), BOOL)

    def _pick(self, rule: Rule, entity: str, node: tree.Extreme, inside: Any) -> Node:
        first, *others = inside.operands
        for other in others:
            sign = "<=" if node.operator == "min" else ">="
            comparison = tree.Comparison(sign, first, other, BOOL)
            first = tree.Choice(self._decision(rule, entity, node, comparison), first, other, node.kind)
        return first


def _is_truth(node: Node) -> bool:
    return node.kind == BOOL and isinstance(node, tree.FactRef | tree.RuleRef | tree.ParameterRef | tree.Held)


def _rebuilt(node: Node, change: Any) -> Node:
    changed: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Kind):
            continue
        if isinstance(value, tuple) and value and all(is_node(item) for item in value):
            changed[field.name] = tuple(change(item) for item in value)
        elif is_node(value):
            changed[field.name] = change(value)
    return replace(node, **changed) if changed else node


def is_node(value: Any) -> bool:
    """Whether a field's value is a node of the tree."""
    return isinstance(value, Node)  # type: ignore[arg-type]


def facts_below(book: Rulebook, node: Node) -> frozenset[tuple[str, str]]:
    """Every fact, as (entity, name), that a node may rest on."""
    return frozenset(_facts(book, node, set()))


def _facts(book: Rulebook, node: Node, seen: set[str]) -> Iterator[tuple[str, str]]:
    for part in tree.walk(node):
        if isinstance(part, tree.FactRef):
            yield part.entity, part.name
        elif isinstance(part, tree.RuleRef) and part.rule not in seen:
            seen.add(part.rule)
            yield from _facts(book, book.rules[part.rule].node, seen)
