"""Requests a second and CPU time a request: OpenFisca's web API and our service, two worker processes each."""

import json
import os
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison.household import Household
from benchmarks.comparison.openfisca_situation import situation
from benchmarks.comparison.pack_files import write_packs
from benchmarks.comparison.referee import Outputs, determine
from benchmarks.comparison.request_body import request_body
from benchmarks.comparison.sample import timed
from benchmarks.http_requests import measure
from benchmarks.load import free_port, post, send, wait_ready
from benchmarks.serving import PROCESSES, Serving, eligibility_serving
from services.cli.token import development_token
from services.shared.vocabulary.money import fen_of

REPOSITORY = Path(__file__).parents[2]
ROUNDS = 4
WARM_UP = 300
"""So that every process has met every household, and its place."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent, to which service, and how often in a round."""

    name: str
    path: str
    serving: Serving
    requests: list[bytes]
    count: int


def over_http(python: Path, share: float = 1) -> list[dict[str, Any]]:
    """A row for each call; `share` of the requests for a quick look.

    The calls take turns, and each one's fastest round is told: others' work can only make one slower.
    """
    with _openfisca_serving(python) as peer, _ours_serving() as ours:
        calls = [*_openfisca_calls(peer, share), *_our_calls(ours, share)]
        for call in calls:
            send(call.serving.port, call.requests, WARM_UP)
        rounds = [
            [measure(call.path, call.serving, call.requests, call.count) for call in calls] for _ in range(ROUNDS)
        ]
    return [_row(call, list(taken)) for call, taken in zip(calls, zip(*rounds, strict=True), strict=True)]


def _row(call: Call, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    fastest = max(rounds, key=lambda row: row["requests_per_second"])
    cpu_ms = round(fastest["service_cpu_ms"] + fastest["database_cpu_ms"], 3)
    return {**fastest, "call": call.name, "cpu_ms": cpu_ms, "rounds": [row["requests_per_second"] for row in rounds]}


# --- OpenFisca -------------------------------------------------------------------------------------------------------


def _openfisca_calls(serving: Serving, share: float) -> Iterator[Call]:
    bodies = [json.dumps(situation(household)).encode() for household in timed()]
    _hold_openfisca(serving.port, bodies)
    for path in ("calculate", "trace"):
        requests = [post(f"/{path}", body) for body in bodies]
        yield Call(f"OpenFisca POST /{path}", path, serving, requests, round(400 * share))


@contextmanager
def _openfisca_serving(python: Path) -> Iterator[Serving]:
    port = free_port()
    serve = [str(python.with_name("openfisca")), "serve", "--country-package", "benchmarks.comparison.openfisca_policy"]
    # Gunicorn's plain workers, as it starts them: those with threads, which keep connections open, were no quicker.
    argv = [*serve, "--bind", f"127.0.0.1:{port}", "--workers", str(PROCESSES), "--log-level", "warning"]
    server = subprocess.Popen(argv, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    try:
        wait_ready(port)
        yield Serving(port, server.pid, None)
    finally:
        server.terminate()
        server.wait(30)


def _hold_openfisca(port: int, bodies: list[bytes]) -> None:
    for household, body in zip(timed(), bodies, strict=True):
        answer = _asked(f"http://127.0.0.1:{port}/calculate", body)["households"]["h"]
        found = tuple(int(answer[name][household.on[:7]]) for name in Outputs._fields)
        assert found == determine(household, household.figures), f"OpenFisca's web API differs: {found}"


# --- ours ------------------------------------------------------------------------------------------------------------


@contextmanager
def _ours_serving() -> Iterator[Serving]:
    with tempfile.TemporaryDirectory(prefix="doudi-packs-") as folder:
        write_packs(Path(folder))
        with eligibility_serving(Path(folder)) as serving:
            yield serving


def _our_calls(serving: Serving, share: float) -> Iterator[Call]:
    token = development_token("caseworker", "bench")
    bodies = [json.dumps(request_body(household)).encode() for household in timed()]
    for household, body in zip(timed(), bodies, strict=True):
        hold(household, _asked(f"http://127.0.0.1:{serving.port}/eligibility/v1/simulations", body, token))
    for path, count in (("simulations", 4_000), ("determinations", 1_200)):
        requests = [post(f"/eligibility/v1/{path}", body, token) for body in bodies]
        yield Call(f"ours POST …/{path}", path, serving, requests, round(count * share))


def hold(household: Household, answer: dict[str, Any]) -> None:
    """Raise AssertionError where the service's answer is not the referee's."""
    right = determine(household, household.figures)
    amounts: dict[str, list[int]] = {}
    granted: set[str] = set()
    for result in answer["results"]:
        if result["outcome"] == "eligible":
            granted.add(result["programme"])
            paid = result.get("monthly") or result.get("one_off")
            amounts.setdefault(result["programme"], []).append(fen_of(paid) if paid else 0)
    found = {name: sum(each) for name, each in amounts.items()}
    assert found.get("tekun", 0) == right.tekun, "tekun differs"
    assert found.get("dibao", 0) == right.dibao + right.supplement, "dibao differs"
    assert found.get("dibao_single", 0) == right.single, "dibao_single differs"
    assert found.get("temporary_aid", 0) == right.emergency, "temporary_aid differs"
    assert ("dibao_margin" in granted) == bool(right.margin), "dibao_margin differs"
    assert ("rigid_expenditure" in granted) == bool(right.rigid), "rigid_expenditure differs"


def _asked(url: str, body: bytes, token: str = "") -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answered:
        return json.loads(answered.read())
