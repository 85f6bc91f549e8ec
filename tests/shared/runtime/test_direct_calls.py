"""A route called past FastAPI's way to it answers as FastAPI's way does, whatever is sent."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from services.cli.provision import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID, development_key
from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.runtime.service_app import MAX_BODY_BYTES, DirectCall
from services.shared.vocabulary.actor import Actor
from tests.shared.runtime import probe_service

PATH = "/eligibility/v1/names"
CHANGING = ("request-id", "date")


@pytest.fixture(scope="module")
def clients(configured) -> Iterator[tuple[TestClient, TestClient]]:
    """The probe with the route called directly, and as FastAPI calls it."""
    apps = [probe_service.create_probe(probe_service.configuration(), direct) for direct in (("/names",), ())]
    with TestClient(apps[0]) as direct, TestClient(apps[1]) as usual:
        yield direct, usual
    for app in apps:
        app.state.runtime.database.close()


@pytest.fixture(scope="module")
def bearer(service_environment):
    key = development_key(Path(service_environment["DOUDI_DATA_DIR"]))

    def of(role: str) -> dict[str, str]:
        actor = Actor(f"{role}-1", frozenset({role}), ("000000",))
        token = issue_token(key, DEVELOPMENT_KEY_ID, DEVELOPMENT_ISSUER, actor, system_now(), timedelta(hours=1))
        return {"Authorization": f"Bearer {token}"}

    return of


def told(answer) -> tuple[int, dict[str, str], object]:
    headers = {name: value for name, value in answer.headers.items() if name not in CHANGING}
    assert answer.headers["request-id"]
    body = answer.json()
    if "request_id" in body:
        assert body.pop("request_id") == answer.headers["request-id"]
        headers.pop("content-length")
    return answer.status_code, headers, body


def both(clients, method="POST", path=PATH, **sent):
    """What the direct call and FastAPI's say, which is the same."""
    direct, usual = (told(client.request(method, path, **sent)) for client in clients)
    assert direct == usual
    return direct


@pytest.mark.parametrize(("sent", "status"), [(b"x", 200), (b"", 200), (b"seen", 409), (b"broken", 500)])
def test_what_the_route_says_is_the_same(clients, bearer, sent, status):
    assert both(clients, content=sent, headers=bearer("caseworker"))[0] == status


def test_no_token_a_wrong_one_and_a_role_that_may_not_are_refused_alike(clients, bearer):
    assert both(clients, content=b"x")[0] == 401
    assert both(clients, content=b"x", headers={"Authorization": "Bearer x.y.z"})[0] == 401
    assert both(clients, content=b"x", headers=bearer("auditor"))[0] == 403


@pytest.mark.parametrize(("length", "status"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_has_the_same_bound(clients, bearer, length, status):
    assert both(clients, content=b"x" * length, headers=bearer("caseworker"))[0] == status


def test_another_method_and_a_path_beside_it_stay_fastapis(clients, bearer):
    assert both(clients, "GET", headers=bearer("caseworker"))[0] == 405
    assert both(clients, path=f"{PATH}/x", headers=bearer("caseworker"))[0] == 404


def test_a_callers_request_id_is_kept_and_the_line_of_the_log_names_route_and_caller(clients, bearer, capsys):
    headers = {**bearer("caseworker"), "Request-Id": "portal-7", "Accept-Language": "en"}
    lines = []
    for client in clients:
        assert client.post(PATH, content=b"x", headers=headers).headers["request-id"] == "portal-7"
        lines.append(capsys.readouterr().out)
    for line in lines:
        assert "/names" in line and "caseworker-1" in line and "portal-7" in line


def test_the_description_names_the_route_as_ever(clients):
    direct, usual = (client.app.openapi() for client in clients)
    assert direct == usual
    assert PATH in direct["paths"]


def test_a_route_that_needs_more_than_its_caller_cannot_be_called_directly():
    [route] = [route for route in probe_service.router.routes if route.path == "/people"]
    with pytest.raises(ValueError, match="people"):
        DirectCall(route)
