"""The policies of many places as one: rules that differ are versions of one rule, figures a row of numbers a place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from services.shared.policy import tree
from services.shared.policy.evaluation import PreparedPolicy
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import Exclusion, Programme
from services.shared.policy.schema import BOOL, DEFAULT_RANGE, MONEY, PARAMETER_MAX_FEN, Kind, Schema
from services.shared.policy.tree import Node

MOST_CODES = 62
"""Codes that may be compared with one another: a set of them is a number of 64 bits."""

RuleKey = tuple[str, str, Kind]
"""A rule by name, entity and kind: places may write it in other words, not for other rows."""

SlotOf = tuple[Any, ...]
"""What a number in a place's row says: its kind, then of what."""


class NotInOneKernel(Exception):
    """The places' rules cannot be computed together; `what` says why, in English."""


@dataclass(frozen=True, slots=True)
class Version:
    """A rule as some of the places write it."""

    node: Node
    places: frozenset[int]


@dataclass(frozen=True)
class Places:
    """The policies in force on one date, a place each."""

    policies: tuple[PreparedPolicy, ...]
    slots: list[SlotOf] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        """The facts, which are the same everywhere."""
        return self.policies[0].book.schema

    @cached_property
    def versions(self) -> Mapping[RuleKey, tuple[Version, ...]]:
        """Each rule as the places write it, where they have it."""
        found: dict[RuleKey, dict[Node, set[int]]] = {}
        for place, policy in enumerate(self.policies):
            for name, rule in policy.book.rules.items():
                found.setdefault((name, rule.entity, rule.kind), {}).setdefault(rule.node, set()).add(place)
        return {
            key: tuple(Version(node, frozenset(places)) for node, places in nodes.items())
            for key, nodes in found.items()
        }

    def rule_key(self, name: str) -> RuleKey:
        """The one rule of a name. Raises NotInOneKernel where places have it for other rows, KeyError if none has."""
        keys = self._keys[name]
        if len(keys) > 1:
            raise NotInOneKernel(f"the rule {name} is for other rows, or of another kind, in some places")
        return keys[0]

    @cached_property
    def _keys(self) -> Mapping[str, list[RuleKey]]:
        found: dict[str, list[RuleKey]] = {}
        for key in self.versions:
            found.setdefault(key[0], []).append(key)
        return found

    @cached_property
    def programmes(self) -> Mapping[str, tuple[Programme, frozenset[int]]]:
        """Each programme and the places that have it. Raises NotInOneKernel where it is another thing in some."""
        found: dict[str, tuple[Programme, set[int]]] = {}
        for place, policy in enumerate(self.policies):
            for item in policy.book.programmes.values():
                first, places = found.setdefault(item.id, (item, set()))
                places.add(place)
                if _paid(first) != _paid(item):
                    raise NotInOneKernel(f"the programme {item.id} is paid by other rules in some places")
        return {name: (item, frozenset(places)) for name, (item, places) in found.items()}

    @cached_property
    def exclusions(self) -> tuple[tuple[Exclusion, frozenset[int]], ...]:
        """Every exclusion and the places that have it, in an order that is each place's own."""
        found: dict[Exclusion, set[int]] = {}
        for place, policy in enumerate(self.policies):
            for item in policy.book.exclusions:
                found.setdefault(item, set()).add(place)
        ordered = tuple((item, frozenset(places)) for item, places in found.items())
        for place, policy in enumerate(self.policies):
            if tuple(item for item, places in ordered if place in places) != policy.book.exclusions:
                raise NotInOneKernel("places apply the same exclusions in different orders")
        return ordered

    def everywhere(self, places: frozenset[int]) -> bool:
        """Whether these are all places."""
        return len(places) == len(self.policies)

    # --- figures -----------------------------------------------------------------------------------------------

    def slot(self, of: SlotOf) -> int:
        """Where in a place's row the number is; it is added when it is new."""
        if of not in self.slots:
            self.slots.append(of)
        return self.slots.index(of)

    def combinations(self, name: str) -> tuple[tuple[str, ...], ...]:
        """The key codes by which a parameter's figures differ."""
        return next(tuple(policy.parameters[name]) for policy in self.policies if name in policy.parameters)

    def may_be_missing(self, name: str, codes: tuple[str, ...]) -> bool:
        """Whether some place lacks the figure."""
        return (name, codes) in self._missing

    def check_figures(self, policies: Sequence[PreparedPolicy]) -> None:
        """Raises NotInOneKernel where policies have other rules, or lack a figure that none of these lacks."""
        for before, after in zip(self.policies, policies, strict=True):
            if after.book is not before.book:
                raise NotInOneKernel("other rules need a kernel of their own")
        lost = _missing_in(policies) - self._missing
        if lost:
            raise NotInOneKernel(f"the figure {min(lost)[0]} is missing now in some place, and was in none")

    @cached_property
    def _missing(self) -> frozenset[tuple[str, tuple[str, ...]]]:
        return _missing_in(self.policies)

    @cached_property
    def codes(self) -> "CodeSpaces":
        """The numbers of codes."""
        spaces = CodeSpaces()
        for entity in self.schema.entities:
            for fact in entity.facts:
                spaces.add(fact.kind)
        for (_, _, kind), versions in self.versions.items():
            for version in versions:
                spaces.join(kind, version.node.kind)
                for node in tree.walk(version.node):
                    for kinds in _compared_kinds(node):
                        spaces.join(*kinds)
        return spaces


