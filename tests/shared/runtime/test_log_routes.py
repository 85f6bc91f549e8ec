"""The log as an auditor asks for it over HTTP: that it only grew is shown from the old checkpoint he kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from services.cli.provision import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID, development_key
from services.shared.runtime import audit
from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.vocabulary.actor import Actor
from tests.shared.runtime import probe_service
from verifier import doudi_verify

NOW = datetime(2026, 3, 1, 1, 2, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def app(configured):
    app = probe_service.create_probe(probe_service.configuration())
    yield app
    app.state.runtime.database.close()


@pytest.fixture(scope="module")
def ask(app, configured):
    """GET of a path of the service's log, as somebody of that role."""
    key = development_key(Path(configured["DOUDI_DATA_DIR"]))

    def get(path, role="auditor"):
        actor = Actor(f"{role}-1", frozenset({role}), ("000000",))
        token = issue_token(key, DEVELOPMENT_KEY_ID, DEVELOPMENT_ISSUER, actor, system_now(), timedelta(hours=1))
        return client.get(f"/eligibility/v1/log/{path}", headers={"Authorization": f"Bearer {token}"})

    with TestClient(app) as client:
        yield get


def write(runtime, count):
    event = audit.Event(NOW, "development/ann", "confirm_award", "award", "award_1", "request_1")
    runtime.database.transact(audit.append_all, runtime.tables, [(event, {})] * count)
    runtime.database.transact(audit.seal, runtime.tables)


def sign(runtime):
    runtime.database.transact(audit.sign_checkpoint, runtime.tables, runtime.log_origin, runtime.log_key, NOW)


def test_without_a_checkpoint_there_is_nothing_to_compare_with(app, ask):
    write(app.state.runtime, 3)
    answer = ask("consistency?old=0")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_sealed_yet")


@pytest.fixture(scope="module")
def kept(app, ask):
    """The checkpoint that the auditor kept; after it the log grew by four and was signed, then by one more."""
    write(app.state.runtime, 3)
    sign(app.state.runtime)
    old = ask("checkpoint").text
    write(app.state.runtime, 4)
    sign(app.state.runtime)
    write(app.state.runtime, 1)
    return old


def size_of(checkpoint):
    return int(checkpoint.splitlines()[1])


def verdict(tmp_path, capsys, key, **texts):
    files = [tmp_path / name for name in texts]
    for file, text in zip(files, texts.values(), strict=True):
        file.write_text(text, encoding="utf-8")
    doudi_verify.main(["consistency", *map(str, files), "--key", key, "--json"])
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_offline_verifier_sees_that_the_log_only_grew(ask, kept, tmp_path, capsys):
    new, key = ask("checkpoint").text, ask("key").text
    answer = ask(f"consistency?old={size_of(kept)}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    found = verdict(tmp_path, capsys, key, old=kept, new=new, proof=answer.text)
    assert (found["code"], found["old_size"], found["size"]) == ("consistency_holds", size_of(kept), size_of(kept) + 4)
    for other in (size_of(kept) - 1, size_of(kept) + 1):
        proof = ask(f"consistency?old={other}").text
        assert verdict(tmp_path, capsys, key, old=kept, new=new, proof=proof)["code"] == "sizes_differ"
    hashes = answer.text.splitlines()
    altered = "\n".join([hashes[0], hashes[2], hashes[1], *hashes[3:]]) + "\n"
    assert verdict(tmp_path, capsys, key, old=kept, new=new, proof=altered)["code"] == "log_rewritten"


def test_the_old_size_ends_with_the_newest_checkpoint(ask, kept):
    newest = size_of(ask("checkpoint").text)
    assert ask("consistency?old=0").text.startswith("old 0\n\n")
    assert ask(f"consistency?old={newest}").text.startswith(f"old {newest}\n\n")
    # The entry after it is sealed, but nobody has signed for it.
    answer = ask(f"consistency?old={newest + 1}")
    assert (answer.status_code, answer.json()["code"]) == (422, "old_beyond_checkpoint")
    assert f" {newest} " in answer.json()["text"]["en"]
    assert ask(f"consistency?old={10**30}").json()["code"] == "old_beyond_checkpoint"


@pytest.mark.parametrize("query", ["", "?old=", "?old=-1", "?old=1.5", "?old=x"])
def test_what_is_no_size_is_refused(ask, kept, query):
    answer = ask(f"consistency{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    assert answer.json()["errors"][0]["pointer"] == "/query/old"


def test_only_who_may_read_the_log_reads_it(ask, kept):
    assert ask("consistency?old=0", role="caseworker").status_code == 403
