"""The service over HTTP on a real database: what it takes, what it refuses, and what it tells payments."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert
from sqlalchemy.exc import DBAPIError

from sandbox.department.key_pair import read_key
from services.monitoring.store.tables import alerts, metadata
from services.shared.runtime import log_tree
from services.shared.vocabulary.identifiers import id_number_with_check_character
from verifier import doudi_verify

numbers = itertools.count(1)


def person(born="19620301"):
    """A demo person whom no other test knows."""
    return id_number_with_check_character(f"990100{born}{next(numbers):03d}")


def row(**changes):
    return {"id_number": person(), "died_on": "2026-03-02", "source": "演示殡仪馆"} | changes


def batch(*rows, **changes):
    declared = {"batch_no": f"b-{next(numbers)}", "as_of": "2026-03-05", "mode": "delta", "row_count": len(rows)}
    return declared | {"rows": list(rows)} | changes


def test_good_rows_stand_and_bad_ones_go_back_with_their_reasons(service):
    same = person()
    wrong = same[:-1] + ("0" if same[-1] != "0" else "1")
    body = batch(row(id_number=same), row(id_number=wrong), row(died_on="2026-03-11"), row(id_number=same))
    answer = service.post(body)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["state"], told["batch_no"]) == ("PARTIAL", body["batch_no"])
    assert told["counts"] == {
        "declared": 4,
        "accepted": 1,
        "returned": 3,
        "by_code": {"died_on_in_future": 1, "duplicate_in_batch": 1, "id_number_check_character": 1},
    }
    assert [line["outcome"] for line in told["rows"]] == ["accepted", "returned", "returned", "returned"]
    error = told["rows"][1]["errors"][0]
    assert (error["field"], error["code"]) == ("id_number", "id_number_check_character")
    assert all(error[part][language] for part in ("text", "remedy") for language in ("zh", "en"))
    assert same not in answer.text and wrong not in answer.text and "2026-03-11" not in answer.text


def test_the_identity_number_lies_sealed(service):
    number = person()
    service.post(batch(row(id_number=number)))
    everything = "".join(repr(service.rows(table)) for table in ("death_records", "alerts", "outbox_messages"))
    leaves = b"".join(bytes(event["leaf"]) for event in service.rows("audit_events"))
    assert number not in everything and number.encode() not in leaves
    assert any(len(bytes(record["id_number_index"])) == 16 for record in service.rows("death_records"))


def test_the_same_batch_has_one_effect_and_one_answer(service):
    body = batch(row(), row())
    first = service.post(body)
    before = service.counts()
    again = service.post(body)
    assert (again.status_code, again.content) == (201, first.content)
    assert (first.headers.get("idempotent-replay"), again.headers["idempotent-replay"]) == (None, "true")
    assert service.counts() == before | {"feed_nonces": before["feed_nonces"] + 1}


def test_another_batch_under_the_same_number_is_refused(service):
    body = batch(row())
    service.post(body)
    before = service.counts()
    answer = service.post(body | {"rows": [row()]})
    assert (answer.status_code, answer.json()["code"]) == (409, "batch_number_reused")
    assert service.counts() == before


def test_a_returned_batch_keeps_its_answer_too(service):
    body = batch(row(id_number="1"))
    assert service.post(body).json()["state"] == "RETURNED"
    assert service.post(body).headers["idempotent-replay"] == "true"


def test_an_empty_batch_says_that_nobody_died(service):
    assert service.post(batch()).json()["state"] == "ACCEPTED"


def refused(service, request, status, code):
    before = service.counts()
    answer = service.http.send(request)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.counts() == before, "nothing is stored of what is refused"
    return answer


def resigned(service, **headers):
    request = service.signed(batch(row()))
    for name, value in headers.items():
        request.headers[name.replace("_", "-")] = value
    return request


def test_a_copy_of_a_signed_message_is_refused(service):
    request = service.signed(batch(row()))
    assert service.http.send(request).status_code == 201
    refused(service, request, 401, "nonce_reused")


def test_a_tampered_body_is_refused(service):
    request = service.signed(batch(row()))
    content = request.content.replace(b"2026-03-02", b"2026-03-01")
    tampered = httpx.Request("POST", request.url, headers=request.headers, content=content)
    refused(service, tampered, 401, "content_digest_wrong")


def test_a_digest_of_something_else_is_refused(service):
    other = service.signed(batch(row())).headers["content-digest"]
    refused(service, resigned(service, content_digest=other), 401, "content_digest_wrong")


def test_an_unknown_key_is_refused(service):
    refused(service, service.signed(batch(row()), key_id="stranger"), 401, "unknown_key")


def test_a_key_that_is_not_the_registered_one_is_refused(service):
    request = service.signed(batch(row()), key=Ed25519PrivateKey.generate())
    answer = refused(service, request, 401, "signature_invalid")
    assert service.batches in answer.json()["text"]["en"]


def test_an_unsigned_batch_is_refused(service):
    request = httpx.Request("POST", service.batches, json=batch(row()))
    refused(service, request, 401, "signature_missing")


def test_a_bearer_token_is_no_signature(service):
    headers = {"authorization": f"Bearer {service.token('operator')}"}
    request = httpx.Request("POST", service.batches, json=batch(row()), headers=headers)
    refused(service, request, 401, "signature_missing")


def test_a_stale_signature_is_refused_by_the_real_clock(service, monkeypatch):
    # The business clock stands months away from the machine's, and fresh signatures were heard above.
    import datetime as python_datetime

    from http_message_signatures import signatures

    class Earlier(python_datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) - python_datetime.timedelta(seconds=302)

    class EarlierModule:
        datetime = Earlier

    with monkeypatch.context() as patch:
        patch.setattr(signatures, "datetime", EarlierModule)
        request = service.signed(batch(row()))
    refused(service, request, 401, "signature_stale")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"row_count": 2}, 422, "row_count_differs"),
        ({"row_count": 0}, 422, "row_count_differs"),
        ({"as_of": "2026-03-11"}, 422, "as_of_in_future"),
        ({"as_of": "yesterday"}, 400, "invalid_body"),
        ({"mode": "some"}, 400, "invalid_body"),
        ({"batch_no": ""}, 400, "invalid_body"),
        ({"batch_no": "x" * 65}, 400, "invalid_body"),
        ({"row_count": "1"}, 400, "invalid_body"),
        ({"rows": "many"}, 400, "invalid_body"),
        ({"rows": [{}] * 5_001}, 400, "invalid_body"),
        ({"more": 1}, 400, "invalid_body"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_declaration_refuses_the_batch_whole(service, changes, status, code):
    answer = refused(service, service.signed(batch(row()) | changes), status, code)
    assert answer.json()["text"]["zh"] and answer.json()["text"]["en"]


def test_all_errors_of_a_body_come_at_once(service):
    answer = service.post(batch(row()) | {"mode": "some", "as_of": "yesterday", "more": 1})
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/mode", "/as_of", "/more"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"null", b"[" * 100_000, b'{"rows": [NaN]}'], ids=range(6))
def test_what_is_no_batch_is_refused(service, body):
    refused(service, service.signed(body), 400, "invalid_body")


def test_a_body_beyond_the_bound_is_refused(service):
    before = service.counts()
    assert service.post(b" " * 1_000_001).status_code == 413
    assert service.counts() == before


def test_as_many_rows_as_allowed_are_taken(service):
    answer = service.post(batch(*[{}] * 5_000))
    assert answer.json()["counts"]["returned"] == 5_000


def test_a_death_known_already_raises_no_second_alert(service):
    number = person()
    service.post(batch(row(id_number=number)))
    before = service.counts()
    service.post(batch(row(id_number=number, died_on="2026-03-03")))
    after = service.counts()
    assert after["death_records"] == before["death_records"] + 1, "the later statement stands beside the earlier"
    assert (after["alerts"], after["outbox_messages"]) == (before["alerts"], before["outbox_messages"])


def test_an_alert_says_who_why_and_by_when(service):
    number = person()
    batch_id = service.post(batch(row(id_number=number))).json()["batch_id"]
    answer = service.get("/alerts", batch=batch_id)
    [alert] = answer.json()["alerts"]
    assert alert["person"] == {"id_number_masked": f"990***********{number[-4:]}"}
    assert (alert["state"], alert["grade"], alert["rule"]["id"]) == ("RAISED", "red", "M12")
    assert "3个月" in alert["rule"]["citation"]["quote"]
    assert (alert["died_on"], alert["limit_on"], alert["deadline_working_days"]) == ("2026-03-02", "2026-06-02", 3)
    assert alert["rule"]["deadline_source"] == "configuration"
    assert alert["raised_at"] == "2026-03-10T01:00:00Z"
    assert number not in answer.text
    assert service.get(f"/alerts/{alert['id']}").json() == alert


def test_alerts_are_paged_newest_first(service):
    batch_id = service.post(batch(*(row() for _ in range(5)))).json()["batch_id"]
    pages, cursor = [], None
    while True:
        parameters = {"batch": batch_id, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = service.get("/alerts", **parameters).json()
        pages.append([alert["id"] for alert in page["alerts"]])
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    ids = [alert_id for page in pages for alert_id in page]
    assert ids == sorted(set(ids), reverse=True)


def test_alerts_are_filtered(service):
    batch_id = service.post(batch(row())).json()["batch_id"]
    assert len(service.get("/alerts", batch=batch_id, state="RAISED", grade="red", rule="M12").json()["alerts"]) == 1
    for other in ({"state": "HELD"}, {"grade": "blue"}, {"rule": "M13"}):
        assert service.get("/alerts", batch=batch_id, **other).json() == {"alerts": []}


@pytest.mark.parametrize(
    "parameters",
    [{"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"state": "?"}, {"grade": "pink"}, {"rule": "x"}, {"batch": "'"}],
    ids=str,
)
def test_a_wrong_filter_is_refused(service, parameters):
    answer = service.get("/alerts", **parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")


def test_only_who_may_reads(service):
    batch_id = service.post(batch(row())).json()["batch_id"]
    alert_id = service.get("/alerts", batch=batch_id).json()["alerts"][0]["id"]
    for path in ("/alerts", f"/alerts/{alert_id}", f"/feeds/deaths/batches/{batch_id}", "/log/checkpoint"):
        assert service.get(path, role=None).status_code == 401
        assert service.get(path, role="maker").status_code == 403
    assert service.get(f"/feeds/deaths/batches/{batch_id}", role="operator").status_code == 200


def test_an_alert_of_another_region_is_not_there(service):
    # The shipped department is the county's of 530113.
    batch_id = service.post(batch(row())).json()["batch_id"]
    (alert,) = service.get("/alerts", region="530113", batch=batch_id).json()["alerts"]
    assert service.get("/alerts", region="530112", batch=batch_id).json() == {"alerts": []}
    assert service.get(f"/alerts/{alert['id']}", region="530000").status_code == 200
    assert service.get(f"/alerts/{alert['id']}", region="530112").status_code == 404
    assert service.get("/alerts/alert_00000000000000000000000000").status_code == 404


def test_a_batch_is_shown_as_it_was_answered(service):
    answer = service.post(batch(row(), row(id_number="1")))
    shown = service.get(f"/feeds/deaths/batches/{answer.json()['batch_id']}")
    assert shown.content == answer.content
    assert service.get("/feeds/deaths/batches/batch_none").status_code == 404


def test_a_batch_of_another_region_is_not_there(service):
    path = f"/feeds/deaths/batches/{service.post(batch(row())).json()['batch_id']}"
    for covering in ("530113", "530100", "000000"):
        assert service.get(path, region=covering).status_code == 200
    for other in ("530112", "420000"):
        answer = service.get(path, region=other)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert service.rows("feed_batches")[-1]["region"] == "530113"


def test_the_contract_is_open_to_all(service):
    schema = service.get("/feeds/deaths/schema", role=None).json()
    assert [field["name"] for field in schema["fields"]] == ["id_number", "died_on", "source"]
    assert service.get("/health", role=None).json() == {"status": "ok"}
    assert service.get("/ready", role=None).json() == {"status": "ready", "database": "ok"}


def test_the_openapi_names_every_operation(service):
    document = service.http.get(f"{service.url}/monitoring/openapi.json").json()
    operations = {op["operationId"] for path in document["paths"].values() for op in path.values()}
    assert {"send-death-batch", "get-death-batch", "list-alerts", "get-alert", "get-log-checkpoint"} <= operations


@pytest.mark.parametrize("table", ["feed_batches", "feed_nonces", "death_records", "alerts", "audit_events"])
def test_rows_are_never_changed_even_by_their_owner(service, table):
    service.post(batch(row()))
    with pytest.raises(DBAPIError, match="never changed"), service.owner.connect() as connection:
        connection.execute(delete(metadata.tables[f"monitoring.{table}"]))


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("grade", "pink", "alert_grade_is_known"),
        ("deadline_working_days", -1, "alert_deadline_is_not_past"),
        ("region", "53011", "alert_region_is_a_code"),
        ("death_record_id", "death_none", "alerts_death_record_id_fkey"),
        ("person_index", None, "alert_is_raised_once_for_a_person"),
    ],
)
def test_the_database_refuses_a_wrong_alert(service, column, value, constraint):
    service.post(batch(row()))
    changes = {"id": "alert_other", "person_index": b"\x00", "raised_at": datetime(2026, 3, 10, tzinfo=UTC)}
    alert = service.rows("alerts")[0]
    changes |= {column: alert[column] if value is None else value}
    with pytest.raises(DBAPIError, match=constraint), service.owner.connect() as connection:
        connection.execute(insert(alerts).values(alert | changes))


def alert_of(service, body):
    batch_id = service.post(body).json()["batch_id"]
    [alert] = service.get("/alerts", batch=batch_id).json()["alerts"]
    return alert["id"]


def test_payments_is_told_once_and_its_hold_is_recorded(service, payments, worker):
    payments.answer = (201, {"outcome": "HELD", "holds": [{"id": "hold_1", "answer_by": "2026-03-17"}]})
    number = person()
    alert_id = alert_of(service, batch(row(id_number=number)))
    alert = service.eventually(lambda: held(service, alert_id))
    assert alert["payments"]["holds"] == [{"id": "hold_1", "answer_by": "2026-03-17"}]
    [told] = [request for request in payments.requests if request["body"]["alert_id"] == alert_id]
    assert told["path"] == "/payments/v1/death-alerts"
    assert told["key"].startswith("message_") and told["auth"].startswith("Bearer ")
    assert (told["body"]["id_number"], told["body"]["died_on"]) == (number, "2026-03-02")
    assert told["body"]["rule"]["id"] == "M12" and told["body"]["rule"]["article"] == "一（三）"


def held(service, alert_id):
    alert = service.get(f"/alerts/{alert_id}").json()
    return alert if alert["state"] != "RAISED" else None


def test_payments_that_is_down_delays_and_never_loses(service, payments, worker):
    payments.is_down = True
    alert_id = alert_of(service, batch(row()))
    service.eventually(lambda: any(message["tries"] >= 2 for message in service.rows("outbox_messages")))
    assert held(service, alert_id) is None
    payments.is_down = False
    payments.answer = (201, {"outcome": "NOT_ON_ROLL", "holds": []})
    assert service.eventually(lambda: held(service, alert_id))["state"] == "NOT_ON_ROLL"
    assert all(message["delivered_at"] for message in service.rows("outbox_messages"))


def test_an_unreadable_answer_is_asked_for_again_under_the_same_key(service, payments, worker):
    payments.answer = (201, {"outcome": "PERHAPS"})
    alert_id = alert_of(service, batch(row()))
    tellings = lambda: [r for r in payments.requests if r["body"]["alert_id"] == alert_id]  # noqa: E731
    service.eventually(lambda: len(tellings()) >= 2)
    payments.answer = (200, {"outcome": "HELD", "holds": [{"id": "hold_2"}]})
    alert = service.eventually(lambda: held(service, alert_id))
    assert alert["payments"]["holds"] == [{"id": "hold_2"}]
    assert len({request["key"] for request in tellings()}) == 1


def test_the_log_is_sealed_and_verifies_offline(service, worker):
    service.post(batch(row()))
    key = service.data_dir / "keys" / "monitoring-log.pem"
    vkey = log_tree.verifier_key("doudi/monitoring", read_key(key).public_key())
    total = len(service.rows("audit_events"))

    def sealed():
        answer = service.get("/log/checkpoint")
        if answer.status_code != 200:
            return None
        found = doudi_verify.check_checkpoint(answer.text, doudi_verify.parse_verifier_key(vkey))
        return found if found["size"] >= total else None

    assert service.eventually(sealed)["origin"] == "doudi/monitoring"


def test_no_identity_number_is_in_any_error_or_header(service):
    number = person()
    for body in (batch(row(id_number=number)) | {"mode": number}, batch(row()) | {number: 1}):
        answer = service.post(body)
        assert answer.status_code == 400
        assert number not in answer.text and number not in json.dumps(dict(answer.headers))


def test_many_copies_at_once_have_one_effect(service):
    body, before = batch(row(), row()), service.counts()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: service.post(body), range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    after = service.counts()
    assert after["feed_nonces"] == before["feed_nonces"] + 16
    gained = {name: after[name] - before[name] for name in ("feed_batches", "death_records", "alerts")}
    assert gained == {"feed_batches": 1, "death_records": 2, "alerts": 2}


def test_batches_about_the_same_people_at_once_raise_one_alert_each(service):
    people, before = [person() for _ in range(20)], service.counts()
    bodies = [batch(*(row(id_number=number) for number in order)) for order in (people, people[::-1]) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        assert {answer.status_code for answer in pool.map(service.post, bodies)} == {201}
    after = service.counts()
    assert after["death_records"] - before["death_records"] == 120
    assert after["alerts"] - before["alerts"] == 20
