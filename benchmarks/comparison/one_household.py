"""Microseconds for one household: our engine and the referee in this process, the peers in one of their own."""

import json
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.comparison.engine import comparison_packs, outputs, outputs_of, parsed, rows, sentences
from benchmarks.comparison.referee import determine
from benchmarks.comparison.request_body import request_body
from benchmarks.comparison.sample import compared, timed
from benchmarks.comparison.timing import microseconds
from services.eligibility.api.household_body import parse_request
from services.eligibility.use_cases.evaluate_household import rendered_answer

PEER_SECONDS = 600


def answers_of_ours(count: int) -> list[tuple[int, ...]]:
    """Our engine's outputs for every compared household."""
    packs = comparison_packs()
    return [outputs(packs, household) for household in compared(count)]


def ours(rounds: int) -> dict[str, dict[str, float]]:
    """From a household's rows to the values of all rules and to what is said of them; then as the service does."""
    packs, households = comparison_packs(), timed()
    requests = [parsed(household) for household in households]
    laid_out = []
    for request in requests:
        policy = packs.prepare(request.region, request.as_of)
        laid_out.append((policy, outputs_of(policy), rows(policy, request)))
    bodies = [json.dumps(request_body(household)).encode() for household in households]
    return {
        "values": microseconds(lambda given: given[0].run(given[2]), laid_out, rounds),
        "values, eleven outputs read": microseconds(lambda given: given[1](given[0].run(given[2])), laid_out, rounds),
        "values and sentences": microseconds(lambda given: sentences(given[0], given[2]), laid_out, rounds),
        "facts laid out in rows": microseconds(
            lambda request: rows(packs.prepare(request.region, request.as_of), request), requests, rounds
        ),
        "whole answer": microseconds(lambda request: rendered_answer(packs, request).body, requests, rounds),
        "JSON to JSON, whole answer": microseconds(
            lambda body: rendered_answer(packs, parse_request(body)).body, bodies, rounds
        ),
    }


def plain_python(rounds: int) -> dict[str, dict[str, float]]:
    """The referee, its figures looked up before."""
    given = [(household, household.figures) for household in timed()]
    return {"values": microseconds(lambda pair: determine(*pair), given, rounds)}


def peer(python: Path, engine: str, asked: str, number: int) -> dict[str, Any]:
    """A peer's "answers" to that many households, or "times" of that many rounds, from a process of their own.

    Raises CalledProcessError with what it said.
    """
    argv = [str(python), "-m", "benchmarks.comparison.peer_process", engine, asked, str(number)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=PEER_SECONDS)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
