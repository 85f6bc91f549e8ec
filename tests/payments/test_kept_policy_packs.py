"""Payments keeps the packs that its awards rest on: fetched, proven by their hash, shown without eligibility."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from services.payments.store import policy_packs
from services.payments.use_cases.keep_policy_packs import keep_policy_packs
from services.shared.runtime.service_client import ServiceClient
from tests.new_pack import ID, pack_files, sha256_of
from tests.running_bank import free_port

START_SECONDS = 60


def client_of(environment: dict[str, str], url: str) -> ServiceClient:
    return ServiceClient("eligibility", url, "payments", Path(environment["DOUDI_PAYMENTS_SIGNING_KEY_FILE"]))


class Eligibility:
    """The real service in a process of its own, which can be stopped."""

    def __init__(self, environment: dict[str, str]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "services.eligibility", "serve"]
        environment = {**os.environ, **environment, "DOUDI_ELIGIBILITY_PORT": str(port)}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert time.monotonic() < end
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/eligibility/v1/ready", trust_env=False, timeout=5).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


class Liar(ThreadingHTTPServer):
    """Answers every request with what a test put in."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: tuple[int, bytes] = (200, b"{}")
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def liar() -> Iterator[Liar]:
    server = Liar()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def award_on(payments, new_award_body, *packs: dict[str, str]) -> None:
    body = new_award_body()
    payments.done("/awards", {**body, "basis": {**body["basis"], "packs": list(packs)}}, "eligibility")


def named(version: str, **changes: str) -> dict[str, str]:
    return {"id": ID, "version": version, "sha256": sha256_of(pack_files(version)), **changes}


def served(version: str, **changes: str) -> tuple[int, bytes]:
    pack = {**named(version), "files": {**pack_files(version), **changes}}
    return 200, json.dumps(pack).encode()


def state_of(payments, pack: dict[str, str]) -> dict[str, str]:
    listed = payments.get("/policy-packs", params={"limit": 500})["data"]
    [found] = [each for each in listed if each["sha256"] == pack["sha256"]]
    return found


def events(payments, sha256: str) -> list[str]:
    query = "select action from payments.audit_events where entity = 'policy_pack' and entity_id = '{}' order by id"
    return [action for (action,) in payments.rows(query.format(sha256))]


def test_a_pack_is_kept_and_shown_when_eligibility_is_stopped(payments, new_award_body, service_environment) -> None:
    eligibility = Eligibility(service_environment)
    try:
        headers = {"Authorization": f"Bearer {payments.token('auditor')}"}
        address = f"{eligibility.url}/eligibility/v1/policy-packs"
        version = httpx.get(f"{address}/cn", headers=headers, trust_env=False).json()["in_force"]
        pack = httpx.get(f"{address}/cn/{version}", headers=headers, trust_env=False).json()
        identity = {name: pack[name] for name in ("id", "version", "sha256")}
        award_on(payments, new_award_body, identity)
        assert state_of(payments, identity)["kept_at"] is None
        keep_policy_packs(payments.runtime, client_of(service_environment, eligibility.url))
    finally:
        eligibility.stop()
    answer = payments.call("GET", f"/policy-packs/cn/{version}", "auditor")
    kept = answer.json()
    assert {name: kept[name] for name in identity} == identity
    assert answer.headers["etag"] == f'"{pack["sha256"]}"'
    assert sha256_of(kept["files"]) == pack["sha256"]
    assert kept["files"] == {name: text for name, text in pack["files"].items() if not name.startswith("cases/")}
    assert state_of(payments, identity)["kept_at"] is not None
    assert events(payments, pack["sha256"]) == ["keep_policy_pack"]


def test_while_eligibility_is_away_the_award_is_taken_and_the_pack_waits(
    payments, new_award_body, service_environment, liar
) -> None:
    pack = named("away")
    award_on(payments, new_award_body, pack)
    payments.tick()
    assert state_of(payments, pack)["kept_at"] is None
    assert payments.call("GET", f"/policy-packs/{ID}/away", "auditor").status_code == 404
    for answer in ((503, b"{}"), (401, b"{}"), (200, b"no json"), served("away")):
        liar.answer = answer
        keep_policy_packs(payments.runtime, client_of(service_environment, liar.url))
    assert events(payments, pack["sha256"]) == ["keep_policy_pack"], "what passes is no refusal"
    assert payments.get(f"/policy-packs/{ID}/away")["sha256"] == pack["sha256"]


