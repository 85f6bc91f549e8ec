"""The edge of a service: every refusal is a problem in zh and en, says where and what to do, and echoes nothing."""

import hashlib
import json
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from services.cli.provision import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID
from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.runtime.service_app import MAX_BODY_BYTES
from services.shared.vocabulary.actor import Actor
from tests.shared.runtime import probe_service

ID_NUMBER, NAME = "42010219900307663X", "王小明"
PERSON = {"name": NAME, "id_number": ID_NUMBER, "amount": "738.00"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def token_of(service_environment):
    """Bearer headers for a role, signed with the development key."""
    from datetime import timedelta
    from pathlib import Path

    from services.cli.provision import development_key

    key = development_key(Path(service_environment["DOUDI_DATA_DIR"]))

    def make(role: str = "caseworker", key_name: str | None = None) -> dict[str, str]:
        actor = Actor(f"{role}-1", frozenset({role}), ("000000",))
        token = issue_token(key, DEVELOPMENT_KEY_ID, DEVELOPMENT_ISSUER, actor, system_now(), timedelta(hours=1))
        return {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key_name} if key_name else {})}

    return make


@pytest.fixture(scope="module")
def client(configured):
    """The probe over ASGI. A fault is answered and goes no further: a server that saw it would cut the connection."""
    app = probe_service.create_probe(probe_service.configuration())
    with TestClient(app) as client:
        yield client
    app.state.runtime.database.close()


