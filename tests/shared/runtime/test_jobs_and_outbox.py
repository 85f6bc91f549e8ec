"""Jobs exist with their cause, run at least once, and are held when they keep failing; messages wait for their peer."""

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from datetime import UTC, datetime

import pytest
from pgqueuer import Job as QueuedJob
from pgqueuer import RetryRequested
from sqlalchemy import create_engine, select, text

from services.shared.runtime import jobs, outbox
from services.shared.runtime.database import Database
from services.shared.runtime.service_client import PeerRefused, PeerUnavailable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PATIENCE_SECONDS = 30


@pytest.fixture
def worker(service_environment, database, tables):
    """Starts a worker in its own process, running the handlers of the module at hand; ended with the test."""
    started = []

    def start(scenario: str) -> subprocess.Popen:
        argv = [sys.executable, "-m", "tests.shared.runtime.job_scenarios", scenario]
        started.append(subprocess.Popen(argv, env={**os.environ, **service_environment}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def eventually(condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to pass")


def runs_of(database, entity):
    query = text("select count(*) from test_clock_runs where entity = :entity")
    return database.read(lambda tx: tx.execute(query, {"entity": entity}).scalar_one())


@pytest.fixture(scope="module", autouse=True)
def record_of_runs(owner_url, service_environment):
    from sqlalchemy import create_engine

    engine = create_engine(owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as owner:
        owner.execute(text("create table eligibility.test_clock_runs (entity text, at timestamptz default now())"))
        owner.execute(text("grant all on eligibility.test_clock_runs to doudi_eligibility"))
    engine.dispose()


def test_a_job_of_a_rolled_back_cause_never_runs_and_a_committed_one_does(worker, database):
    def cause_and_fail(tx):
        jobs.enqueue(tx, "eligibility", "record", "never")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.transact(cause_and_fail)
    database.transact(jobs.enqueue, "eligibility", "record", "once")
    worker("record")
    eventually(lambda: runs_of(database, "once") == 1)
    assert runs_of(database, "never") == 0


def test_a_job_whose_worker_is_killed_is_run_again(worker, database):
    database.transact(jobs.enqueue, "eligibility", "hang_once", "killed")
    first = worker("record")
    eventually(lambda: runs_of(database, "killed") == 1)
    first.send_signal(signal.SIGKILL)
    worker("record")
    eventually(lambda: runs_of(database, "killed") == 2)


def test_a_job_that_fails_is_tried_again_until_it_works(worker, database):
    database.transact(jobs.enqueue, "eligibility", "fail_twice", "stubborn")
    worker("record")
    eventually(lambda: runs_of(database, "stubborn") == 3)


def test_a_message_waits_for_its_peer_is_sent_again_and_then_marked(database, tables):
    message = database.transact(outbox.append, tables, "eligibility", "greeting", "entity_1", NOW)
    tries = []

    def send(message_id, entity_id):
        tries.append((message_id, entity_id))
        if len(tries) < 3:
            raise PeerUnavailable("payments")

    for _ in range(2):
        with pytest.raises(jobs.TryAgain):
            outbox.deliver(database, tables, {"greeting": send}, lambda: NOW, message)
    outbox.deliver(database, tables, {"greeting": send}, lambda: NOW, message)
    outbox.deliver(database, tables, {"greeting": send}, lambda: NOW, message)
    assert tries == [(message, "entity_1")] * 3
    sent = select(tables.outbox_messages.c.delivered_at).where(tables.outbox_messages.c.id == message)
    assert database.read(lambda tx: tx.execute(sent).scalar()) == NOW


def test_a_refused_message_is_parked_for_a_person_who_may_send_it_again(database, tables):
    message = database.transact(outbox.append, tables, "eligibility", "greeting", "entity_2", NOW)
    refusals, sent = [PeerRefused("payments", 409, "idempotency_key_reused")], []

    def send(message_id, entity_id):
        sent.append(message_id)
        if refusals:
            raise refusals[0]

    outbox.deliver(database, tables, {"greeting": send}, lambda: NOW, message)
    assert database.read(outbox.count_parked, tables) == 1
    refusals.clear()
    assert database.transact(outbox.send_parked_again, tables, "eligibility") == 1
    outbox.deliver(database, tables, {"greeting": send}, lambda: NOW, message)
    assert database.read(outbox.count_parked, tables) == 0
    assert sent == [message, message]


def test_a_held_job_runs_again_when_a_person_says_so(worker, database, tables, owner_url):
    database.transact(jobs.enqueue, "eligibility", "record", "held")
    engine = create_engine(owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as owner:
        owner.execute(text("update eligibility.pgqueuer set status = 'failed' where payload = 'held'"))
    engine.dispose()
    (job,) = database.read(jobs.list_held, "eligibility")
    assert database.transact(jobs.queue_held_again, tables, "eligibility") == 1
    assert database.read(jobs.list_held, "eligibility") == []
    worker("record")
    eventually(lambda: runs_of(database, "held") == 1)
    assert job > 0


def test_the_pause_between_tries_grows_and_has_a_bound():
    assert outbox.FIRST_DELAY_SECONDS < outbox.MAX_DELAY_SECONDS
    assert outbox.MAX_TRIES * outbox.MAX_DELAY_SECONDS > 6 * 86_400


def test_a_job_in_an_open_transaction_is_not_seen(worker, database):
    worker("record")
    committed = threading.Event()

    def slow(tx):
        jobs.enqueue(tx, "eligibility", "record", "slow")
        time.sleep(2)
        assert runs_of(database, "slow") == 0
        committed.set()

    database.transact(slow)
    eventually(lambda: runs_of(database, "slow") == 1)
    assert committed.is_set()


def test_a_job_that_cannot_be_counted_is_not_held_for_it(tables):
    nowhere = Database("postgresql+psycopg://doudi_eligibility:x@/doudi?host=/nonexistent", "eligibility")
    job = QueuedJob.model_construct(id=1, entrypoint="record", payload=b"award_1")
    runs = []
    with pytest.raises(RetryRequested):
        jobs._run_once(nowhere, tables, runs.append, job)
    assert runs == []


def test_a_job_is_held_after_its_bound_and_its_failure_keeps_nothing_of_the_message(database, tables):
    job = QueuedJob.model_construct(id=987, entrypoint="record", payload=b"award_1")

    def fail(entity):
        raise ValueError("王小明 42010219900307663X")

    outcomes = []
    for _ in range(jobs.MAX_TRIES + 1):
        with pytest.raises((RetryRequested, jobs.TooManyTries)) as raised:
            jobs._run_once(database, tables, fail, job)
        outcomes.append(raised.value)
    assert [type(outcome) for outcome in outcomes] == [RetryRequested] * (jobs.MAX_TRIES - 1) + [jobs.TooManyTries] * 2
    for outcome in outcomes:
        assert "王小明" not in "".join(traceback.format_exception(outcome))


def test_a_worker_that_loses_the_database_ends_to_be_started_again_and_the_job_runs(worker, database, owner_url):
    """Its supervisor starts it again; it must not hang there and take no more jobs."""
    from sqlalchemy import create_engine

    first = worker("record")
    database.transact(jobs.enqueue, "eligibility", "record", "before the loss")
    eventually(lambda: runs_of(database, "before the loss") == 1)
    engine = create_engine(owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as owner:
        end_all = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'doudi_eligibility'"
        owner.execute(text(end_all))
    engine.dispose()
    eventually(lambda: first.poll() is not None)
    database.transact(jobs.enqueue, "eligibility", "record", "after the loss")
    worker("record")
    eventually(lambda: runs_of(database, "after the loss") == 1)