@pytest.mark.parametrize(
    ("version", "answer", "reason"),
    [
        ("altered", served("altered", **{"parameters.csv": "name,value\n"}), "differs"),
        ("more", served("more", **{"rules/more.toml": ""}), "differs"),
        ("none", (200, b"{}"), "differs"),
        ("no-text", (200, json.dumps({"files": {"pack.toml": 1}}).encode()), "differs"),
        ("surrogate", (200, b'{"files": {"pack.toml": "\\ud800"}}'), "differs"),
        ("gone", (404, b"{}"), "http_404"),
    ],
)
def test_what_is_not_the_named_pack_is_recorded_and_never_kept(
    payments, new_award_body, service_environment, liar, version, answer, reason
) -> None:
    pack, liar.answer = named(version), answer
    award_on(payments, new_award_body, pack)
    client = client_of(service_environment, liar.url)
    for _ in range(3):
        keep_policy_packs(payments.runtime, client)
    assert payments.call("GET", f"/policy-packs/{ID}/{version}", "auditor").status_code == 404
    assert events(payments, pack["sha256"]) == ["refuse_policy_pack"], "once, not at every tick"
    [(said,)] = payments.rows(f"select reason from payments.policy_pack_refusals where sha256 = '{pack['sha256']}'")  # noqa: S608
    assert said == reason
    assert state_of(payments, pack)["refused_at"] is not None


def test_a_refused_pack_is_asked_for_again_a_day_later(payments, new_award_body, service_environment, liar) -> None:
    pack, liar.answer = named("again"), (404, b"{}")
    award_on(payments, new_award_body, pack)
    client = client_of(service_environment, liar.url)
    now = payments.runtime.now()
    keep_policy_packs(payments.runtime, client)
    liar.answer = served("again")
    for later, is_kept in ((timedelta(days=1, seconds=-1), False), (timedelta(days=1), True)):
        payments.put_clock((now + later).isoformat())
        keep_policy_packs(payments.runtime, client)
        assert (state_of(payments, pack)["kept_at"] is not None) == is_kept


def test_a_kept_pack_is_not_asked_for_again(payments, new_award_body, service_environment, liar) -> None:
    pack, liar.answer = named("once"), served("once")
    for _ in range(2):
        award_on(payments, new_award_body, pack)
        keep_policy_packs(payments.runtime, client_of(service_environment, liar.url))
    assert [path for path in liar.asked if path.endswith("/once")] == [f"/eligibility/v1/policy-packs/{ID}/once"]


def test_a_version_of_another_hash_is_refused_and_the_kept_one_stays(
    payments, new_award_body, service_environment, liar
) -> None:
    right, wrong, liar.answer = named("two"), named("two", sha256="f" * 64), served("two")
    award_on(payments, new_award_body, wrong, right)
    keep_policy_packs(payments.runtime, client_of(service_environment, liar.url))
    assert payments.get(f"/policy-packs/{ID}/two")["sha256"] == right["sha256"]
    assert events(payments, "f" * 64) == ["refuse_policy_pack"]


def test_what_an_award_names_leads_to_no_other_address(payments, new_award_body, service_environment, liar) -> None:
    pack = {"id": ID, "version": "../../awards?a=b#c", "sha256": "e" * 64}
    award_on(payments, new_award_body, pack)
    keep_policy_packs(payments.runtime, client_of(service_environment, liar.url))
    assert liar.asked[-1] == f"/eligibility/v1/policy-packs/{ID}/..%2F..%2Fawards%3Fa%3Db%23c"


def test_a_page_of_missing_packs_is_fetched_at_a_time(payments, new_award_body, monkeypatch) -> None:
    monkeypatch.setattr(policy_packs, "MISSING_LIMIT", 2)
    award_on(payments, new_award_body, *(named(f"page-{number}") for number in range(3)))
    missing = payments.runtime.database.read(policy_packs.list_missing, payments.runtime.now())
    assert len(missing) == 2


def test_the_list_is_read_page_by_page(payments) -> None:
    every = payments.get("/policy-packs", params={"limit": 500})["data"]
    found, cursor = [], ""
    while cursor is not None:
        page = payments.get("/policy-packs", params={"limit": 2, "cursor": cursor})
        found, cursor = found + page["data"], page["next"]
    assert found == every and len(every) > 4


@pytest.mark.parametrize("role", ["maker", "checker", "caseworker", "eligibility"])
def test_auditors_alone_read_them_here(payments, role) -> None:
    for path in ("/policy-packs", f"/policy-packs/{ID}/x"):
        assert payments.call("GET", path, role).status_code == 403
