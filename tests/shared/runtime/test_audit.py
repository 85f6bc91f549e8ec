"""The log: sealed in an order that loses nothing, proved to who has only the verifier, and not to be altered."""

import json
import threading
from datetime import UTC, datetime
from importlib import import_module

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, func, insert, make_url, select, text, update
from sqlalchemy.exc import DBAPIError

from services.shared.runtime import audit, log_tree
from services.shared.runtime.database import Database
from verifier import doudi_verify

NOW = datetime(2026, 3, 1, 1, 2, 3, tzinfo=UTC)
ORIGIN = "doudi/eligibility"
KEY = Ed25519PrivateKey.generate()
VERIFIER_KEY = log_tree.verifier_key(ORIGIN, KEY.public_key())
APPEND_ONLY = ("audit_events", "audit_leaves", "audit_nodes", "audit_checkpoints")


def event(number: int) -> audit.Event:
    return audit.Event(NOW, "development/ann", "confirm_award", "award", f"award_{number}", "request_1")


@pytest.fixture
def append(database, tables):
    """Writes one event in its own transaction."""
    return lambda number, **details: database.transact(audit.append, tables, event(number), details)


@pytest.fixture
def seal_and_sign(database, tables):
    """What the worker's schedule does."""

    def run():
        while database.transact(audit.seal, tables):
            pass
        database.transact(audit.sign_checkpoint, tables, ORIGIN, KEY, NOW)

    return run


def sealed_entities(database, tables):
    query = (
        select(tables.audit_leaves.c.leaf_index, tables.audit_events.c.entity_id)
        .join_from(tables.audit_leaves, tables.audit_events)
        .order_by(tables.audit_leaves.c.leaf_index)
    )
    rows = database.read(lambda tx: tx.execute(query).all())
    assert [row.leaf_index for row in rows] == list(range(len(rows))), "a leaf index is missing"
    return [row.entity_id for row in rows]


def verify(tmp_path, proof) -> int:
    (tmp_path / "leaf.json").write_bytes(proof.leaf)
    (tmp_path / "proof.txt").write_text(proof.text, encoding="utf-8")
    arguments = ["proof", str(tmp_path / "proof.txt"), "--leaf", str(tmp_path / "leaf.json"), "--key", VERIFIER_KEY]
    return doudi_verify.main(arguments)


def test_an_event_is_not_provable_before_a_checkpoint_covers_it(database, tables, append, seal_and_sign):
    event_id = append(1)
    with pytest.raises(audit.NotSealedYet):
        database.read(audit.prove, tables, event_id)
    database.transact(audit.seal, tables)
    with pytest.raises(audit.NotSealedYet):
        database.read(audit.prove, tables, event_id)
    seal_and_sign()
    assert database.read(audit.prove, tables, event_id).leaf_index >= 0


def test_every_event_is_proved_by_the_offline_verifier_and_says_who_did_what(
    database, tables, append, seal_and_sign, tmp_path
):
    events = [append(10 + number, amount_fen=102000, is_first=True, reason=None) for number in range(7)]
    seal_and_sign()
    for number, event_id in enumerate(events):
        proof = database.read(audit.prove, tables, event_id)
        assert verify(tmp_path, proof) == 0
        leaf = json.loads(proof.leaf)
        assert leaf["actor"] == "development/ann" and leaf["action"] == "confirm_award"
        assert leaf["entity_id"] == f"award_{10 + number}" and leaf["amount_fen"] == 102000


def test_an_altered_leaf_is_not_proved(database, tables, append, seal_and_sign, tmp_path):
    event_id = append(20, amount_fen=102000)
    seal_and_sign()
    proof = database.read(audit.prove, tables, event_id)
    altered = audit.Proof(proof.leaf_index, proof.leaf.replace(b"102000", b"902000"), proof.text)
    assert verify(tmp_path, altered) == 1


def test_details_cannot_stand_for_who_did_what(database, tables):
    with pytest.raises(ValueError):
        database.transact(audit.append, tables, event(25), {"actor": "somebody else"})


def test_one_seal_takes_many_events_and_later_seals_go_on(database, tables, append, seal_and_sign, tmp_path):
    seal_and_sign()
    before = database.read(audit.tree_size, tables)
    for round_of in (37, 1, 2, 64):
        events = [append(100 + number) for number in range(round_of)]
        assert database.transact(audit.seal, tables) == round_of
        seal_and_sign()
        assert verify(tmp_path, database.read(audit.prove, tables, events[0])) == 0
        assert verify(tmp_path, database.read(audit.prove, tables, events[-1])) == 0
    assert database.read(audit.tree_size, tables) == before + 104


