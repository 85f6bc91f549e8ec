"""Holds engines to the referee: every output of every compared household, in fen."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.comparison.household import Household
from benchmarks.comparison.referee import Outputs, determine


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many households were compared, how many differ, and in which outputs; one difference as an example."""

    households: int
    differing: int
    outputs: dict[str, int]
    example: dict[str, Any] | None

    @property
    def is_whole(self) -> bool:
        """Whether nothing differs."""
        return self.differing == 0


def agreement(households: Iterable[Household], answers: Iterable[Sequence[int]]) -> Agreement:
    """Compare an engine's answers, in the same order, with the referee's."""
    count = differing = 0
    outputs: Counter[str] = Counter()
    example = None
    for household, found in zip(households, answers, strict=True):
        right = determine(household, household.figures)
        count += 1
        if tuple(found) == right:
            continue
        differing += 1
        wrong = [index for index, value in enumerate(found) if value != right[index]]
        outputs.update(Outputs._fields[index] for index in wrong)
        if example is None:
            first = wrong[0]
            example = {"output": Outputs._fields[first], "found_fen": found[first], "right_fen": right[first]}
    return Agreement(count, differing, dict(outputs), example)
