"""Requests a second of simulations and recorded determinations on two serving processes, and the database's share.

    python -m benchmarks.http_requests [--smoke] [--json]

Client, services and PostgreSQL share the machine's cores, so CPU milliseconds a request say more than requests a
second. Each request is the Wuhan family of the main job, with the whole explanation in the answer.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import cpu_seconds, machine
from services.cli import embedded_postgres
from services.cli.main_job.story import read_story
from services.cli.migrate import bring_up_to_date
from services.cli.token import development_token

CONNECTIONS = 16
REQUESTS, SMOKE_REQUESTS = 8_000, 200
ROUNDS, SMOKE_ROUNDS = 3, 1
READY_SECONDS = 60
PROCESSES = 2


def main() -> None:
    """Start everything in a temporary folder, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few requests, to see that it works")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    requests, rounds = (SMOKE_REQUESTS, SMOKE_ROUNDS) if arguments.smoke else (REQUESTS, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="doudi-bench-") as folder:
        os.environ["DOUDI_DATA_DIR"] = folder
        try:
            rows = _measure(Path(folder), requests, rounds)
        finally:
            embedded_postgres.stop(Path(folder))
    if arguments.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=1))
        return
    print(machine())
    print("\t".join(rows[0]))
    for row in rows:
        print("\t".join(str(value) for value in row.values()))


def _measure(folder: Path, requests: int, rounds: int) -> list[dict[str, Any]]:
    environment = bring_up_to_date(folder)
    port = _free_port()
    settings = {**os.environ, **environment, "DOUDI_ELIGIBILITY_PORT": str(port), "DOUDI_LOG_LEVEL": "WARNING"}
    argv = [sys.executable, "-m", "services.eligibility", "serve", "--workers", str(PROCESSES)]
    service = subprocess.Popen(argv, env=settings, start_new_session=True)
    try:
        _wait_ready(port)
        postmaster = int((folder / "postgres" / "cluster" / "postmaster.pid").read_text().split("\n")[0])
        return [
            _round(path, port, requests, service.pid, postmaster)
            for _ in range(rounds)
            for path in ("simulations", "determinations")
        ]
    finally:
        service.terminate()
        service.wait(30)


def _round(path: str, port: int, requests: int, service: int, postmaster: int) -> dict[str, Any]:
    body = json.dumps(read_story().household("wuhan_family").request).encode()
    head = (
        f"POST /eligibility/v1/{path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {development_token('caseworker', 'bench')}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    asyncio.run(_load(port, head + body, max(50, requests // 20)))
    before = (cpu_seconds(service), cpu_seconds(postmaster))
    started = time.perf_counter()
    latencies = asyncio.run(_load(port, head + body, requests))
    elapsed = time.perf_counter() - started
    used = [after - b for after, b in zip((cpu_seconds(service), cpu_seconds(postmaster)), before, strict=True)]
    latencies.sort()
    return {
        "call": f"POST …/{path}",
        "requests_per_second": round(requests / elapsed),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 2),
        "service_cpu_ms": round(used[0] * 1000 / requests, 3),
        "database_cpu_ms": round(used[1] * 1000 / requests, 3),
        "database_share": round(used[1] / (sum(used) or 1), 2),
    }


async def _load(port: int, request: bytes, requests: int) -> list[float]:
    latencies: list[float] = []
    left = iter(range(requests))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            started = time.perf_counter()
            writer.write(request)
            header = await reader.readuntil(b"\r\n\r\n")
            if not header.startswith(b"HTTP/1.1 20"):
                raise RuntimeError(header.decode())
            length = int(header.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return latencies


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_ready(port: int) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(1)  # both processes take connections
                return
        time.sleep(0.1)
    raise RuntimeError("the service did not get ready")


if __name__ == "__main__":
    main()
