"""What is decided and its event in the log are one: both or neither, sealed, and proved by the offline verifier."""

import hashlib
import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.award import CONFIRMED, Person
from services.eligibility.use_cases.decide_award import decide_award
from services.eligibility.use_cases.evaluate_household import rendered_answer
from services.eligibility.use_cases.propose_award import propose_award
from services.eligibility.use_cases.record_determination import record_determination
from services.shared.runtime import audit, log_tree
from services.shared.runtime.database import DatabaseUnavailable
from services.shared.runtime.sealing import seal_log
from services.shared.vocabulary.actor import NATION, Actor
from verifier import doudi_verify

ANN = Actor("development/ann", frozenset({"caseworker"}), (NATION,))
BEN = Actor("development/ben", frozenset({"confirmer"}), (NATION,))


@pytest.fixture
def story(eligibility, new_proposal):
    """The three writes of the service as calls `(tx)`, each on what the one before left."""
    runtime = eligibility.runtime
    raw = json.dumps(eligibility.household()).encode()
    asked = parse_request(raw)
    rendered = rendered_answer(eligibility.app.state.published_policy.current(), asked)
    numbers = {"determination": f"determination_{id(rendered)}"}
    people = tuple(
        Person(p["member"], p["name"], p["id_number"], p.get("card_number")) for p in new_proposal()["people"]
    )

    def determine(tx):
        return record_determination(tx, runtime, ANN, "r-1", numbers["determination"], asked, raw, rendered)

    def propose(tx):
        return propose_award(tx, runtime, ANN, "r-2", numbers["determination"], "dibao", "household", None, people)

    def decide(tx):
        return decide_award(tx, runtime, BEN, "r-3", numbers["award"], CONFIRMED, "")

    def until(step):
        """What comes before `step`, done."""
        if step != "determine":
            runtime.database.transact(determine)
        if step == "decide":
            numbers["award"] = runtime.database.transact(propose)["id"]
        return {"determine": determine, "propose": propose, "decide": decide}[step]

    return until


STEPS = ("determine", "propose", "decide")


@pytest.mark.parametrize("step", STEPS)
def test_a_fault_before_the_commit_leaves_neither(eligibility, story, step):
    work = story(step)
    before = eligibility.counts()

    def interrupted(tx):
        work(tx)
        raise RuntimeError("between the writes and their commit")

    with pytest.raises(RuntimeError):
        eligibility.runtime.database.transact(interrupted)
    assert eligibility.counts() == before
    eligibility.runtime.database.transact(work)
    assert eligibility.counts()["eligibility.audit_events"] == before["eligibility.audit_events"] + 1


@pytest.mark.parametrize("step", STEPS)
def test_a_connection_that_dies_before_the_commit_leaves_neither(eligibility, story, step):
    work = story(step)
    before = eligibility.counts()

    def killed(tx):
        work(tx)
        own = tx.execute(text("select pg_backend_pid()")).scalar_one()
        assert eligibility.rows("select pg_terminate_backend(:pid)", pid=own) == [(True,)]

    with pytest.raises((DatabaseUnavailable, DBAPIError)):
        eligibility.runtime.database.transact(killed)
    assert eligibility.counts() == before


@pytest.mark.parametrize("step", STEPS)
def test_what_cannot_be_logged_is_not_done(eligibility, new_proposal, step):
    """Over HTTP, while the log takes nothing: no answer says that it was done, and nothing was."""
    found, award = eligibility.determined(), eligibility.proposed()
    calls = {
        "determine": lambda: eligibility.post("/determinations", eligibility.household()),
        "propose": lambda: eligibility.propose(found["id"], new_proposal()),
        "decide": lambda: eligibility.decide(award),
    }
    before = eligibility.counts()
    with eligibility.owner.begin() as owner:
        owner.execute(text("revoke insert on eligibility.audit_events from doudi_eligibility"))
    try:
        answer = calls[step]()
    finally:
        with eligibility.owner.begin() as owner:
            owner.execute(text("grant insert on eligibility.audit_events to doudi_eligibility"))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_fault")
    assert eligibility.counts() == before
    assert calls[step]().is_success


