"""A real payments service over HTTP, on a real database, with a real test bank; its worker's work done step by step.

Both the tests of payments and those of faults take their fixtures from here.
"""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from joserfc.jwk import OKPKey
from sqlalchemy import Engine, create_engine, text
from stdnum import luhn

from services.cli.provision import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID, development_key
from services.payments.app import create_app
from services.payments.gateways.bank import Bank
from services.payments.jobs import schedules
from services.payments.settings import configuration
from services.payments.use_cases.pay_batch import pay_batch
from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.runtime.jobs import TryAgain
from services.shared.runtime.service_app import Runtime
from services.shared.runtime.service_client import ServiceClient
from services.shared.vocabulary.actor import NATION, Actor
from services.shared.vocabulary.identifiers import id_number_with_check_character
from tests.running_bank import KEY, RunningBank, running_bank

START_SECONDS = 30
_numbers, _keys = itertools.count(1), itertools.count(1)
_SHA256 = "0" * 64
NOBODY = "http://127.0.0.1:9"
"""Where no eligibility is: what is asked of it waits."""


def id_number(number: int, born: str | None = None) -> str:
    """A demo person's number; each `number` is another person."""
    born = born or f"{1940 + number // 1000}0115"
    return id_number_with_check_character(f"990100{born}{number % 1000:03d}")


def card(number: int, magic: str = "00") -> str:
    """A demo card with a fate in the test bank."""
    body = f"9{number:012d}{magic}"
    return body + luhn.calc_check_digit(body)


@dataclass
class Payments:
    """The service as people and other services see it, and its worker as a test drives it."""

    url: str
    app: FastAPI
    data_dir: Path
    owner: Engine
    bank: RunningBank
    bank_line: Bank
    eligibility_line: ServiceClient
    http: httpx.Client

    @property
    def runtime(self) -> Runtime:
        return self.app.state.runtime

    def get(self, path: str, role: str = "auditor", regions: tuple[str, ...] = (NATION,), **options: Any) -> Any:
        answer = self.call("GET", path, role, regions, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, role: str, key: str | None = None, **options: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key or f"key-{next(_keys)}"}
        return self.call("POST", path, role, json=body, headers=headers, **options)

    def done(self, path: str, body: Any, role: str, **options: Any) -> Any:
        answer = self.post(path, body, role, **options)
        assert answer.is_success, answer.text
        return answer.json()

    def call(
        self,
        method: str,
        path: str,
        role: str,
        regions: tuple[str, ...] = (NATION,),
        headers: Any = None,
        **options: Any,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token(role, regions)}", **(headers or {})}
        return self.http.request(method, f"{self.url}/payments/v1{path}", headers=headers, **options)

    def token(self, role: str, regions: tuple[str, ...] = (NATION,)) -> str:
        """`maker` is the person maker-1, `maker:2` another with the same role; `eligibility` is that service."""
        name, _, number = role.partition(":")
        if name in ("eligibility", "monitoring"):
            path = self.data_dir / "keys" / f"{name}-signing.pem"
            key, issuer, kid = OKPKey.import_key(path.read_text(encoding="utf-8")), name, name
            actor = Actor(name, frozenset({"service"}), (NATION,))
        else:
            key, issuer, kid = development_key(self.data_dir), DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID
            actor = Actor(f"{name}-{number or 1}", frozenset({name}), regions)
        return issue_token(key, kid, issuer, actor, system_now(), timedelta(hours=1))

    def put_clock(self, now: str) -> None:
        """Business time here and at the bank."""
        self.call("POST", "/test-helpers/clock", "operator", json={"now": now}).raise_for_status()
        self.bank.put_clock(now)

    def award(self, **changes: Any) -> str:
        """An award as eligibility sends it; its id. `people` heads, and a `magic` card."""
        body = award_body(**changes)
        self.done("/awards", body, "eligibility")
        return body["award_id"]

    def batch(self, programme: str = "dibao", month: str = "2023-09", region: str = "420100") -> dict[str, Any]:
        """A calculated batch of what waits."""
        wanted = {"programme": programme, "month": month, "region": region}
        return self.done("/batches", wanted, "maker")

    def release(self, batch: dict[str, Any]) -> str:
        """Submitted, approved by a second person and released; the batch's id."""
        path = f"/batches/{batch['id']}"
        self.done(f"{path}/submit", {}, "maker")
        self.done(f"{path}/approve", {"lines_root": batch["lines_root"]}, "checker")
        self.done(f"{path}/release", {}, "checker")
        return batch["id"]

    def pay(self, batch_id: str) -> bool:
        """What the worker does for a released batch, once; whether it is done with it."""
        try:
            pay_batch(self.runtime, self.bank_line, batch_id)
        except TryAgain:
            return False
        return True

    def tick(self) -> None:
        """Every schedule of the worker, once."""
        for schedule in schedules(self.runtime, self.bank_line, self.eligibility_line).values():
            schedule.run()

    def lines(self, award: str | None = None, **query: Any) -> list[dict[str, Any]]:
        found = self.get("/disbursements", params={"limit": 500, **query})["data"]
        return [line for line in found if award in (None, line["award_id"])]

    def line(self, award: str, **query: Any) -> dict[str, Any]:
        [line] = self.lines(award, **query)
        return line

    def rows(self, query: str) -> list[Any]:
        """Rows as the owner sees them."""
        with self.owner.connect() as connection:
            return list(connection.execute(text(query)))

    def broken_invariants(self) -> dict[str, list[Any]]:
        """The rows of every inv_ view that is not empty."""
        views = self.rows("select viewname from pg_views where schemaname = 'payments' and viewname like 'inv\\_%'")
        assert len(views) >= 11
        found = {name: self.rows(f"select * from payments.{name}") for (name,) in views}  # noqa: S608 - our own names
        return {name: rows for name, rows in found.items() if rows}


