"""The worker tells payments of each confirmed award: later when payments is down, and once whatever happens."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from services.eligibility.api import awards
from services.payments.api import awards as payments_awards
from services.payments.api import bodies as payments_bodies


@dataclass
class Payments:
    """Payments as its neighbour sees it: it keeps what it is told and answers as it is told to."""

    server: ThreadingHTTPServer
    requests: list[dict[str, Any]] = field(default_factory=list)
    status: int = 201
    answer: Any = field(default_factory=lambda: {"award_id": "a", "first_due_on": "2023-09-08"})
    drops: int = 0
    """So many requests are read, and their connection closed with no answer."""

    def about(self, award: str) -> list[dict[str, Any]]:
        return [request for request in self.requests if request["body"]["award_id"] == award]


@pytest.fixture(scope="module")
def payments() -> Iterator[Payments]:
    """A small HTTP server in the place of payments."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            payments.requests.append({"path": self.path, "headers": dict(self.headers.items()), "body": body})
            if payments.drops:
                payments.drops -= 1
                return
            self.send_response(payments.status)
            self.end_headers()
            self.wfile.write(json.dumps(payments.answer).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    payments = Payments(server)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield payments
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def payments_is_well(payments):
    payments.status, payments.answer, payments.drops = 201, {"award_id": "a", "first_due_on": "2023-09-08"}, 0


@pytest.fixture(scope="module")
def worker(eligibility, payments) -> Iterator[subprocess.Popen]:
    """Eligibility's worker in a process of its own, with the service's settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUDI_PAYMENTS_URL", f"http://127.0.0.1:{payments.server.server_port}")
        process = subprocess.Popen([sys.executable, "-m", "services.eligibility", "worker"], stdout=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(20)


def message_of(eligibility, award):
    [message] = eligibility.rows("select * from eligibility.outbox_messages where entity_id = :id", id=award)
    return message


def confirmed(eligibility, **changes):
    award = eligibility.proposed(**changes)
    assert eligibility.decide(award).is_success
    return award


def test_payments_is_told_what_it_needs_and_by_whom(eligibility, payments, worker, new_proposal):
    proposal = new_proposal(until="2023-11")
    found = eligibility.determined()
    award = eligibility.propose(found["id"], proposal).json()["id"]
    assert eligibility.decide(award).is_success
    eligibility.eventually(lambda: message_of(eligibility, award).delivered_at)
    [request] = payments.about(award)
    people = {person["member"]: person for person in proposal["people"]}
    payee = people["m1"]
    assert request["path"] == "/payments/v1/awards"
    basis = request["body"].pop("basis")
    assert basis["rule"] == "dibao.amount" and basis["packs"] == found["packs"]
    confirmed_on = request["body"].pop("confirmed_on")
    assert len(confirmed_on) == len("2023-08-01")
    assert request["body"] == {
        "award_id": award,
        "determination_id": found["id"],
        "programme": "dibao",
        "subject": "household",
        "region": "420100",
        "kind": "monthly",
        "amount": "1020.00",
        "from": "2023-09",
        "until": "2023-11",
        "members": [{key: people[m][key] for key in ("member", "name", "id_number")} for m in ("m1", "m2", "m3")],
        "payee": {key: payee[key] for key in ("member", "name", "id_number", "card_number")},
    }
    assert request["headers"]["Idempotency-Key"] == message_of(eligibility, award).id
    token = request["headers"]["Authorization"].removeprefix("Bearer ")
    key = OKPKey.import_key((eligibility.data_dir / "keys" / "eligibility-signing.pem").read_text(encoding="utf-8"))
    claims = jwt.decode(token, key, algorithms=["Ed25519"]).claims
    assert (claims["iss"], claims["sub"], claims["roles"]) == ("eligibility", "eligibility", ["service"])


@pytest.mark.parametrize(
    ("name", "programme", "subject"),
    [
        ("wuhan_family", "dibao", "household"),
        ("dongchuan_man", "tekun", "m1"),
        ("emergency_away_from_home", "small_advance", "household"),
    ],
)
def test_payments_takes_each_kind_of_award(eligibility, payments, worker, name, programme, subject):
    """Read by payments' own body: what one service may say, the other must understand."""
    body = eligibility.household(name)
    people = eligibility.people_of(body, subject)
    people[0]["name"] = "长" * 100
    proposal = {"programme": programme, "subject": subject, "people": people}
    award = eligibility.propose(eligibility.determined(body)["id"], proposal).json()["id"]
    assert eligibility.decide(award).is_success
    eligibility.eventually(lambda: message_of(eligibility, award).delivered_at)
    [request] = payments.about(award)
    taken = payments_awards.AwardBody.model_validate_json(json.dumps(request["body"]))
    assert (taken.programme, taken.subject, len(taken.members)) == (programme, subject, len(people))


def test_eligibility_refuses_what_payments_would():
    assert awards.PAYABLE_ID == payments_bodies.ID_PATTERN
    assert awards.MAX_PEOPLE <= payments_awards.MAX_MEMBERS


def test_an_award_waits_while_payments_is_down_and_is_told_under_one_key(eligibility, payments, worker):
    payments.status, payments.answer, payments.drops = 503, {"code": "database_unavailable"}, 2
    award = confirmed(eligibility)
    eligibility.eventually(lambda: message_of(eligibility, award).tries >= 3)
    waiting = message_of(eligibility, award)
    assert (waiting.delivered_at, waiting.parked_at, waiting.last_failure) == (None, None, "unavailable")
    payments.status, payments.answer = 201, {}
    eligibility.eventually(lambda: message_of(eligibility, award).delivered_at)
    told = payments.about(award)
    assert len(told) >= 4
    assert {request["headers"]["Idempotency-Key"] for request in told} == {waiting.id}
    assert all(request["body"] == told[0]["body"] for request in told)


def test_what_was_delivered_is_not_told_again(eligibility, payments, worker):
    first, second = confirmed(eligibility), confirmed(eligibility)
    for award in (first, second):
        eligibility.eventually(lambda award=award: message_of(eligibility, award).delivered_at)
        assert len(payments.about(award)) == 1


@pytest.mark.parametrize("status", [400, 409, 422])
def test_what_payments_refuses_is_parked_for_a_person(eligibility, payments, worker, status):
    payments.status, payments.answer = status, {"code": "programme_not_paid_here", "detail": "演示"}
    award = confirmed(eligibility)
    eligibility.eventually(lambda: message_of(eligibility, award).parked_at)
    parked = message_of(eligibility, award)
    assert (parked.delivered_at, parked.last_failure) == (None, f"{status} programme_not_paid_here")
    payments.status = 201
    after = confirmed(eligibility)
    eligibility.eventually(lambda: message_of(eligibility, after).delivered_at)
    assert len(payments.about(award)) == 1, "a parked message is not sent again, and holds up no other"


@pytest.mark.parametrize("status", [401, 429])
def test_a_refusal_that_passes_is_waited_for(eligibility, payments, worker, status):
    payments.status, payments.answer = status, {"code": "unauthenticated"}
    award = confirmed(eligibility)
    eligibility.eventually(lambda: message_of(eligibility, award).tries >= 1)
    payments.status = 201
    eligibility.eventually(lambda: message_of(eligibility, award).delivered_at)


def test_a_killed_worker_loses_nothing(eligibility, payments, worker):
    """The last test of this worker: it is killed while payments is down, and another goes on."""
    payments.status, payments.answer = 503, {}
    award = confirmed(eligibility)
    eligibility.eventually(lambda: message_of(eligibility, award).tries >= 1)
    worker.kill()
    worker.wait(20)
    payments.status = 201
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUDI_PAYMENTS_URL", f"http://127.0.0.1:{payments.server.server_port}")
        patch.setenv("DOUDI_JOB_HEARTBEAT_SECONDS", "1")
        other = subprocess.Popen([sys.executable, "-m", "services.eligibility", "worker"], stdout=subprocess.DEVNULL)
    try:
        eligibility.eventually(lambda: message_of(eligibility, award).delivered_at, 60)
    finally:
        other.terminate()
        other.wait(20)
    assert len({request["headers"]["Idempotency-Key"] for request in payments.about(award)}) == 1


def test_the_worker_has_sealed_the_log(eligibility, worker):
    eligibility.eventually(lambda: eligibility.get("/log/checkpoint").status_code == 200)


def test_no_personal_data_is_in_the_queue_or_the_outbox(eligibility, payments, worker):
    assert payments.requests
    tables = ("outbox_messages", "pgqueuer", "pgqueuer_log", "audit_events", "job_tries")
    written = "".join(str(eligibility.rows(f"select t::text from eligibility.{name} t")) for name in tables)  # noqa: S608
    for request in payments.requests:
        for person in (*request["body"]["members"], request["body"]["payee"]):
            assert not any(person[key] in written for key in ("name", "id_number", "card_number") if key in person)
