"""Every operation of every service against what nobody should send: a problem each time, no fault and no echo."""

import json
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import OKPKey

from services.cli.provision import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID, DEVELOPMENT_ROLES, SERVICES, development_key
from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.runtime.environment import read_configuration
from services.shared.vocabulary.actor import NATION, Actor
from tests.architecture.house import settings_of

CANARY = "42010219900307663X"
PLACES = [
    "%00",
    "a%00b",
    CANARY,
    "x" * 3000,
    "..%2f..%2f",
    "%F0%9F%98%80",
    "%C3%28",
    "'%20or%20true--",
    "0",
    "-1",
    "null",
]
VALUES = [
    "",
    "%00",
    CANARY,
    "x" * 3000,
    "-1",
    "0",
    "99999999999999999999",
    "1e400",
    "NaN",
    "2026-13-45",
    "%C3%28",
    "[]",
]
BODIES = [
    b"",
    b"null",
    b"[]",
    b"0",
    b'"' + CANARY.encode() + b'"',
    b"{}",
    b"{",
    b"[" * 50_000,
    b'{"a":' * 3_000,
    b"\xff\xfe\x00",
    b'{"' + CANARY.encode() + b'":1}',
    b'{"\\ud800":"\\ud800"}',
    b'{"household":"\\u0000"}',
    json.dumps({"household": {"members": [{"id": CANARY}] * 500}, "as_of": CANARY, "programmes": [CANARY]}).encode(),
    json.dumps({"award_id": CANARY, "amount": 738.0, "members": {"a": CANARY}, "until": 1e308}).encode(),
    json.dumps(
        {"reason": "\0" + CANARY, "outcome": CANARY, "people": [[[[CANARY]]]], "rows": [CANARY] * 6000}
    ).encode(),
]


@pytest.fixture(scope="module", params=SERVICES)
def service(request, configured):
    """A service on a real database; its faults are answered as in production."""
    name = request.param
    app = import_module(f"services.{name}.app").create_app(read_configuration(settings_of(name)))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield name, client
    app.state.runtime.database.close()


@pytest.fixture(scope="module")
def tokens(service_environment):
    """A person with every role that the development key grants, and a service."""
    person = Actor("tester", frozenset(DEVELOPMENT_ROLES), (NATION,))
    key = development_key(Path(service_environment["DOUDI_DATA_DIR"]))
    signing = Path(service_environment["DOUDI_ELIGIBILITY_SIGNING_KEY_FILE"]).read_text(encoding="utf-8")
    peer = Actor("eligibility", frozenset({"service"}), (NATION,))
    hour = timedelta(hours=1)
    return [
        issue_token(key, DEVELOPMENT_KEY_ID, DEVELOPMENT_ISSUER, person, system_now(), hour),
        issue_token(OKPKey.import_key(signing), "eligibility", "eligibility", peer, system_now(), hour),
    ]


def operations(client: TestClient, method: str):
    for path, offered in client.app.openapi()["paths"].items():
        if method in offered:
            yield path, offered[method]


def filled(path: str, place: str) -> str:
    return "/".join(place if part.startswith("{") else part for part in path.split("/"))


def check(answer, asked: str) -> None:
    assert answer.status_code < 500, (asked, answer.text[:300])
    assert CANARY not in answer.text, asked
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", asked
        assert {"zh", "en"} == answer.json()["text"].keys(), asked


def test_places_in_a_path(service, tokens):
    _, client = service
    for method in ("get", "post"):
        for path, _ in operations(client, method):
            for place in PLACES if "{" in path else ():
                for token in tokens:
                    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"{path}{place}"[:200]}
                    check(client.request(method, filled(path, place), headers=headers), f"{method} {path} {place[:40]}")


def test_values_in_a_query(service, tokens):
    _, client = service
    for path, operation in operations(client, "get"):
        names = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
        for name in names:
            for value in VALUES:
                query = "&".join([f"{name}={value}", *(f"{other}=1" for other in names if other != name)])
                for asked in (f"{name}={value}", query):
                    answer = client.get(
                        f"{filled(path, 'x')}?{asked}", headers={"Authorization": f"Bearer {tokens[0]}"}
                    )
                    check(answer, f"{path}?{asked[:60]}")


def test_bodies(service, tokens):
    _, client = service
    for path, _ in operations(client, "post"):
        for number, body in enumerate(BODIES):
            for token in tokens:
                headers = {
                    "Authorization": f"Bearer {token}",
                    "Idempotency-Key": f"{path}-{number}",
                    "Content-Type": "application/json",
                }
                check(client.post(filled(path, "x"), content=body, headers=headers), f"{path} {body[:60]!r}")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "é"]
)
def test_bodies_of_another_kind(service, tokens, content_type):
    _, client = service
    for path, _ in operations(client, "post"):
        headers = {"Authorization": f"Bearer {tokens[0]}", "Content-Type": content_type, "Idempotency-Key": "k"}
        headers = {name: value.encode() for name, value in headers.items()}
        check(
            client.post(filled(path, "x"), content=b"a=" + CANARY.encode(), headers=headers), f"{path} {content_type}"
        )
