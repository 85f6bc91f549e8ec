"""Times one call after the other, each alone: the median of all, over many households."""

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any


def microseconds(step: Callable[[Any], Any], arguments: Sequence[Any], rounds: int) -> dict[str, float]:
    """p50 and p5 of `step` over every argument, `rounds` times. The p5 says what a quieter machine would give."""
    taken = []
    for argument in arguments:
        step(argument)
    gc.collect()
    for _ in range(rounds):
        for argument in arguments:
            start = time.perf_counter_ns()
            step(argument)
            taken.append(time.perf_counter_ns() - start)
    taken.sort()
    return {"p50": round(taken[len(taken) // 2] / 1000, 2), "p5": round(taken[len(taken) // 20] / 1000, 2)}
