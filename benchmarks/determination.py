"""Microseconds for one determination in process: every rule's value, the outcomes, and the whole explained answer.

    python -m benchmarks.determination [--json] [--rounds N]

The household is the Wuhan family of three with every fact known; the rules are those of dibao, margin, single and
destitute persons with their national and local packs. "Values" is what the design sets a bound for: the prepared
policy run over a parsed household, with the value of every rule of every person and supporter kept.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from benchmarks.machine import machine
from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import render_answer
from services.eligibility.domain.determination import evaluate
from services.eligibility.domain.facts import read_facts
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of

ROUNDS = 5_000
BOUND_MICROSECONDS = 10.0

PERSON: dict[str, Any] = {
    "disability": None,
    "serious_illness": False,
    "student": None,
    "income": [],
    "benefits": [],
    "circumstances": [],
    "supporters": [],
    "self_care_failures": 0,
    "care_arrangement": "home",
}
FAMILY = {
    "as_of": "2023-08-01",
    "region": "420100",
    "events": [],
    "household": {
        "area_type": "urban",
        "members": [
            {
                **PERSON,
                "id": "m1",
                "relation": "head",
                "birth_date": "1980-01-15",
                "employment": "employed",
                "income": [{"kind": "wage", "monthly": "1800.00"}],
            },
            {**PERSON, "id": "m2", "relation": "spouse", "birth_date": "1982-05-01", "employment": "unemployed"},
            {**PERSON, "id": "m3", "relation": "child", "birth_date": "2008-09-01", "employment": "unemployed"},
        ],
        "assets": {"financial": "0.00", "vehicles": [], "homes": 1, "non_residential": 0, "businesses": []},
    },
}


def main() -> None:
    """Measure and print, and say whether the bound on the values holds here and now."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    report = measure(arguments.rounds)
    if arguments.json:
        print(json.dumps(report, indent=1))
    else:
        print(" · ".join(report["machine"].values()))
        print(f"{report['rules']} rules, {report['values']} values kept for a household of three")
        for step, figures in report["microseconds"].items():
            print(f"{step:<34} p50 {figures['p50']:>9.1f} µs   p99 {figures['p99']:>9.1f} µs")
        is_held = report["microseconds"]["values"]["p50"] <= BOUND_MICROSECONDS
        print(f"the bound of {BOUND_MICROSECONDS} µs on the values is {'held' if is_held else 'NOT held'}")


def measure(rounds: int) -> dict[str, Any]:
    """The figures of each step, and what they were measured on."""
    raw = json.dumps(FAMILY).encode()
    packs = pack_set_of(read_packs())
    request = parse_request(raw)
    policy = packs.prepare(request.region, request.as_of)
    household = read_facts(request, policy.book.presumptions)
    days = iter(date.fromordinal(request.as_of.toordinal() + day) for day in range(100))
    steps: dict[str, tuple[Callable[[], Any], int]] = {
        "values": (lambda: policy.run(household), rounds),
        "parse the body": (lambda: parse_request(raw), rounds),
        "lay the facts out in rows": (lambda: read_facts(request, policy.book.presumptions), rounds),
        "outcomes, amounts, what is missing": (lambda: evaluate(policy, request), rounds // 5),
        "the same, explained, as bytes": (lambda: render_answer(evaluate(policy, request)), rounds // 10),
        "prepare a place and day": (lambda: packs.prepare(request.region, next(days)), 50),
    }
    return {
        "machine": machine(),
        "rules": len(policy.book.rules),
        "values": _count(policy.run(household)),
        "microseconds": {name: _timed(step, count) for name, (step, count) in steps.items()},
    }


def _timed(step: Callable[[], Any], count: int) -> dict[str, float]:
    taken = []
    gc.collect()
    for _ in range(max(count, 1)):
        start = time.perf_counter_ns()
        step()
        taken.append(time.perf_counter_ns() - start)
    taken.sort()
    return {"p50": taken[len(taken) // 2] / 1000, "p99": taken[len(taken) * 99 // 100] / 1000}


def _count(frame: Any) -> int:
    return sum(_count(value) if isinstance(value, tuple | list) else 1 for value in frame)


if __name__ == "__main__":
    main()