def problem_of(answer, status: int, code: str) -> dict:
    """The problem that `answer` is, after what holds for every one of them."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["request-id"] and answer.headers["api-version"]
    body = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"].endswith(f"/problems/{code}")
    assert CHINESE.search(body["text"]["zh"]) and not CHINESE.search(body["text"]["en"])
    assert body["request_id"] == answer.headers["request-id"]
    for canary in (ID_NUMBER, NAME, "Traceback", 'File "', "psycopg", "sqlalchemy"):
        assert canary not in answer.text
    return body


def test_what_is_in_order_is_done_and_done_once(client, token_of):
    first = client.post("/eligibility/v1/people", json=PERSON, headers=token_of(key_name="k-1"))
    again = client.post("/eligibility/v1/people", json=PERSON, headers=token_of(key_name="k-1"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replay" not in first.headers and again.headers["Idempotent-Replay"] == "true"


def test_the_title_is_in_the_readers_language(client):
    answers = [
        client.get("/eligibility/v1/people/x", headers={"Accept-Language": language})
        for language in ("en-GB", "zh-CN", "fr")
    ]
    titles = [problem_of(answer, 401, "unauthenticated")["title"] for answer in answers]
    assert [bool(CHINESE.search(title)) for title in titles] == [False, True, True]


def test_every_error_of_a_body_is_named_at_once_with_its_place(client, token_of):
    body = {"id_number": ID_NUMBER + "9", "amount": 738.0, "children": [1, "2", 3.5], "a/b~c": NAME, NAME: 1}
    problem = problem_of(
        client.post("/eligibility/v1/people", json=body, headers=token_of(key_name="k-2")), 400, "invalid_body"
    )
    found = {(error["pointer"], error["code"]) for error in problem["errors"]}
    assert found == {
        ("/name", "missing"),
        ("/id_number", "wrong_form"),
        ("/amount", "not_a_string"),
        ("/children/1", "not_an_integer"),
        ("/children/2", "not_an_integer"),
        ("/a~1b~0c", "unknown_key"),
        ("/…", "unknown_key"),
    }
    for error in problem["errors"]:
        assert CHINESE.search(error["text"]["zh"]) and not CHINESE.search(error["text"]["en"])


@pytest.mark.parametrize(
    ("sent", "pointer", "code"),
    [
        (b"{", "", "not_json"),
        (b'{"a":', "", "not_json"),
        (b"[]", "", "not_an_object"),
        (b"null", "", "not_an_object"),
        (b"", "", "missing"),
    ],
)
def test_a_body_that_is_no_json_object_is_said_so_at_its_root(client, token_of, sent, pointer, code):
    headers = {**token_of(key_name="k-3"), "Content-Type": "application/json"}
    problem = problem_of(client.post("/eligibility/v1/people", content=sent, headers=headers), 400, "invalid_body")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]


@pytest.mark.parametrize(
    "sent",
    [
        b'{"\\ud800": 1}',
        b'{"name": "\\ud800"}',
        b'{"42010219900307663X": 1}',
        b'{"name": "\\u0000"}',
        b'{"%s": 1}' % (b"x" * 5000),
        b"[" * 100_000,
        b"\xff\xfe",
        json.dumps({"children": ["x"] * 100_000}).encode(),
        b'{"children": [' + b"9" * 5000 + b"]}",
    ],
    ids=[
        "lone surrogate key",
        "lone surrogate",
        "id as key",
        "nul",
        "long key",
        "deep",
        "no utf-8",
        "many",
        "big number",
    ],
)
def test_hostile_bodies_are_refused_in_bounds(client, token_of, sent):
    headers = {**token_of(key_name="k-4"), "Content-Type": "application/json"}
    answer = client.post("/eligibility/v1/people", content=sent, headers=headers)
    problem_of(answer, 400, answer.json()["code"])
    assert len(answer.content) < 50_000


def test_a_body_of_five_megabytes_is_refused_and_one_at_the_bound_is_read(client, token_of):
    headers = {**token_of(key_name="k-5"), "Content-Type": "application/json"}
    for size, status, code in (
        (MAX_BODY_BYTES, 400, "invalid_body"),
        (MAX_BODY_BYTES + 1, 413, "body_too_large"),
        (5_000_000, 413, "body_too_large"),
    ):
        content = b'{"name":"' + b"a" * (size - 11) + b'"}'
        problem_of(client.post("/eligibility/v1/people", content=content, headers=headers), status, code)


def test_a_stream_without_a_length_is_bounded_too(client, token_of):
    headers = {**token_of(key_name="k-5"), "Content-Type": "application/json"}
    pieces = (b" " * 100_000 for _ in range(50))
    problem_of(client.post("/eligibility/v1/people", content=pieces, headers=headers), 413, "body_too_large")


def test_an_unknown_path_and_method_are_problems_too(client, token_of):
    problem_of(client.get(f"/eligibility/v1/nothing/{ID_NUMBER}"), 404, "no_such_path")
    answer = client.put("/eligibility/v1/people", json=PERSON, headers=token_of())
    problem_of(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_no_token_and_a_role_that_may_not_differ(client, token_of):
    answer = client.post("/eligibility/v1/people", json=PERSON)
    problem_of(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    problem_of(client.post("/eligibility/v1/people", json=PERSON, headers=token_of("auditor")), 403, "forbidden")


def test_a_body_is_judged_only_for_who_may_send_it(client):
    problem_of(client.post("/eligibility/v1/people", json={"wrong": 1}), 401, "unauthenticated")


@pytest.mark.parametrize(("key", "status"), [(None, 400), ("k" * 200, 201), ("k" * 201, 400)])
def test_a_write_needs_a_key_within_its_bound(client, token_of, key, status):
    answer = client.post("/eligibility/v1/people", json=PERSON, headers=token_of(key_name=key))
    assert answer.status_code == status
    if status == 400:
        problem_of(answer, 400, "idempotency_key_missing")


def test_the_same_key_for_another_request_is_refused(client, token_of):
    headers = token_of(key_name="k-6")
    assert client.post("/eligibility/v1/people", json=PERSON, headers=headers).status_code == 201
    other = {**PERSON, "amount": "738.01"}
    problem_of(client.post("/eligibility/v1/people", json=other, headers=headers), 409, "idempotency_key_reused")
    with_query = client.post("/eligibility/v1/people?again=1", json=PERSON, headers=headers)
    problem_of(with_query, 409, "idempotency_key_reused")


def test_neither_key_nor_fingerprint_is_kept_so_that_it_could_be_guessed(client, token_of):
    """An ID number in an otherwise known body would be found by hashing all of them; a key may be one itself."""
    runtime = client.app.state.runtime
    keys = runtime.tables.idempotency_keys
    newest = select(keys.c.key, keys.c.fingerprint).order_by(keys.c.created_at.desc(), keys.c.key)
    before = set(runtime.database.read(lambda tx: tx.execute(newest).all()))
    assert client.post("/eligibility/v1/people", json=PERSON, headers=token_of(key_name=ID_NUMBER)).status_code == 201
    [kept] = set(runtime.database.read(lambda tx: tx.execute(newest).all())) - before
    body = probe_service.Person(**PERSON).model_dump_json().encode()
    operations = [b"POST /eligibility/v1/people" + mark for mark in (b"", b"?")]
    guesses = [operation + between + body for operation in operations for between in (b"", b"\0", b"\n")]
    assert kept.fingerprint not in [hashlib.sha256(guess).digest() for guess in guesses]
    assert ID_NUMBER not in kept.key and hashlib.sha256(ID_NUMBER.encode()).hexdigest()[:32] != kept.key


def test_an_error_of_the_domain_is_its_row_of_the_catalogue(client, token_of):
    answer = client.post("/eligibility/v1/seen", json=PERSON, headers=token_of())
    assert problem_of(answer, 409, "person_seen")["text"]["en"] == "The person was seen before. Look."


def test_a_fault_of_ours_shows_nothing_and_names_the_request(client, capsys):
    answer = client.get(f"/eligibility/v1/broken/{NAME}", headers={"Request-Id": "portal-77"})
    assert problem_of(answer, 500, "internal_fault")["request_id"] == "portal-77"
    logged = capsys.readouterr().out
    assert "Failure" in logged and "portal-77" in logged
    assert NAME not in logged and ID_NUMBER not in logged


def test_a_fault_is_logged_with_its_status_and_the_place_in_our_code(client, capsys):
    client.get("/eligibility/v1/broken/x")
    logged = capsys.readouterr().out
    assert "500" in logged and "probe_service.py:" in logged


@pytest.mark.parametrize("path", ["%00", "a%00b"])
def test_a_nul_that_the_database_cannot_hold_is_the_callers_error(client, token_of, path):
    problem_of(client.get(f"/eligibility/v1/people/{path}", headers=token_of()), 400, "invalid_body")


def test_a_request_id_that_could_be_a_person_is_not_kept(client):
    answer = client.get("/eligibility/v1/health", headers={"Request-Id": ID_NUMBER})
    assert ID_NUMBER not in answer.headers["request-id"]
    kept = client.get("/eligibility/v1/health", headers={"Request-Id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"})
    assert kept.headers["request-id"] == "3fa85f64-5717-4562-b3fc-2c963f66afa6"


@pytest.mark.parametrize("given", ["a b", "a" * 101, "a\r\nx: y", "é", ""])
def test_a_request_id_of_another_form_is_replaced(client, given):
    answer = client.get("/eligibility/v1/health", headers={"Request-Id": given.encode()})
    assert answer.headers["request-id"].startswith("request_")


@pytest.mark.parametrize("host", ["[", "a b", ""])
def test_a_host_header_that_is_none_breaks_nothing(client, token_of, host):
    headers = {**token_of(key_name=f"host{host}"), "Host": host}
    assert client.post("/eligibility/v1/people", json=PERSON, headers=headers).status_code == 201


def test_the_pages_behind_type_explain_each_problem(client):
    for row in client.get("/eligibility/problems").json():
        page = client.get(f"/eligibility/problems/{row['code']}").json()
        assert page == row and CHINESE.search(page["zh"])
    assert client.get("/eligibility/problems/nothing").status_code == 404


def test_the_documentation_needs_no_internet(client):
    page = client.get("/eligibility/docs").text
    assert not re.search(r'(src|href)="(https?:)?//', page)
    scripts = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert scripts and all(client.get(script).status_code == 200 for script in scripts)


def test_the_test_clock_goes_forward_only_and_rules_the_events(client, token_of):
    operator = token_of("operator")
    put = client.post("/eligibility/v1/test-helpers/clock", json={"now": "2030-08-01T09:00:00+08:00"}, headers=operator)
    assert put.json() == {"now": "2030-08-01T01:00:00Z"}
    back = client.post("/eligibility/v1/test-helpers/clock", json={"now": "2030-08-01T00:59:59Z"}, headers=operator)
    problem_of(back, 409, "clock_may_not_go_back")
    naive = client.post("/eligibility/v1/test-helpers/clock", json={"now": "2031-08-01T00:00:00"}, headers=operator)
    assert problem_of(naive, 400, "invalid_body")["errors"][0]["code"] == "not_an_instant"
    for far in ("2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        problem_of(
            client.post("/eligibility/v1/test-helpers/clock", json={"now": far}, headers=operator), 400, "invalid_body"
        )
    problem_of(
        client.post("/eligibility/v1/test-helpers/clock", json={"now": "2031-01-01T00:00:00Z"}, headers=token_of()),
        403,
        "forbidden",
    )


def test_many_writes_at_once_under_the_test_clock_do_not_starve_each_other(client, token_of):
    """Each write reads the clock from the database: it must not need a second connection of the pool it is in."""
    from concurrent.futures import ThreadPoolExecutor

    def send(number: int) -> int:
        headers = token_of(key_name=f"many-{number}")
        return client.post("/eligibility/v1/people", json=PERSON, headers=headers).status_code

    with ThreadPoolExecutor(24) as threads:
        assert set(threads.map(send, range(96))) == {201}


def test_a_database_that_is_away_is_said_so_with_when_to_come_again(configured, token_of, monkeypatch):
    monkeypatch.setenv(
        "DOUDI_ELIGIBILITY_DATABASE_URL", "postgresql+psycopg://doudi_eligibility:canary@/doudi?host=/nonexistent"
    )
    monkeypatch.setenv("DOUDI_TEST_CLOCK", "false")
    app = probe_service.create_probe(probe_service.configuration())
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/eligibility/v1/people", json=PERSON, headers=token_of(key_name="away"))
        problem = problem_of(answer, 503, "database_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert "canary" not in answer.text and "Idempotency-Key" in problem["text"]["en"]
        assert client.get("/eligibility/v1/ready").status_code == 503
        assert client.get("/eligibility/v1/health").status_code == 200