def test_a_seal_takes_no_more_than_its_bound(database, tables, append, seal_and_sign, monkeypatch):
    seal_and_sign()
    monkeypatch.setattr(audit, "SEAL_LIMIT", 3)
    for number in range(4):
        append(300 + number)
    assert [database.transact(audit.seal, tables) for _ in range(3)] == [3, 1, 0]


def test_the_event_of_a_slow_transaction_is_sealed_later_and_never_lost(database, tables, append, seal_and_sign):
    """Its identity is lower than that of a later, faster transaction; it must not be passed over for it."""
    seal_and_sign()
    before = len(sealed_entities(database, tables))
    slow = database.engine.connect()
    transaction = slow.begin()
    audit.append(slow, tables, event(401))
    append(402)
    assert database.transact(audit.seal, tables) == 0, "the slow transaction may still write before what we seal"
    audit.append(slow, tables, event(403))
    transaction.commit()
    slow.close()
    seal_and_sign()
    assert sealed_entities(database, tables)[before:] == ["award_401", "award_403", "award_402"]


def test_the_event_of_a_transaction_that_rolled_back_leaves_no_gap(database, tables, append, seal_and_sign):
    seal_and_sign()
    before = len(sealed_entities(database, tables))

    def fail(tx):
        audit.append(tx, tables, event(411))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.transact(fail)
    append(412)
    seal_and_sign()
    assert sealed_entities(database, tables)[before:] == ["award_412"]


def test_sealing_while_many_write_loses_nothing(database, tables, seal_and_sign):
    seal_and_sign()
    before = len(sealed_entities(database, tables))
    done = threading.Event()
    failures = []

    def write(start):
        for number in range(start, start + 25):
            database.transact(audit.append, tables, event(number))

    def seal():
        try:
            while not done.is_set():
                database.transact(audit.seal, tables)
                database.transact(audit.sign_checkpoint, tables, ORIGIN, KEY, NOW)
        except Exception as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(1000 + 100 * number,)) for number in range(4)]
    sealers = [threading.Thread(target=seal) for _ in range(2)]
    for thread in writers + sealers:
        thread.start()
    for thread in writers:
        thread.join(60)
    done.set()
    for thread in sealers:
        thread.join(60)
    seal_and_sign()
    expected = {f"award_{100 * block + 1000 + number}" for block in range(4) for number in range(25)}
    sealed = sealed_entities(database, tables)[before:]
    assert failures == []
    assert len(sealed) == 100 and set(sealed) == expected


def test_a_later_log_holds_the_earlier_one(database, tables, append, seal_and_sign, tmp_path):
    append(500)
    seal_and_sign()
    old = database.read(audit.latest_checkpoint, tables)
    for number in range(5):
        append(501 + number)
    seal_and_sign()
    new = database.read(audit.latest_checkpoint, tables)
    proof = database.read(audit.prove_growth, tables, int(old.splitlines()[1]))
    files = {"old": old, "new": new, "consistency": proof}
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert doudi_verify.main(["consistency", *(str(tmp_path / name) for name in files), "--key", VERIFIER_KEY]) == 0


def test_nothing_new_is_signed_twice(database, tables, append, seal_and_sign):
    append(510)
    seal_and_sign()
    assert database.transact(audit.sign_checkpoint, tables, ORIGIN, KEY, NOW) is None


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["update {t} set {c} = {c}", "delete from {t}", "truncate {t} cascade"])
@pytest.mark.parametrize("role", ["owner", "service"])
def test_nobody_changes_what_was_written(owner_url, database, tables, append, seal_and_sign, table, statement, role):
    append(520)
    seal_and_sign()
    url = make_url(owner_url) if role == "owner" else database.engine.url
    column = getattr(tables, table).columns.keys()[1]
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        with pytest.raises((psycopg.errors.IntegrityConstraintViolation, psycopg.errors.InsufficientPrivilege)):
            connection.execute(statement.format(t=f"eligibility.{table}", c=column))
        connection.rollback()


@pytest.fixture
def tampering_owner(owner_url):
    """The owner with the triggers switched off, in a transaction that is undone at the end."""
    engine = create_engine(owner_url, connect_args={"options": "-c search_path=eligibility"})
    with engine.connect() as connection:
        connection.execute(text("set session_replication_role = replica"))
        yield connection
        connection.rollback()
    engine.dispose()


def forge_leaf(tx, tables, event_id, leaf):
    events = tables.audit_events
    assert tx.execute(update(events).where(events.c.event_id == event_id).values(leaf=leaf)).rowcount == 1


def test_a_record_altered_by_the_owner_past_the_triggers_is_found(
    tampering_owner, tables, append, seal_and_sign, database, tmp_path
):
    event_id = append(530, amount_fen=102000)
    seal_and_sign()
    honest = database.read(audit.prove, tables, event_id)
    forged = honest.leaf.replace(b"102000", b"902000")
    forge_leaf(tampering_owner, tables, event_id, forged)
    proof = audit.prove(tampering_owner, tables, event_id)
    assert proof.leaf == forged
    assert verify(tmp_path, proof) == 1


