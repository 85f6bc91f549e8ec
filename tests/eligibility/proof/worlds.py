"""Worlds of figures: the nation's rules with a value for every parameter, so that each rule decides something."""

import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from services.eligibility.domain.determination import with_overrides
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy import tree
from services.shared.policy.evaluation import PreparedPolicy, parameter_value
from services.shared.policy.open_value import Unknown, unknown_parameter
from services.shared.policy.pack import ParameterDeclaration
from services.shared.policy.rulebook import Rulebook
from services.shared.policy.schema import PARAMETER_MAX_FEN, RATE_SCALE
from services.shared.vocabulary.region import NATION
from tests.eligibility.proof.goldens import golden_requests, shipped

DATES = (date(2023, 8, 1), date(2025, 8, 1), date(2026, 8, 1))
"""Before the rigid-expenditure rules, with them, and under the law of 2026."""
CHOICES = 48
"""Worlds a date: in each, parameters that choose between rules choose by lot; in the first, nothing is missing."""
MISSING, ANY_MISSING = 0.3, 0.1
"""How often a figure is missing of which a rule asks whether it is held; and, in every third world, any other."""
NOTHING = 0.05
"""How often a place is taken to pay nothing, or one fen, in one of the cases that a figure tells apart."""
DEAR, TIMES_DEARER = 8, 10_000
"""In every eighth world money is worth so little that the bounds which only keep numbers small decide something."""
UNIT_FEN, UNIT_RATE = 1_200, 100
"""Amounts are multiples of this, so that twelve months or up to six people can come out at them to the fen. No two
figures are alike, so that taking the wrong one is seen."""
NO_PUBLISHED_FEN, NO_PUBLISHED_COUNT, NO_PUBLISHED_RATE = 50_000, 3, RATE_SCALE // 2
LIKELY = {"per_capita_disposable_income": 3_600_000, "minimum_wage": 200_000, "supporter_age_max": 70}
"""What no place publishes in a pack and must yet stand in some relation to the others."""


Keys = tuple[str, ...]
Figures = Mapping[str, Mapping[Keys, Any]]


@dataclass(frozen=True, slots=True)
class Worlds:
    """The policies of one date, one program and rulebook under different figures; which are each golden case's own."""

    on: date
    policies: tuple[PreparedPolicy, ...]
    of_golden: tuple[int, ...]

    @property
    def book(self) -> Rulebook:
        """The rules, which are the same in all."""
        return self.policies[0].book

    @property
    def as_of(self) -> int:
        """The date as a date number."""
        return self.policies[0].as_of


@cache
def worlds(on: date, region: str = NATION) -> Worlds:
    """The rules of a place on a date under each choice of figures, and under each golden case's; always the same."""
    policy = shipped().prepare(region, on)
    asked = _asked_whether_held(policy.book)
    policies = [_with_figures(policy, asked, choice) for choice in range(CHOICES)]
    numbers: dict[str, int] = {}
    of_golden = []
    for _, request in golden_requests():
        theirs = _of_golden(policies[0], asked, request)
        number = numbers.setdefault(repr(theirs), len(policies))
        if number == len(policies):
            policies.append(replace(policy, parameters=theirs))
        of_golden.append(number)
    return Worlds(on, tuple(policies), tuple(of_golden))


def _of_golden(made: PreparedPolicy, asked: frozenset[str], request: DeterminationRequest) -> Figures:
    """The figures of a case's place and day, with those that it brings; what is not held is as made."""
    held = with_overrides(shipped().prepare(request.region, request.as_of), request).parameters
    figures = {}
    for name, table in made.parameters.items():
        theirs = held.get(name, {})
        found = {key: theirs.get(key, unknown_parameter(name)) for key in table}
        figures[name] = (
            found
            if name in asked
            else {key: table[key] if isinstance(value, Unknown) else value for key, value in found.items()}
        )
    return figures


def _with_figures(policy: PreparedPolicy, asked: frozenset[str], choice: int) -> PreparedPolicy:
    figures: dict[str, Mapping[Keys, Any]] = {}
    taken: set[int] = set()
    for name, table in sorted(policy.parameters.items()):
        chance = random.Random(f"{name} {choice}")
        odds = MISSING if name in asked else ANY_MISSING * (choice % 3 == 2)
        if choice > 0 and chance.random() < odds:
            figures[name] = dict.fromkeys(table, unknown_parameter(name))
        else:
            declaration = policy.book.declarations[name]
            figures[name] = {key: _value(declaration, choice, taken, chance) for key in table}
    return replace(policy, parameters=figures)


def _asked_whether_held(book: Rulebook) -> frozenset[str]:
    nodes = (node for rule in book.rules.values() for node in tree.walk(rule.node))
    return frozenset(node.name for node in nodes if isinstance(node, tree.Held))


def is_dear(choice: int) -> bool:
    """Whether this world's amounts are so large."""
    return choice % DEAR == DEAR - 1


def _value(declaration: ParameterDeclaration, choice: int, taken: set[int], chance: random.Random) -> Any:
    if declaration.type == "enum":
        return chance.choice(declaration.codes)
    if declaration.type == "bool":
        return chance.random() < 0.5
    if declaration.type in ("money", "rate"):
        if choice > 0 and declaration.keys and chance.random() < NOTHING:
            return chance.choice((0, 1))
        value = _apart(declaration, taken)
        is_larger = declaration.type == "money" and is_dear(choice)
        return min(value * TIMES_DEARER, PARAMETER_MAX_FEN) if is_larger else value
    return _published(declaration) or NO_PUBLISHED_COUNT


def _apart(declaration: ParameterDeclaration, taken: set[int]) -> int:
    """About what was published, in whole units, and no value that another figure has."""
    is_money = declaration.type == "money"
    unit = UNIT_FEN if is_money else UNIT_RATE
    value = (_published(declaration) or (NO_PUBLISHED_FEN if is_money else NO_PUBLISHED_RATE)) // unit * unit
    while value in taken or value == 0:
        value += unit
    taken.add(value)
    return value


def _published(declaration: ParameterDeclaration) -> int | None:
    """The middle one of the values that places published, in the parameter's unit; None where no place did."""
    values = sorted(value for value in _published_values(declaration) if value)
    return values[len(values) // 2] if values else LIKELY.get(declaration.name)


def _published_values(declaration: ParameterDeclaration) -> Iterator[int]:
    for text in _published_texts().get(declaration.name, ()):
        with suppress(ValueError, KeyError):
            yield parameter_value(text, declaration)


@cache
def _published_texts() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pack in shipped().packs:
        for figure in pack.figures:
            found.setdefault(figure.name, []).append(figure.value)
    return found
