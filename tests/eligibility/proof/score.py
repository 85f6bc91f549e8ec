"""The mutation score of a date: how many small mistakes in its rules some household's answer gives away."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.shared.policy import tree
from services.shared.policy.open_value import OpenValueUsed
from services.shared.policy.printing import Program
from tests.eligibility.proof.frames import answers_reader_of
from tests.eligibility.proof.households import Built
from tests.eligibility.proof.mutants import CHOSEN, Mutant, all_mutants, program_of
from tests.eligibility.proof.worlds import Worlds

FAILED = "failed"
NEAR_ONLY = 500
"""Households that are tried on a mutant of which it is known that it survives."""


@dataclass(frozen=True, slots=True)
class Score:
    """What became of the mutants of one date."""

    households: int
    mutants: tuple[Mutant, ...]
    survivors: tuple[Mutant, ...]
    cpu_seconds: float

    @property
    def share(self) -> float:
        """Killed among all."""
        return 1 - len(self.survivors) / len(self.mutants)

    def share_without(self, equivalent: frozenset[str]) -> float:
        """Killed among those that differ from their rule: the mutation score. A killed one counts though listed."""
        alike = sum(mutant.name in equivalent for mutant in self.survivors)
        return 1 - (len(self.survivors) - alike) / (len(self.mutants) - alike)


def score(worlds: Worlds, households: Sequence[Built], known: frozenset[str] = frozenset()) -> Score:
    """Try every mutant on the households, those built near its rule first.

    A mutant named in `known` is tried on few, since it survives; none but these saves time.
    """
    start = time.process_time()
    trial = _Trial(worlds, households)
    mutants = all_mutants(worlds.book)
    survivors = [mutant for rule in mutants for mutant in trial.survivors(rule, mutants[rule], known)]
    everyone = tuple(mutant for group in mutants.values() for mutant in group)
    return Score(len(households), everyone, tuple(survivors), time.process_time() - start)


class _Trial:
    def __init__(self, worlds: Worlds, households: Sequence[Built]) -> None:
        self._worlds, self._households = worlds, households
        runs = _runs_of(worlds, worlds.policies[0].program, None)
        self._expected = [runs(built) for built in households]
        self._by_rule: dict[str, list[int]] = defaultdict(list)
        for index, built in enumerate(households):
            self._by_rule[built.rule].append(index)
        self._neighbours = _neighbours(worlds)

    def survivors(self, rule: str, mutants: tuple[Mutant, ...], known: frozenset[str]) -> Iterator[Mutant]:
        """The mutants of one rule that no household gives away."""
        book = self._worlds.book
        near = self._order(rule)
        program = program_of(book, rule, mutants)
        for mutant in mutants:
            order = near[:NEAR_ONLY] if mutant.name in known else near
            run = _runs_of(self._worlds, program, mutant.number)
            if not any(self._differs(run, index) for index in order):
                yield mutant

    def _differs(self, run: Callable[[Built], Any], index: int) -> bool:
        try:
            return bool(run(self._households[index]) != self._expected[index])
        except OpenValueUsed:
            return True

    def _order(self, rule: str) -> list[int]:
        """The households built at the rule, at its neighbours, then the others."""
        near = [rule, *self._neighbours[rule]]
        first = [index for name in near for index in self._by_rule[name]]
        taken = set(first)
        return [*first, *(index for index in range(len(self._households)) if index not in taken)]


def _runs_of(worlds: Worlds, program: Program, chosen: int | None) -> Callable[[Built], Any]:
    """A function from a household to its outputs under a program; a run that fails gives FAILED."""
    read, function, as_of = answers_reader_of(program, worlds.book), program.function, worlds.as_of
    extra = {} if chosen is None else {CHOSEN: {(): chosen}}
    arguments = [
        replace(policy, program=program, parameters={**policy.parameters, **extra}).arguments
        for policy in worlds.policies
    ]

    def run(built: Built) -> Any:
        case = built.case
        try:
            return read(function(case.row, as_of, arguments[case.world]))
        except ZeroDivisionError:
            return FAILED

    return run


def _neighbours(worlds: Worlds) -> dict[str, list[str]]:
    """For each rule those it uses and those that use it."""
    found: dict[str, list[str]] = defaultdict(list)
    for rule in worlds.book.rules.values():
        for node in tree.walk(rule.node):
            if isinstance(node, tree.RuleRef):
                found[rule.id].append(node.rule)
                found[node.rule].append(rule.id)
    return found
