"""Times one call after the other, each alone, over many households."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def microseconds(step: Callable[[Any], Any], arguments: Sequence[Any], rounds: int) -> dict[str, float]:
    """Medians of `rounds` calls in a row for each argument: of all calls, of their CPU time, of each one's fastest.

    CPU time leaves out the waiting for a core that others use, and holds one reading of its clock, a third of a
    microsecond. The fastest calls are what an undisturbed machine would give: others' work can only make one slower.
    """
    for argument in arguments:
        step(argument)
    gc.collect()
    taken = [_calls(step, argument, rounds) for argument in arguments]
    everything = [call for calls in taken for call in calls]
    return {
        "p50": round(statistics.median(wall for wall, _ in everything), 2),
        "cpu_p50": round(statistics.median(cpu for _, cpu in everything), 2),
        "undisturbed": round(statistics.median(min(wall for wall, _ in calls) for calls in taken), 2),
    }


def _calls(step: Callable[[Any], Any], argument: Any, rounds: int) -> list[tuple[float, float]]:
    """Wall and CPU time of each call; the clock of CPU time is read outside the other."""
    calls = []
    for _ in range(rounds):
        cpu = time.process_time_ns()
        start = time.perf_counter_ns()
        step(argument)
        wall = time.perf_counter_ns() - start
        calls.append((wall / 1000, (time.process_time_ns() - cpu) / 1000))
    return calls
