"""One key, one effect, one answer: in parallel, again later, with another body, and after a crash in between."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from services.shared.runtime.idempotency import IdempotencyKeyReused, answer_once, fingerprint_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FINGERPRINT = fingerprint_of("POST /things", b'{"a":1}')


@pytest.fixture
def once(database, tables):
    """Runs an effect under a key: `once(key, job)` writes one row that can be there only once."""

    def run(key, job, caller="issuer/a", fingerprint=FINGERPRINT, before_answer=lambda: None):
        def work(tx):
            def effect():
                tx.execute(insert(tables.job_tries).values(job=job, tries=1))
                before_answer()
                return 201, b'{"job":%d}' % job

            return answer_once(tx, tables, caller, key, fingerprint, NOW, effect)

        return database.transact(work)

    return run


def is_written(database, tables, job):
    query = select(tables.job_tries.c.tries).where(tables.job_tries.c.job == job)
    return database.read(lambda tx: tx.execute(query).scalar()) == 1


def test_same_key_in_parallel_has_one_effect_and_one_answer(once):
    answers, start = [], threading.Barrier(8)

    def send():
        start.wait(10)
        answers.append(once("parallel", 100))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [(answer.status, answer.body) for answer in answers] == [(201, b'{"job":100}')] * 8
    assert sorted(answer.is_replay for answer in answers) == [False] + [True] * 7


def test_the_answer_is_given_again_after_the_commit(once):
    first, again = once("again", 110), once("again", 110)
    assert (first.status, first.body, first.is_replay) == (201, b'{"job":110}', False)
    assert (again.status, again.body, again.is_replay) == (201, b'{"job":110}', True)


def test_another_body_under_the_key_is_refused_and_has_no_effect(once, database, tables):
    once("reused", 120)
    with pytest.raises(IdempotencyKeyReused):
        once("reused", 121, fingerprint=fingerprint_of("POST /things", b'{"a":2}'))
    assert not is_written(database, tables, 121)


def test_the_same_body_to_another_operation_is_another_request(once):
    once("operation", 125)
    with pytest.raises(IdempotencyKeyReused):
        once("operation", 126, fingerprint=fingerprint_of("POST /others", b'{"a":1}'))


def test_callers_do_not_share_keys(once, database, tables):
    once("shared", 130, caller="issuer/a")
    assert not once("shared", 131, caller="issuer/b").is_replay
    assert is_written(database, tables, 131)


def test_a_crash_between_effect_and_answer_leaves_neither_and_the_key_works_again(once, database, tables):
    class Crash(BaseException):
        pass

    def crash():
        raise Crash

    with pytest.raises(Crash):
        once("crash", 140, before_answer=crash)
    assert not is_written(database, tables, 140)
    assert not once("crash", 140).is_replay
    assert is_written(database, tables, 140)


def test_a_second_request_waits_for_the_first_and_acts_when_that_one_fails(once, database, tables):
    first_is_in, answers = threading.Event(), []

    def fail_slowly():
        first_is_in.set()
        second.join(0.5)
        raise RuntimeError

    def send_first():
        with pytest.raises(RuntimeError):
            once("handover", 150, before_answer=fail_slowly)

    def send_second():
        first_is_in.wait(10)
        answers.append(once("handover", 150))

    first, second = threading.Thread(target=send_first), threading.Thread(target=send_second)
    second.start()
    first.start()
    first.join(30)
    second.join(30)
    assert [answer.is_replay for answer in answers] == [False]
    assert is_written(database, tables, 150)
