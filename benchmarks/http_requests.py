"""Requests a second of simulations and recorded determinations on two serving processes, and the database's share.

    python -m benchmarks.http_requests [--smoke] [--json]

Client, services and PostgreSQL share the machine's cores, so CPU milliseconds a request say more than requests a
second. Each request is the Wuhan family of the main job, with the whole explanation in the answer.
"""

import argparse
import json
import time
from typing import Any

from benchmarks.load import post, send
from benchmarks.machine import cpu_seconds, machine
from benchmarks.serving import Serving, eligibility_serving
from services.cli.main_job.story import read_story
from services.cli.token import development_token

REQUESTS, SMOKE_REQUESTS = 8_000, 200
ROUNDS, SMOKE_ROUNDS = 3, 1


def main() -> None:
    """Start everything in a temporary folder, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few requests, to see that it works")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    requests, rounds = (SMOKE_REQUESTS, SMOKE_ROUNDS) if arguments.smoke else (REQUESTS, ROUNDS)
    with eligibility_serving() as serving:
        rows = [
            measure(path, serving, request_of(path), requests)
            for _ in range(rounds)
            for path in ("simulations", "determinations")
        ]
    if arguments.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=1))
        return
    print(machine())
    print("\t".join(rows[0]))
    for row in rows:
        print("\t".join(str(value) for value in row.values()))


def request_of(path: str) -> list[bytes]:
    """The Wuhan family of the main job, sent to a path by a caseworker."""
    body = json.dumps(read_story().household("wuhan_family").request).encode()
    return [post(f"/eligibility/v1/{path}", body, development_token("caseworker", "bench"))]


def measure(path: str, serving: Serving, requests: list[bytes], count: int) -> dict[str, Any]:
    """One row: `count` requests after a twentieth as many to warm up."""
    send(serving.port, requests, max(50, count // 20))
    before = _cpu(serving)
    started = time.perf_counter()
    latencies = sorted(send(serving.port, requests, count))
    elapsed = time.perf_counter() - started
    service, database = (end - start for start, end in zip(before, _cpu(serving), strict=True))
    return {
        "call": f"POST …/{path}",
        "requests_per_second": round(count / elapsed),
        "p50_ms": round(latencies[count // 2] * 1000, 2),
        "p99_ms": round(latencies[count * 99 // 100] * 1000, 2),
        "service_cpu_ms": round(service * 1000 / count, 3),
        "database_cpu_ms": round(database * 1000 / count, 3),
        "database_share": round(database / (service + database or 1), 2),
    }


def _cpu(serving: Serving) -> tuple[float, float]:
    return cpu_seconds(serving.service), cpu_seconds(serving.postmaster) if serving.postmaster else 0.0


if __name__ == "__main__":
    main()
