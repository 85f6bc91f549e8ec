"""Times one call after the other, each alone, over many households."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def microseconds(step: Callable[[Any], Any], arguments: Sequence[Any], rounds: int) -> dict[str, float]:
    """The median of all calls, `rounds` in a row for each argument; and the median of each argument's fastest call.

    The second is what an undisturbed machine would give: others' work can only make a call slower.
    """
    for argument in arguments:
        step(argument)
    gc.collect()
    taken = [_calls(step, argument, rounds) for argument in arguments]
    everything = [each for calls in taken for each in calls]
    return {
        "p50": round(statistics.median(everything), 2),
        "undisturbed": round(statistics.median(map(min, taken)), 2),
    }


def _calls(step: Callable[[Any], Any], argument: Any, rounds: int) -> list[float]:
    calls = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        step(argument)
        calls.append((time.perf_counter_ns() - start) / 1000)
    return calls
