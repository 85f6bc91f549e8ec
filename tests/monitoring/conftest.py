"""A real monitoring service on a real database, a department that signs, and payments as a small HTTP server."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import create_engine, select

from sandbox.department.key_pair import read_key
from sandbox.department.signed_post import signed_request
from services.cli.provision import DEPARTMENT_KEY_ID, DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID, development_key
from services.monitoring.app import create_app
from services.monitoring.settings import MonitoringSettings
from services.monitoring.store.tables import metadata
from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.runtime.environment import read_configuration
from services.shared.vocabulary.actor import Actor

TABLES = {table.name: table for table in metadata.tables.values()}
BUSINESS_NOW = "2026-03-10T01:00:00+00:00"
PATIENCE_SECONDS = 30


def eventually(condition):
    """The first true value of `condition()` within the patience of a slow machine."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


@dataclass
class Service:
    """The running service as a client sees it, and the means to look into its store as the owner."""

    eventually = staticmethod(eventually)

    url: str
    data_dir: Path
    owner: Any
    http: httpx.Client

    @property
    def batches(self) -> str:
        return f"{self.url}/monitoring/v1/feeds/deaths/batches"

    @property
    def key(self):
        return read_key(self.data_dir / "keys" / "department.pem")

    def post(self, body: dict | bytes, key=None, key_id: str = DEPARTMENT_KEY_ID) -> httpx.Response:
        """Send a batch as the department does."""
        return self.http.send(self.signed(body, key, key_id))

    def signed(self, body: dict | bytes, key=None, key_id: str = DEPARTMENT_KEY_ID) -> httpx.Request:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return signed_request(self.batches, content, key or self.key, key_id)

    def get(self, path: str, role: str | None = "auditor", region: str = "000000", **parameters) -> httpx.Response:
        """Read as somebody of that role and region."""
        headers = {} if role is None else {"authorization": f"Bearer {self.token(role, region)}"}
        return self.http.get(f"{self.url}/monitoring/v1{path}", params=parameters, headers=headers)

    def token(self, role: str, region: str = "000000") -> str:
        actor = Actor(f"test-{role}", frozenset({role}), (region,))
        key, lifetime = development_key(self.data_dir), timedelta(hours=1)
        return issue_token(key, DEVELOPMENT_KEY_ID, DEVELOPMENT_ISSUER, actor, system_now(), lifetime)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table, past the service."""
        with self.owner.connect() as connection:
            return [dict(row) for row in connection.execute(select(TABLES[table])).mappings()]

    def counts(self) -> dict[str, int]:
        """How many rows each table of a batch's effect has."""
        names = ("feed_batches", "feed_nonces", "death_records", "alerts", "outbox_messages", "audit_events")
        return {name: len(self.rows(name)) for name in names}


@pytest.fixture(scope="module")
def service(configured: dict[str, str], owner_url: str, payments: "Payments") -> Iterator[Service]:
    """Monitoring on a port of its own, its clock at 2026-03-10 nine o'clock in China."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUDI_MONITORING_URL", url)
        patch.setenv("DOUDI_PAYMENTS_URL", payments.url)
        app = create_app(read_configuration(MonitoringSettings))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        eventually(lambda: server.started)
        owner = create_engine(owner_url, isolation_level="AUTOCOMMIT")
        with httpx.Client(timeout=10, trust_env=False) as http:
            service = Service(url, Path(configured["DOUDI_DATA_DIR"]), owner, http)
            headers = {"authorization": f"Bearer {service.token('operator')}"}
            clock = f"{url}/monitoring/v1/test-helpers/clock"
            assert http.post(clock, json={"now": BUSINESS_NOW}, headers=headers).is_success
            yield service
        server.should_exit = True
        thread.join(10)
        owner.dispose()
        app.state.runtime.database.close()


@dataclass
class Payments:
    """Payments as its neighbour sees it: it keeps what it is told and answers as it is told to."""

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    answer: tuple[int, Any] = (201, {"outcome": "NOT_ON_ROLL", "holds": []})
    is_down: bool = False


@pytest.fixture(scope="module")
def payments() -> Iterator[Payments]:
    """A small HTTP server in the place of payments."""
    payments = Payments()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            if payments.is_down:
                self.connection.close()
                return
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            seen = {"path": self.path, "key": self.headers["idempotency-key"], "auth": self.headers["authorization"]}
            payments.requests.append({**seen, "body": body})
            status, answer = payments.answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    payments.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield payments
    server.shutdown()
    server.server_close()


@pytest.fixture
def worker(service: Service) -> Iterator[subprocess.Popen]:
    """Monitoring's worker in a process of its own, with the service's settings."""
    process = subprocess.Popen([sys.executable, "-m", "services.monitoring", "worker"], stdout=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(20)