def test_each_write_is_one_event_that_says_who_what_and_in_which_request(eligibility, new_proposal):
    found = eligibility.determined(headers={"Request-Id": "one"})
    proposal = new_proposal()
    award = eligibility.propose(found["id"], proposal, headers={"Request-Id": "two"}).json()["id"]
    eligibility.decide(award, headers={"Request-Id": "three"})
    leaves = leaves_of(eligibility, found["id"]) + leaves_of(eligibility, award)
    told = [(leaf["actor"], leaf["action"], leaf["entity"], leaf["request_id"]) for leaf in leaves]
    assert told == [
        ("development/caseworker-1", "determine", "determination", "one"),
        ("development/caseworker-1", "propose_award", "award", "two"),
        ("development/confirmer-1", "decide_award", "award", "three"),
    ]
    determine, propose, decide = leaves
    assert (determine["region"], determine["as_of"]) == ("420100", "2023-08-01")
    assert (propose["determination"], propose["programme"], propose["amount_fen"]) == (found["id"], "dibao", 102_000)
    assert (decide["decision"], decide["amount_fen"]) == ("CONFIRMED", 102_000)
    log = json.dumps(leaves, ensure_ascii=False)
    assert not any(text in log for person in proposal["people"] for text in list(person.values())[1:])


def test_the_log_vouches_for_the_facts_and_the_answer(eligibility):
    """Facts and answer exchanged together would replay; their hashes in the signed log tell."""
    raw = json.dumps(eligibility.household()).encode()
    answer = eligibility.post("/determinations", raw)
    [leaf] = leaves_of(eligibility, answer.json()["id"])
    assert leaf["request_sha256"] == hashlib.sha256(raw).hexdigest()
    assert leaf["answer_sha256"] == hashlib.sha256(answer.content).hexdigest()
    [(event_id,)] = eligibility.rows(
        "select event_id from eligibility.determinations where id = :id", id=answer.json()["id"]
    )
    assert event_id == leaf["event_id"]


def test_refusals_leave_no_event(eligibility, new_proposal):
    award = eligibility.proposed()
    before = eligibility.counts()
    assert eligibility.decide(award, role="caseworker").status_code == 409
    assert eligibility.post("/determinations", {}).status_code == 400
    assert eligibility.propose("none", new_proposal()).status_code == 404
    assert eligibility.counts() == before


def test_every_event_is_sealed_and_proved_offline(eligibility, new_proposal, tmp_path):
    found = eligibility.determined()
    award = eligibility.propose(found["id"], new_proposal()).json()["id"]
    eligibility.decide(award)
    seal_log(eligibility.runtime)
    key = eligibility.get("/log/key").text
    checkpoint = eligibility.get("/log/checkpoint").text
    assert checkpoint.startswith("doudi/eligibility\n")
    assert key == log_tree.verifier_key("doudi/eligibility", eligibility.runtime.log_key.public_key())
    events = [leaf["event_id"] for entity in (found["id"], award) for leaf in leaves_of(eligibility, entity)]
    assert len(events) == 3
    for event_id in events:
        proof = eligibility.runtime.database.read(audit.prove, eligibility.runtime.tables, event_id)
        assert verified(tmp_path, proof.text, proof.leaf, key) == 0
        assert verified(tmp_path, proof.text, proof.leaf.replace(event_id.encode(), b"event_0"), key) == 1


def verified(folder, proof, leaf, key):
    (folder / "one.tlog-proof").write_text(proof, encoding="utf-8")
    (folder / "one.json").write_bytes(leaf)
    return doudi_verify.main(
        ["proof", str(folder / "one.tlog-proof"), "--leaf", str(folder / "one.json"), "--key", key.strip()]
    )


def leaves_of(eligibility, entity_id):
    rows = eligibility.rows("select leaf from eligibility.audit_events where entity_id = :id order by id", id=entity_id)
    return [json.loads(bytes(leaf)) for (leaf,) in rows]
