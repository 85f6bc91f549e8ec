"""The mutation score of a date: how many small mistakes in its rules some household's answer gives away."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from services.shared.policy import tree
from services.shared.policy.open_value import OpenValueUsed
from services.shared.policy.printing import Program
from tests.eligibility.proof.frames import answers_reader_of
from tests.eligibility.proof.households import Built, Neighbourhoods
from tests.eligibility.proof.mutants import CHOSEN, Mutant, all_mutants, program_of
from tests.eligibility.proof.worlds import Worlds

FAILED = "failed"
KNOWN_TRIED = 1_000
"""Households that are tried on a mutant of which it is known that it survives."""
TOGETHER = 60
"""Mutants that one program holds: compiling takes longer than asking a household which of them runs."""


@dataclass(frozen=True, slots=True)
class Score:
    """What became of the mutants of one date."""

    households: int
    mutants: tuple[Mutant, ...]
    survivors: tuple[Mutant, ...]
    cpu_seconds: float

    @property
    def share(self) -> float:
        """Killed among all: the mutation score."""
        return 1 - len(self.survivors) / len(self.mutants)


def score(worlds: Worlds, households: Neighbourhoods, known: frozenset[str] = frozenset()) -> Score:
    """What becomes of every mutant of the worlds' rules."""
    start = time.process_time()
    everyone = tuple(mutant for group in all_mutants(worlds.book).values() for mutant in group)
    survivors = survivors_of(everyone, worlds, households, known)
    return Score(len(households.made), everyone, survivors, time.process_time() - start)


def survivors_of(
    mutants: Sequence[Mutant], worlds: Worlds, households: Neighbourhoods, known: frozenset[str] = frozenset()
) -> tuple[Mutant, ...]:
    """The mutants that no household gives away: those near its rule are tried first, then all others.

    A mutant named in `known` is tried on few.
    """
    trial = _Trial(worlds, households)
    groups = [mutants[start : start + TOGETHER] for start in range(0, len(mutants), TOGETHER)]
    return tuple(mutant for group in groups for mutant in trial.survivors(group, known))


class _Trial:
    def __init__(self, worlds: Worlds, households: Neighbourhoods) -> None:
        self._worlds, self._households = worlds, households
        self._run = _runs_of(worlds, worlds.policies[0].program)
        self._expected: dict[int, Any] = {}
        self._neighbours = _neighbours(worlds)

    def survivors(self, mutants: Sequence[Mutant], known: frozenset[str]) -> Iterator[Mutant]:
        """Those of these mutants that no household gives away."""
        runs = _runs_of(self._worlds, program_of(self._worlds.book, mutants))
        for number, mutant in enumerate(mutants):
            tried = self._households.from_rule(mutant.rule, self._neighbours[mutant.rule])
            if mutant.name in known:
                tried = islice(tried, KNOWN_TRIED)
            if not any(self._differs(runs, number, built) for built in tried):
                yield mutant

    def _differs(self, runs: "Runs", number: int, built: Built) -> bool:
        key = id(built)
        if key not in self._expected:
            self._expected[key] = self._run(built, NOBODY)
        try:
            return bool(runs(built, number) != self._expected[key])
        except OpenValueUsed:
            return True


NOBODY = -1
Runs = Callable[[Built, int], Any]
"""From a household and the number of a mutant to the outputs; a run that fails gives FAILED."""


def _runs_of(worlds: Worlds, program: Program) -> Runs:
    read, function, as_of = answers_reader_of(program, worlds.book), program.function, worlds.as_of
    slot = program.parameters.index((CHOSEN, True)) if (CHOSEN, True) in program.parameters else None
    arguments = [
        replace(policy, program=program, parameters={**policy.parameters, CHOSEN: {(): NOBODY}}).arguments
        for policy in worlds.policies
    ]

    def run(built: Built, chosen: int) -> Any:
        case = built.case
        given = arguments[case.world]
        if slot is not None:
            given = (*given[:slot], chosen, *given[slot + 1 :])
        try:
            return read(function(case.row, as_of, given))
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