def test_a_record_altered_with_its_hash_is_found_too(
    tampering_owner, tables, append, seal_and_sign, database, tmp_path
):
    """The root that was signed no longer follows from the nodes, whichever of them is rewritten."""
    event_id, neighbour = append(540, amount_fen=102000), append(541)
    seal_and_sign()
    honest = database.read(audit.prove, tables, event_id)
    forged = honest.leaf.replace(b"102000", b"902000")
    forge_leaf(tampering_owner, tables, event_id, forged)
    nodes = tables.audit_nodes
    this = (nodes.c.level == 0) & (nodes.c.position == honest.leaf_index)
    assert tampering_owner.execute(update(nodes).where(this).values(hash=log_tree.leaf_hash(forged))).rowcount == 1
    proofs = [audit.prove(tampering_owner, tables, one) for one in (event_id, neighbour)]
    assert 1 in [verify(tmp_path, proof) for proof in proofs]


def test_a_leaf_index_is_given_once(database, tables, append, seal_and_sign):
    append(550)
    seal_and_sign()
    last = select(func.max(tables.audit_leaves.c.audit_event))

    def seal_again(tx):
        size = audit.tree_size(tx, tables)
        tx.execute(insert(tables.audit_leaves).values(leaf_index=size, audit_event=tx.execute(last).scalar()))

    with pytest.raises(DBAPIError):
        database.transact(seal_again)


def test_the_service_cannot_update_through_the_runtime_either(database, tables, append):
    append(560)
    with pytest.raises(DBAPIError):
        database.transact(lambda tx: tx.execute(update(tables.audit_events).values(action="nothing")))


@pytest.fixture
def restored(request, owner_url, service_environment):
    """Another service's log, as it is after a dump was restored on a server whose transaction numbers are lower."""
    service = request.param
    tables = import_module(f"services.{service}.store.tables").runtime_tables
    database = Database(service_environment[f"DOUDI_{service.upper()}_DATABASE_URL"], service)
    engine = create_engine(owner_url, connect_args={"options": f"-c search_path={service}"})

    def renumber(entities, written_by):
        """As the owner, past the triggers: say that the events of `entities` were written by that transaction."""
        with engine.begin() as connection:
            connection.execute(text("set local session_replication_role = replica"))
            number = text("update audit_events set written_by = cast(:number as xid8) where entity_id = any(:entities)")
            connection.execute(number, {"number": str(written_by), "entities": [f"award_{e}" for e in entities]})

    yield database, tables, renumber
    engine.dispose()
    database.close()


@pytest.mark.parametrize("restored", ["monitoring"], indirect=True)
def test_a_log_that_was_restored_on_another_server_goes_on(restored, monkeypatch):
    database, tables, renumber = restored
    monkeypatch.setattr(audit, "SEAL_LIMIT", 2)

    def write(*numbers):
        for number in numbers:
            database.transact(audit.append, tables, event(number))

    def seal():
        while database.transact(audit.seal, tables):
            pass
        return sealed_entities(database, tables)

    write(1, 2)
    seal()
    write(3, 4, 5)
    renumber([1, 2, 3, 4, 5], 10**12)
    write(6, 7)
    assert set(seal()) == {f"award_{number}" for number in range(1, 8)}
    write(8)
    assert seal()[-1] == "award_8"


@pytest.mark.parametrize("restored", ["monitoring"], indirect=True)
def test_numbers_that_were_used_on_another_server_may_come_again(restored):
    database, tables, renumber = restored
    for number in (11, 12):
        database.transact(audit.append, tables, event(number))
    database.transact(audit.seal, tables)
    now = database.transact(lambda tx: int(tx.execute(text("select cast(pg_current_xact_id() as text)")).scalar()))
    renumber([11], now + 3)
    database.transact(audit.append, tables, event(13))
    database.transact(audit.seal, tables)
    for _ in range(6):
        database.transact(lambda tx: tx.execute(text("select pg_current_xact_id()")))
    database.transact(audit.append, tables, event(14))
    database.transact(audit.seal, tables)
    assert sealed_entities(database, tables)[-2:] == ["award_13", "award_14"]


@pytest.mark.parametrize("restored", ["payments"], indirect=True)
def test_a_log_restored_before_anything_was_sealed_is_sealed(restored):
    database, tables, renumber = restored
    database.transact(audit.append, tables, event(21))
    renumber([21], 10**12)
    database.transact(audit.append, tables, event(22))
    database.transact(audit.seal, tables)
    assert {"award_21", "award_22"} <= set(sealed_entities(database, tables))
