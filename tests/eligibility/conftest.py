"""A real eligibility service over HTTP on a real database, and the means to look into its store as the owner."""

import copy
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

from services.cli import main_job
from services.cli.provision import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID, development_key
from services.eligibility.app import create_app
from services.eligibility.settings import configuration
from services.eligibility.store.tables import metadata
from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import NATION, Actor
from services.shared.vocabulary.identifiers import id_number_with_check_character

REQUESTS = Path(main_job.__file__).parent / "requests"
START_SECONDS, PATIENCE_SECONDS = 30, 30
_numbers = itertools.count(1)


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true value of `condition()` within the patience of a slow machine."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


def household(name: str = "wuhan_family", **changes: Any) -> dict[str, Any]:
    """The body of one of the main job's requests, with members of its top level replaced."""
    return {**json.loads((REQUESTS / f"{name}.json").read_text(encoding="utf-8")), **changes}


def people_of(body: dict[str, Any], subject: str = "household") -> list[dict[str, Any]]:
    """Demo people for an award of `body` to `subject`; the first of them is the payee."""
    members = [member["id"] for member in body["household"]["members"]]
    named = members if subject == "household" else [subject]
    found = []
    for member in named:
        number = next(_numbers)
        id_number = id_number_with_check_character(f"99010019800115{number % 1000:03d}")
        found.append({"member": member, "name": f"演示{number}", "id_number": id_number})
    found[0]["card_number"] = f"9{number:014d}" + luhn.calc_check_digit(f"9{number:014d}")
    return found


@dataclass
class Eligibility:
    """The service as people and other services see it."""

    eventually = staticmethod(eventually)
    household = staticmethod(household)
    people_of = staticmethod(people_of)

    url: str
    app: FastAPI
    data_dir: Path
    owner: Engine
    http: httpx.Client

    @property
    def runtime(self) -> Runtime:
        return self.app.state.runtime

    def call(
        self,
        method: str,
        path: str,
        role: str | None,
        regions: tuple[str, ...] = (NATION,),
        headers: Any = None,
        **options: Any,
    ) -> httpx.Response:
        """A request as `role`; "caseworker:2" is a second person of that role, None nobody."""
        signed = {} if role is None else {"Authorization": f"Bearer {self.token(role, regions)}"}
        headers = {**signed, **(headers or {})}
        return self.http.request(method, f"{self.url}/eligibility/v1{path}", headers=headers, **options)

    def get(self, path: str, role: str = "auditor", **options: Any) -> httpx.Response:
        return self.call("GET", path, role, **options)

    def post(self, path: str, body: Any, role: str = "caseworker", key: str | None = None, **options: Any):
        headers = {"Idempotency-Key": key or f"key-{next(_numbers)}", **options.pop("headers", {})}
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        if isinstance(body, bytes):
            headers.setdefault("Content-Type", "application/json")
        return self.call("POST", path, role, headers=headers, **content, **options)

    def determined(self, body: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """A recorded determination, as it was answered."""
        answer = self.post("/determinations", body or household(), **options)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def propose(self, determination_id: str, body: dict[str, Any], **options: Any) -> httpx.Response:
        return self.post(f"/determinations/{determination_id}/awards", body, **options)

    def proposed(self, **changes: Any) -> str:
        """The id of a proposed award for a family in Wuhan; "caseworker" proposed it."""
        determination = self.determined()
        answer = self.propose(determination["id"], proposal(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def decide(self, award_id: str, decision: str = "confirm", role: str = "confirmer", **options: Any):
        return self.post(f"/awards/{award_id}/{decision}", options.pop("body", {}), role, **options)

    def token(self, role: str, regions: tuple[str, ...] = (NATION,)) -> str:
        """A signed token; "payments" is that service."""
        name, _, number = role.partition(":")
        if name == "payments":
            path = self.data_dir / "keys" / "payments-signing.pem"
            key, issuer, kid = OKPKey.import_key(path.read_text(encoding="utf-8")), name, name
            actor = Actor(name, frozenset({"service"}), (NATION,))
        else:
            key, issuer, kid = development_key(self.data_dir), DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID
            actor = Actor(f"{name}-{number or 1}", frozenset({name}), regions)
        return issue_token(key, kid, issuer, actor, system_now(), timedelta(hours=1))

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Rows as the owner sees them."""
        with self.owner.connect() as connection:
            return list(connection.execute(text(query), values))

    def counts(self) -> dict[str, int]:
        """How many rows each of the service's tables has."""
        return {name: self.rows(f"select count(*) from {name}")[0][0] for name in metadata.tables}  # noqa: S608

    @contextmanager
    def altered(self, table: str, change: str, where: str, **values: Any) -> Iterator[None]:
        """While it lasts, rows are changed past the guards, as only the owner of the tables can; then put back."""
        named = f"eligibility.{table}"
        with self.owner.begin() as connection:
            connection.execute(text(f"create table kept as select * from {named} where {where}"), values)  # noqa: S608
            assert connection.execute(text("select count(*) from kept")).scalar_one() == 1
        try:
            self._past_the_guards(named, f"update {named} set {change} where {where}", values)  # noqa: S608
            yield
        finally:
            self._past_the_guards(named, f"delete from {named} where {where}", values)  # noqa: S608
            with self.owner.begin() as connection:
                connection.execute(text(f"insert into {named} select * from kept"))  # noqa: S608
                connection.execute(text("drop table kept"))

    def _past_the_guards(self, table: str, statement: str, values: dict[str, Any]) -> None:
        with self.owner.begin() as connection:
            connection.execute(text(f"alter table {table} disable trigger all"))
            connection.execute(text(statement), values)
            connection.execute(text(f"alter table {table} enable trigger all"))


def proposal(**changes: Any) -> dict[str, Any]:
    """The body of a proposal for the family in Wuhan."""
    body = {"programme": "dibao", "subject": "household", "people": people_of(household())}
    return copy.deepcopy({**body, **changes})


@pytest.fixture(scope="module")
def new_proposal() -> Callable[..., dict[str, Any]]:
    return proposal


@contextmanager
def running(app: FastAPI, owner_url: str, data_dir: Path) -> Iterator[Eligibility]:
    """The application on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    eventually(lambda: server.started, START_SECONDS)
    owner = create_engine(owner_url)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx.Client(timeout=20, trust_env=False) as http:
        yield Eligibility(url, app, data_dir, owner, http)
    server.should_exit = True
    thread.join(10)
    owner.dispose()
    app.state.runtime.database.close()


@pytest.fixture(scope="module")
def eligibility(configured: dict[str, str], owner_url: str) -> Iterator[Eligibility]:
    """The service in development, with its test clock not set."""
    with running(create_app(configuration()), owner_url, Path(configured["DOUDI_DATA_DIR"])) as service:
        yield service


@pytest.fixture(scope="module")
def run_service() -> Callable[..., Any]:
    """Runs a second service, with settings of its own, beside the first."""
    return running
