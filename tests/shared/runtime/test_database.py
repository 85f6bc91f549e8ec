"""transact(): one commit, bounded tries, constraints that speak the domain's words."""

import threading

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from services.shared.runtime.database import MAX_TRIES, Database, DatabaseUnavailable
from services.shared.runtime.tables import RuntimeTables
from services.shared.vocabulary.invalid_body import InvalidBody


class OnlyOneJob(Exception):
    """Stands for a domain error."""


def put_job(tx, tables, job, tries=1):
    tx.execute(insert(tables.job_tries).values(job=job, tries=tries))


def tries_of(tx, tables, job):
    return tx.execute(select(tables.job_tries.c.tries).where(tables.job_tries.c.job == job)).scalar()


def test_work_is_committed_once_it_returns(database: Database, tables: RuntimeTables):
    database.transact(put_job, tables, 1)
    assert database.read(tries_of, tables, 1) == 1


def test_work_that_raises_leaves_nothing(database: Database, tables: RuntimeTables):
    def fail(tx):
        put_job(tx, tables, 2)
        raise OnlyOneJob

    with pytest.raises(OnlyOneJob):
        database.transact(fail)
    assert database.read(tries_of, tables, 2) is None


def test_violated_constraint_is_the_domain_error_of_its_name_and_not_tried_again(service_environment, tables):
    url = service_environment["DOUDI_ELIGIBILITY_DATABASE_URL"]
    database = Database(url, "eligibility", {"job_tries_pkey": OnlyOneJob})
    calls = []

    def work(tx):
        calls.append(1)
        put_job(tx, tables, 3)

    database.transact(work)
    with pytest.raises(OnlyOneJob):
        database.transact(work)
    assert len(calls) == 2
    database.close()


def test_unnamed_violation_stays_what_it_is_and_shows_no_values(database: Database, tables: RuntimeTables):
    database.transact(put_job, tables, 4)
    with pytest.raises(DBAPIError) as refused:
        database.transact(put_job, tables, 4, tries=987654)
    assert "987654" not in str(refused.value)


def test_deadlocked_work_is_done_again_and_both_finish(database: Database, tables: RuntimeTables):
    database.transact(put_job, tables, 10)
    database.transact(put_job, tables, 11)
    first_locks = threading.Barrier(2)

    def raise_both(tx, one, other, waited):
        add = update(tables.job_tries).values(tries=tables.job_tries.c.tries + 1)
        tx.execute(add.where(tables.job_tries.c.job == one))
        if not waited:
            waited.append(1)
            first_locks.wait(10)
        tx.execute(add.where(tables.job_tries.c.job == other))

    threads = [
        threading.Thread(target=database.transact, args=(raise_both, one, other, []))
        for one, other in ((10, 11), (11, 10))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert database.read(tries_of, tables, 10) == database.read(tries_of, tables, 11) == 3


def test_endless_serialisation_failures_end_after_the_bound(database: Database):
    calls = []

    def always_conflicts(tx):
        calls.append(1)
        tx.execute(text("do $$ begin raise exception 'again' using errcode = '40001'; end $$"))

    with pytest.raises(DBAPIError):
        database.transact(always_conflicts)
    assert len(calls) == MAX_TRIES


def test_read_cannot_write(database: Database, tables: RuntimeTables):
    with pytest.raises(DBAPIError):
        database.read(put_job, tables, 20)


def test_a_server_that_is_away_is_said_so(service_environment):
    nowhere = Database("postgresql+psycopg://doudi_eligibility:x@/doudi?host=/nonexistent", "eligibility")
    with pytest.raises(DatabaseUnavailable):
        nowhere.ping()


def test_a_commit_that_fails_is_never_answered_with_success(database: Database, tables: RuntimeTables):
    def cut_own_connection(tx):
        put_job(tx, tables, 30)
        pid = tx.execute(text("select pg_backend_pid()")).scalar_one()
        with database.engine.connect() as other:
            other.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
        return "answer"

    with pytest.raises(DatabaseUnavailable):
        database.transact(cut_own_connection)
    assert database.read(tries_of, tables, 30) is None


def test_a_row_that_is_locked_too_long_is_for_later_and_no_fault(service_environment, database, tables, monkeypatch):
    from services.shared.runtime import database as module

    monkeypatch.setattr(module, "LOCK_TIMEOUT_MS", 200)
    impatient = Database(service_environment["DOUDI_ELIGIBILITY_DATABASE_URL"], "eligibility")
    database.transact(put_job, tables, 40)
    touch = update(tables.job_tries).where(tables.job_tries.c.job == 40).values(tries=2)
    with database.engine.begin() as holder:
        holder.execute(touch)
        with pytest.raises(DatabaseUnavailable):
            impatient.transact(lambda tx: tx.execute(touch))
    impatient.transact(lambda tx: tx.execute(touch))
    impatient.close()


def test_a_pool_that_is_used_up_is_for_later_and_no_fault(service_environment, monkeypatch):
    from services.shared.runtime import database as module

    monkeypatch.setattr(module, "POOL_WAIT_SECONDS", 0.2)
    narrow = Database(service_environment["DOUDI_ELIGIBILITY_DATABASE_URL"], "eligibility", pool_size=1)
    with narrow.engine.connect():
        with pytest.raises(DatabaseUnavailable):
            narrow.ping()
        with pytest.raises(DatabaseUnavailable):
            narrow.transact(lambda tx: None)
    narrow.ping()
    narrow.close()


def test_text_with_a_nul_is_a_wrong_body(database: Database):
    query = text("select cast(:name as text)")
    for run in (database.read, database.transact):
        with pytest.raises(InvalidBody) as refused:
            run(lambda tx: tx.execute(query, {"name": "a\0b"}))
        assert [error.code for error in refused.value.errors] == ["nul_character"]
