"""Which open facts and figures would settle a result: those that can change it, and no others."""

import itertools
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from services.eligibility.domain.answer import Outcome
from services.eligibility.domain.completion import Choices, choices, filled
from services.eligibility.domain.facts import read_facts
from services.eligibility.domain.outcome import outcome_of
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy.evaluation import Evaluation, PreparedPolicy, Row
from services.shared.policy.open_value import parameter_named
from services.shared.policy.pack import Programme
from services.shared.policy.schema import BOOL
from services.shared.policy.truth import TRUE

MAX_PATHS = 4
"""Of more open paths each is named: whether one matters hardly ever hangs on how four others turn out."""

MAX_RUNS = 400
"""Trial evaluations for one answer; what was not examined by then counts as missing."""

USUAL_MEMBERS = 4
"""In a household of so many the trials of MAX_RUNS are cheap."""

MAX_COMBINATIONS = 300
"""Up to here every combination of the values to try is tried."""

Found = tuple[Outcome, int | None]


@dataclass(frozen=True, slots=True)
class Settling:
    """The paths that would settle a result; where none is needed, the result that every completion gives."""

    missing: frozenset[str]
    settled: Found | None = None


@dataclass
class Budget:
    """How many trial evaluations an answer may still take."""

    runs: int = MAX_RUNS

    @staticmethod
    def of(request: DeterminationRequest) -> "Budget":
        """Fewer trials the larger the household, since each takes as much longer."""
        return Budget(MAX_RUNS * USUAL_MEMBERS // max(len(request.household["members"]), USUAL_MEMBERS))


def settling(
    request: DeterminationRequest,
    policy: PreparedPolicy,
    programme: Programme,
    row: Row,
    live: frozenset[str],
    budget: Budget,
) -> Settling:
    """What of `live`, the open paths that the result hangs on as far as ranges tell, can really change it.

    A path counts when two completions that differ in it alone give different results; completions are built on both
    sides of every threshold. What cannot be examined within the bounds stays missing.
    """
    trial = _Trial(request, policy, programme, row, tuple(sorted(live)), budget)
    return trial.examine()


class _OutOfRuns(Exception):
    """More trial evaluations than the bound."""


@dataclass
class _Trial:
    request: DeterminationRequest
    policy: PreparedPolicy
    programme: Programme
    row: Row
    paths: tuple[str, ...]
    budget: Budget
    found: dict[tuple[int, ...], Found] = field(default_factory=dict)
    values: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    makes_a_difference: set[str] = field(default_factory=set)
    makes_none: set[str] = field(default_factory=set)

    def examine(self) -> Settling:
        # Of figures alone ranges tell: what no pack holds is not a fact of this household that could turn out.
        if len(self.paths) > MAX_PATHS or all(parameter_named(path) for path in self.paths):
            return Settling(frozenset(self.paths))
        options = {path: choices(path, self.request, self.policy) for path in self.paths}
        if len(self.paths) == 1 and not options[self.paths[0]].is_finite:
            # Ranges are exact for one amount.
            return Settling(frozenset(self.paths))
        if not all(option.values or option.most for option in options.values()):
            return Settling(frozenset(self.paths))
        with suppress(_OutOfRuns):
            self._collect(options)
            if math.prod(len(values) for values in self.values.values()) <= MAX_COMBINATIONS:
                return self._every_combination(all(option.is_finite for option in options.values()))
            self._around_the_best()
        # Where none matters alone, they matter together.
        return Settling(frozenset(self.paths) - self.makes_none or frozenset(self.paths))

    # --- values to try ---------------------------------------------------------------------------------------------

    def _collect(self, options: Mapping[str, Choices]) -> None:
        """The values to try; amounts on both sides of thresholds, the other facts as they were first tried."""
        self.values = {
            path: option.values if option.is_finite else (option.amount(0),) for path, option in options.items()
        }
        for path, option in options.items():
            if option.most:
                points = sorted({0, option.most, *self._thresholds(path, option)})
                self.values[path] = (*(option.amount(point) for point in points), *option.values)

    def _thresholds(self, path: str, option: Choices) -> Iterator[int]:
        """Amounts at which some condition changes, and the last before it, found by halving."""
        pending = [(0, option.most)]
        while pending:
            least, most = pending.pop()
            if self._conditions(path, option, least) == self._conditions(path, option, most):
                continue
            if most - least == 1:
                yield from (least, most)
                continue
            middle = (least + most) // 2
            pending += [(least, middle), (middle, most)]

    def _conditions(self, path: str, option: Choices, amount: int) -> tuple[Any, ...]:
        """The truth of everything below the programme that is said of this row or of the household."""
        first = {other: self.values[other][0] for other in self.paths}
        evaluation = self._evaluation({**first, path: option.amount(amount)})
        row = self._row(evaluation)
        return tuple(evaluation.value(rule, row) is True for rule in self.tests)

    @cached_property
    def trial_policy(self) -> PreparedPolicy:
        return self.policy.trial(self.programme.id)

    @cached_property
    def tests(self) -> tuple[str, ...]:
        book = self.trial_policy.book
        near = book.schema.lineage(self.programme.entity)
        return tuple(name for name, rule in book.rules.items() if rule.kind == BOOL and rule.entity in near)

    # --- differences -----------------------------------------------------------------------------------------------

    def _every_combination(self, is_complete: bool) -> Settling:
        for combination in itertools.product(*(range(len(self.values[path])) for path in self.paths)):
            for position, path in enumerate(self.paths):
                known = path in self.makes_a_difference or not combination[position]
                if not known and self._result(_moved(combination, position, 0)) != self._result(combination):
                    self.makes_a_difference.add(path)
        if self.makes_a_difference:
            return Settling(frozenset(self.makes_a_difference))
        only = self._result(tuple(0 for _ in self.paths))
        # Amounts cannot all be tried, so that for them ranges have the last word.
        if is_complete and only[0] != "undetermined":
            return Settling(frozenset(), only)
        return Settling(frozenset(self.paths))

    def _around_the_best(self) -> None:
        """Move one path at a time from where most conditions hold; then, for paths that changed nothing, after one
        other path was moved too. A path that changes nothing even then is taken to make no difference."""
        best = self._best()
        doubtful = [position for position in range(len(self.paths)) if not self._differs(best, position)]
        for position in doubtful:
            if not any(self._differs(around, position) for around in self._neighbours(best, position)):
                self.makes_none.add(self.paths[position])

    def _differs(self, around: tuple[int, ...], position: int) -> bool:
        whole = self._result(around)
        values = range(len(self.values[self.paths[position]]))
        return any(self._result(_moved(around, position, value)) != whole for value in values)

    def _neighbours(self, base: tuple[int, ...], fixed: int) -> Iterator[tuple[int, ...]]:
        for position, path in enumerate(self.paths):
            if position != fixed:
                for value in range(len(self.values[path])):
                    yield _moved(base, position, value)

    def _best(self) -> tuple[int, ...]:
        """A combination under which as many conditions hold as changing one path at a time can reach."""
        best = tuple(0 for _ in self.paths)
        for position, path in enumerate(self.paths):
            options = [_moved(best, position, value) for value in range(len(self.values[path]))]
            best = max(options, key=self._conditions_met)
        return best

    def _conditions_met(self, combination: tuple[int, ...]) -> int:
        evaluation = self._evaluation(self._assigned(combination))
        row = self._row(evaluation)
        self.found[combination] = outcome_of(evaluation, self.programme, row)
        return sum(evaluation.seen(rule, row)[0] == TRUE for rule in self.programme.conditions)

    # --- one trial -------------------------------------------------------------------------------------------------

    def _result(self, combination: tuple[int, ...]) -> Found:
        if combination not in self.found:
            evaluation = self._evaluation(self._assigned(combination))
            self.found[combination] = outcome_of(evaluation, self.programme, self._row(evaluation))
        return self.found[combination]

    def _assigned(self, combination: tuple[int, ...]) -> dict[str, Any]:
        return {path: self.values[path][index] for path, index in zip(self.paths, combination, strict=True)}

    def _evaluation(self, values: Mapping[str, Any]) -> Evaluation:
        if self.budget.runs <= 0:
            raise _OutOfRuns
        self.budget.runs -= 1
        request, policy = filled(self.request, self.trial_policy, values)
        return Evaluation(policy, read_facts(request, policy.book.presumptions))

    def _row(self, evaluation: Evaluation) -> Row:
        if not self.row.indices:
            return evaluation.root
        return evaluation.rows(self.row.entity, evaluation.root)[self.row.indices[0]]


def _moved(combination: tuple[int, ...], position: int, value: int) -> tuple[int, ...]:
    return (*combination[:position], value, *combination[position + 1 :])