def award_body(
    people: int = 3,
    magic: str = "00",
    amount: str = "1020.00",
    programme: str = "dibao",
    region: str = "420100",
    month: str | None = "2023-09",
    until: str | None = "2023-10",
    **changes: Any,
) -> dict[str, Any]:
    """A body of POST /awards for a household of demo people."""
    number = next(_numbers) * 10
    members = [
        {"member": f"m{n}", "name": f"演示{n}", "id_number": id_number(number + n)} for n in range(1, people + 1)
    ]
    return {
        "award_id": f"award_{number:06d}",
        "determination_id": f"determination_{number:06d}",
        "programme": programme,
        "region": region,
        "kind": "one_off" if month is None else "monthly",
        "amount": amount,
        "from": month,
        "until": until if month is not None else None,
        "confirmed_on": "2023-08-01",
        "subject": "household",
        "members": members,
        "payee": {**members[0], "card_number": card(number, magic)},
        "basis": {
            "rule": "dibao.income_test",
            "instrument": "社会救助暂行办法",
            "article": "第九条",
            "packs": [{"id": "cn", "version": "2026.1", "sha256": _SHA256}],
        },
        **changes,
    }


@pytest.fixture
def new_award_body() -> Callable[..., dict[str, Any]]:
    return award_body


@pytest.fixture
def demo_id_number() -> Callable[..., str]:
    return id_number


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBank]:
    with running_bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture(scope="module")
def payments(configured: dict[str, str], owner_url: str, bank: RunningBank) -> Iterator[Payments]:
    """The service on a port of its own, with business time at 2023-08-01, nine o'clock in China."""
    listener = socket.create_server(("127.0.0.1", 0))
    key_file = Path(configured["DOUDI_PAYMENTS_BANK_KEY_FILE"])
    key_file.write_text(KEY, encoding="ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUDI_PAYMENTS_BANK_URL", bank.url)
        app = create_app(configuration())
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        owner = create_engine(owner_url, isolation_level="AUTOCOMMIT")
        line = Bank(bank.url, key_file, answer_seconds=3.0)
        eligibility = ServiceClient(
            "eligibility", NOBODY, "payments", Path(configured["DOUDI_PAYMENTS_SIGNING_KEY_FILE"])
        )
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(timeout=20, trust_env=False) as http:
            service = Payments(url, app, Path(configured["DOUDI_DATA_DIR"]), owner, bank, line, eligibility, http)
            service.put_clock("2023-08-01T09:00:00+08:00")
            yield service
        server.should_exit = True
        thread.join(10)
        line.close()
        eligibility.close()
        owner.dispose()
        app.state.runtime.database.close()
