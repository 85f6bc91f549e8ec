"""Microseconds for one determination in process: every rule's value, the outcomes, and the whole explained answer.

    python -m benchmarks.determination [--json] [--rounds N]

The household is the Wuhan family of three with every fact known; the rules are those of every programme of the national
and local packs. Figures that no pack holds for the place are given with the call, so that nothing is open; "as the
packs hold" is the same household without them, where some programmes are undetermined and what would settle them is
sought. "Sentences" is what is added to the outcomes by the reasons: each sentence in two languages with its numbers,
figures and citation.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from benchmarks.machine import machine
from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import Answer, render_answer
from services.eligibility.domain.determination import evaluate
from services.eligibility.domain.facts import read_facts
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.evaluation import PreparedPolicy, parameter_value
from services.shared.policy.explanation import Reason

ROUNDS = 2_000

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
    "sex": "male",
    "needs_long_term_care": False,
    "work_injury_care_fee": False,
    "ability_level": "intact",
}
GIVEN = {"money": "5000.00", "rate": "0.5", "int": "2", "months": "6", "bool": "true"}
"""What is given for a figure that no pack holds, by its type; of a code, the first."""
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
        "spending_last_12_months": {"medical": "0.00", "education": "0.00", "rehabilitation": "0.00", "living": "0.00"},
        "medical_bill": {"member": "m1", "in_policy_cost": "0.00", "kind": "inpatient"},
    },
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    report = measure(arguments.rounds)
    if arguments.json:
        print(json.dumps(report, indent=1))
        return
    print(" · ".join(report["machine"].values()))
    print(f"{report['rules']} rules, {report['programmes']} programmes, {report['values']} values for three people")
    print(f"{report['results']} results, {report['reasons']} reasons, {report['bytes']} bytes of answer")
    for step, figures in report["microseconds"].items():
        print(f"{step:<40} p50 {figures['p50']:>9.1f} µs   p99 {figures['p99']:>9.1f} µs")


def measure(rounds: int) -> dict[str, Any]:
    """The figures of each step, and what they were measured on."""
    raw = json.dumps(FAMILY).encode()
    packs = pack_set_of(read_packs())
    request = parse_request(raw)
    as_held = packs.prepare(request.region, request.as_of)
    policy = as_held.with_parameters(_given(as_held))
    household = read_facts(request, policy.book.presumptions)
    answer = evaluate(policy, request)
    days = iter(date.fromordinal(request.as_of.toordinal() + day) for day in range(1, 100))
    steps: dict[str, tuple[Callable[[], Any], int]] = {
        "parse the body": (lambda: parse_request(raw), rounds),
        "lay the facts out in rows": (lambda: read_facts(request, policy.book.presumptions), rounds),
        "values": (lambda: policy.run(household), rounds),
        "outcomes and amounts": (lambda: evaluate(policy, request), rounds),
        "the same with sentences": (lambda: _explained(evaluate(policy, request)), rounds),
        "the same as bytes": (lambda: render_answer(evaluate(policy, request)), rounds),
        "from body to bytes": (lambda: render_answer(evaluate(policy, parse_request(raw))), rounds),
        "as the packs hold, outcomes and missing": (lambda: evaluate(as_held, request), rounds // 10),
        "as the packs hold, as bytes": (lambda: render_answer(evaluate(as_held, request)), rounds // 10),
        "prepare a place and day": (lambda: packs.prepare(request.region, next(days)), 50),
    }
    gc.collect()
    # What was loaded is never garbage, and need not be looked through again and again.
    gc.freeze()
    return {
        "machine": machine(),
        "rules": len(policy.book.rules),
        "programmes": len(policy.book.programmes),
        "values": _count(policy.run(household)),
        "results": len(answer.results),
        "reasons": sum(map(_count_of_reasons, (item for result in answer.results for item in result.reasons))),
        "bytes": len(render_answer(answer)),
        "microseconds": {name: _timed(step, count) for name, (step, count) in steps.items()},
    }


def _given(policy: PreparedPolicy) -> dict[str, Any]:
    missing = (item for name, item in policy.book.declarations.items() if not policy.all_held.get(name, True))
    return {item.name: parameter_value(GIVEN.get(item.type) or item.codes[0], item) for item in missing}


def _explained(answer: Answer) -> list[Sequence[str]]:
    return [result.explain() for result in answer.results]


def _count_of_reasons(reason: Reason) -> int:
    return 1 + sum(map(_count_of_reasons, reason.children))


def _timed(step: Callable[[], Any], count: int) -> dict[str, float]:
    taken = []
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