def _missing_in(policies: Iterable[PreparedPolicy]) -> frozenset[tuple[str, tuple[str, ...]]]:
    return frozenset(
        (name, codes)
        for policy in policies
        for name, table in policy.parameters.items()
        for codes, value in table.items()
        if isinstance(value, Unknown)
    )


def _paid(item: Programme) -> tuple[Any, ...]:
    return item.entity, item.monthly, item.one_off, item.share, item.set_off, item.category


def figure_range(kind: Kind) -> tuple[int, int]:
    """Between what a figure lies that nobody published."""
    return (0, PARAMETER_MAX_FEN) if kind == MONEY else DEFAULT_RANGE.get(kind, (0, 0))


def place_row(places: Places, policy: PreparedPolicy, place: int) -> Iterator[int]:
    """The numbers of one place, slot by slot, under its figures or those that replace them."""
    for what, *of in places.slots:
        yield _SLOTS[what](places, policy, place, *of)


def _least(_: Places, policy: PreparedPolicy, __: int, name: str, codes: tuple[str, ...], kind: Kind) -> int:
    return _number(policy, name, codes, kind)[0]


def _most(_: Places, policy: PreparedPolicy, __: int, name: str, codes: tuple[str, ...], kind: Kind) -> int:
    return _number(policy, name, codes, kind)[1]


def _number(policy: PreparedPolicy, name: str, codes: tuple[str, ...], kind: Kind) -> tuple[int, int]:
    least, most = figure_range(kind)
    value = policy.parameters.get(name, {}).get(codes, 0)
    if isinstance(value, Unknown):
        return least, most
    if not least <= value <= most:
        raise NotInOneKernel(f"the figure {name} is outside of {least} to {most}")
    return value, value


def _can_be(_: Places, policy: PreparedPolicy, __: int, name: str, codes: tuple[str, ...], truth: bool) -> int:
    value = policy.parameters.get(name, {}).get(codes, truth)
    return 1 if isinstance(value, Unknown) else int(value is truth)


def _codes(places: Places, policy: PreparedPolicy, _: int, name: str, codes: tuple[str, ...], kind: Kind) -> int:
    value = policy.parameters.get(name, {}).get(codes, kind.codes[0])
    return places.codes.all_of(kind) if isinstance(value, Unknown) else places.codes.bit(kind, value)


def _held(_: Places, policy: PreparedPolicy, __: int, name: str) -> int:
    return int(name in policy.parameters and policy.held(name))


_SLOTS: Mapping[str, Any] = {
    "least": _least,
    "most": _most,
    "can_be": _can_be,
    "codes": _codes,
    "held": _held,
    "as_of": lambda places, policy, place: policy.as_of,
    "is_in": lambda places, policy, place, of: int(place in of),
}


class CodeSpaces:
    """Numbers for codes, so that those which may be compared have numbers in one row."""

    def __init__(self) -> None:
        self._space: dict[Kind, list[str]] = {}

    def add(self, kind: Kind) -> None:
        """A kind of its own."""
        self.join(kind, kind)

    def join(self, *kinds: Kind) -> None:
        """Number the codes of these kinds together."""
        coded = [kind for kind in kinds if kind.codes]
        if not coded:
            return
        joined: list[str] = []
        for kind in coded:
            for code in self._space.get(kind, kind.codes):
                if code not in joined:
                    joined.append(code)
        if len(joined) > MOST_CODES:
            raise NotInOneKernel(f"more than {MOST_CODES} codes are compared with one another")
        old = [self._space[kind] for kind in coded if kind in self._space]
        for kind in [*coded, *(kind for kind, space in self._space.items() if any(space is each for each in old))]:
            self._space[kind] = joined

    def number(self, kind: Kind, code: str) -> int:
        """The code's number."""
        return self._space[kind].index(code)

    def bit(self, kind: Kind, code: str) -> int:
        """The set of this code alone."""
        return 1 << self.number(kind, code)

    def all_of(self, kind: Kind) -> int:
        """The set of all codes of the kind."""
        return sum(self.bit(kind, code) for code in kind.codes)


def _compared_kinds(node: Node) -> Iterator[Sequence[Kind]]:
    if isinstance(node, tree.Comparison):
        yield node.left.kind, node.right.kind
    elif isinstance(node, tree.Choice):
        yield node.kind, node.then.kind, node.otherwise.kind
    else:
        yield (node.kind,)
    if isinstance(node, tree.Among):
        yield (node.operand.kind,)


__all__ = ["BOOL", "CodeSpaces", "NotInOneKernel", "Places", "RuleKey", "Version", "figure_range", "place_row"]
