"""What operations come to that are the same for every household of a place: computed once a place, exactly."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from services.shared.policy.columns.operations import Graph, Number
from services.shared.policy.columns.passes import Plan
from services.shared.policy.columns.places import Places, place_row
from services.shared.policy.evaluation import PreparedPolicy


def place_table(plan: Plan, places: Places, policies: Sequence[PreparedPolicy]) -> np.ndarray:
    """A row a place: what the passes ask of it, in the order of `Plan.of_places`."""
    rows = []
    for place, policy in enumerate(policies):
        row = list(place_row(places, policy, place))
        known: dict[Number, int] = {}
        rows.append([_computed(plan.graph, number, row, known) for number in plan.of_places])
    return np.array(rows, dtype=np.int64).reshape(len(policies), len(plan.of_places))


def _computed(graph: Graph, number: Number, row: Sequence[int], known: dict[Number, int]) -> int:
    if number not in known:
        operation = graph[number]
        if operation.name == "const":
            known[number] = int(operation.written[0])
        elif operation.name.startswith("parameter"):
            known[number] = row[int(operation.written[0])]
        else:
            known[number] = int(_RESULTS[operation.name](*(_computed(graph, of, row, known) for of in operation.of)))
    return known[number]


_RESULTS: Mapping[str, Callable[..., Any]] = {
    "same": lambda a: a,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a // b,
    "least": min,
    "greatest": max,
    "bits": lambda a, b: a & b,
    "either": lambda a, b: a | b,
    "pick": lambda condition, then, otherwise: then if condition else otherwise,
    "lt": lambda a, b: a < b,
    "eq": lambda a, b: a == b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
}
