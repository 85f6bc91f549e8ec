"""Durable jobs: enqueued in the transaction of their cause, run at least once by a worker, held when they keep failing.

PgQueuer carries them; a job's payload is one identifier, and the rows that it names are the durable truth.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import psycopg
from pgqueuer import Job as QueuedJob
from pgqueuer import PgQueuer, PsycopgDriver, Queries, RetryRequested
from pgqueuer.adapters.persistence import qb
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.queries import SyncQueries
from psycopg import RawCursor
from psycopg.rows import dict_row
from sqlalchemy import delete, make_url
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from services.shared.runtime.database import CONNECT_TIMEOUT_SECONDS, Database, DatabaseUnavailable, Transaction
from services.shared.runtime.logs import get_logger, where_raised
from services.shared.runtime.service_client import PeerUnavailable
from services.shared.runtime.tables import RuntimeTables

MAX_TRIES = 25
"""After so many failures, or killed workers, a job is held for a person to look at."""
FIRST_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 60.0
BATCH_SIZE = 10
POLL_SECONDS = 1
HELD_LIMIT = 10_000


RUN_SCHEDULES = "run_schedules"
"""The job that runs every schedule once."""


class TryAgain(Exception):
    """The job's time has not come: run it again after `seconds`, which is no failure."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work that returns: a cron line (seconds last) and what is done."""

    expression: str
    run: Callable[[], None]


def enqueue(tx: Transaction, schema: str, job: str, entity_id: str, delay_seconds: float = 0) -> None:
    """Put `job` for `entity_id` in the queue; it exists when `tx` commits, and not otherwise."""
    queries = SyncQueries(_InTransaction(tx), qb.QueryQueueBuilder(settings=settings_for(schema)))
    queries.enqueue(job, entity_id.encode(), execute_after=timedelta(seconds=delay_seconds))


def enqueue_all(tx: Transaction, schema: str, job: str, entity_ids: Sequence[str]) -> None:
    """The same for many entities, with one statement."""
    if entity_ids:
        queries = SyncQueries(_InTransaction(tx), qb.QueryQueueBuilder(settings=settings_for(schema)))
        count = len(entity_ids)
        queries.enqueue([job] * count, [entity_id.encode() for entity_id in entity_ids], [0] * count)


def enqueue_schedules(tx: Transaction, schema: str) -> None:
    """Have all schedules run once as soon as `tx` commits: time was moved, and what depends on it is due."""
    enqueue(tx, schema, RUN_SCHEDULES, "")


def list_held(tx: Transaction, schema: str) -> list[int]:
    """The oldest jobs that wait for a person, at most HELD_LIMIT."""
    query = qb.QueryQueueBuilder(settings=settings_for(schema)).build_list_failed_jobs_query(order="ASC")
    return [int(str(row["id"])) for row in _InTransaction(tx).fetch(query, HELD_LIMIT)]


def queue_held_again(tx: Transaction, tables: RuntimeTables, schema: str) -> int:
    """Queue what is held, a person having seen to its cause; how many jobs, at most HELD_LIMIT at once."""
    held = list_held(tx, schema)
    query = qb.QueryQueueBuilder(settings=settings_for(schema)).build_requeue_jobs_query()
    _InTransaction(tx).execute(query, held)
    tx.execute(delete(tables.job_tries).where(tables.job_tries.c.job.in_(held)))
    return len(held)


def settings_for(schema: str) -> DBSettings:
    """PgQueuer's names in a service's schema."""
    return DBSettings(db_schema=schema, channel=Channel(f"jobs_{schema}"))


def run_worker(
    url: str,
    database: Database,
    tables: RuntimeTables,
    handlers: Mapping[str, Callable[[str], None]],
    schedules: Mapping[str, Schedule],
    heartbeat_seconds: int,
) -> None:
    """Run jobs until SIGTERM or SIGINT; a job whose worker falls silent is run again by another."""
    asyncio.run(_work(url, database, tables, handlers, schedules, heartbeat_seconds))


async def _work(url, database, tables, handlers, schedules, heartbeat_seconds) -> None:  # type: ignore[no-untyped-def]
    parsed = make_url(url)
    dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    database.ping()
    connecting = psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS)
    async with await connecting as connection:
        queuer = _queuer(connection, database.schema)
        at_once = {RUN_SCHEDULES: lambda _: [schedule.run() for schedule in schedules.values()]}
        for name, handler in {**handlers, **at_once}.items():
            queuer.entrypoint(name, on_failure="hold", accepts_context=False)(_entrypoint(database, tables, handler))
        for name, schedule in schedules.items():
            queuer.schedule(name, schedule.expression, accepts_context=False)(_tick(name, schedule))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, queuer.shutdown.set)
        get_logger().info("worker ready", count=len(handlers))
        await queuer.run(
            dequeue_timeout=timedelta(seconds=POLL_SECONDS),
            batch_size=BATCH_SIZE,
            max_concurrent_tasks=2 * BATCH_SIZE,
            shutdown_on_listener_failure=True,
            heartbeat_timeout=timedelta(seconds=heartbeat_seconds),
        )


def _queuer(connection: psycopg.AsyncConnection, schema: str) -> PgQueuer:
    settings = settings_for(schema)
    driver = PsycopgDriver(connection)
    queries = Queries(
        driver,
        qbe=qb.QueryBuilderEnvironment(settings=settings),
        qbq=qb.QueryQueueBuilder(settings=settings),
        qbs=qb.QuerySchedulerBuilder(settings=settings),
    )
    return PgQueuer(driver, channel=Channel(settings.channel), queries=queries)


def _entrypoint(database: Database, tables: RuntimeTables, handler: Callable[[str], None]):  # type: ignore[no-untyped-def]
    async def run(job: QueuedJob) -> None:
        await asyncio.to_thread(_run_once, database, tables, handler, job)

    return run


def _run_once(database: Database, tables: RuntimeTables, handler: Callable[[str], None], job: QueuedJob) -> None:
    try:
        _run_counted(database, tables, handler, job)
    except (DatabaseUnavailable, DBAPIError) as error:
        # It could not be counted: no reason to hold the job for a person.
        get_logger().error("job not counted", job=job.entrypoint, job_id=int(job.id), error_type=type(error).__name__)
        raise RetryRequested(timedelta(seconds=MAX_DELAY_SECONDS)) from None


def _run_counted(database: Database, tables: RuntimeTables, handler: Callable[[str], None], job: QueuedJob) -> None:
    # Counted before it runs: a job that kills its worker must not come back for ever.
    tries = database.transact(_count_try, tables, int(job.id))
    if tries > MAX_TRIES:
        raise TooManyTries(job.entrypoint)
    try:
        handler((job.payload or b"").decode())
    except TryAgain as later:
        database.transact(_forget_tries, tables, int(job.id))
        raise RetryRequested(timedelta(seconds=later.seconds)) from None
    except Exception as error:
        delay = min(FIRST_DELAY_SECONDS * 2**tries, MAX_DELAY_SECONDS)
        level = "info" if isinstance(error, PeerUnavailable) else "error"
        log = getattr(get_logger(), level)
        kind, where = type(error).__name__, where_raised(error)
        log("job failed", job=job.entrypoint, job_id=int(job.id), tries=tries, error_type=kind, where=where)
        if tries == MAX_TRIES:
            raise TooManyTries(job.entrypoint) from None
        raise RetryRequested(timedelta(seconds=delay)) from None
    database.transact(_forget_tries, tables, int(job.id))


class TooManyTries(Exception):
    """The job is held: it failed, or its worker died, MAX_TRIES times."""


def _count_try(tx: Transaction, tables: RuntimeTables, job: int) -> int:
    counted = insert(tables.job_tries).values(job=job, tries=1)
    again = {"tries": tables.job_tries.c.tries + 1}
    return tx.execute(
        counted.on_conflict_do_update(index_elements=["job"], set_=again).returning(tables.job_tries.c.tries)
    ).scalar_one()


def _forget_tries(tx: Transaction, tables: RuntimeTables, job: int) -> None:
    tx.execute(delete(tables.job_tries).where(tables.job_tries.c.job == job))


def _tick(name: str, schedule: Schedule):  # type: ignore[no-untyped-def]
    async def run(_: object) -> None:
        try:
            await asyncio.to_thread(schedule.run)
        except Exception as error:
            # The next tick does the same work again; nothing is lost by this one's end.
            kind, where = type(error).__name__, where_raised(error)
            get_logger().error("schedule failed", job=name, error_type=kind, where=where)

    return run


class _InTransaction:
    """Lets PgQueuer write through our open transaction instead of a connection of its own."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = cast("psycopg.Connection[Any]", tx.connection.dbapi_connection)

    def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        cursor = RawCursor(self._connection, row_factory=dict_row)
        cursor.execute(query, args or None)
        return cursor.fetchall()

    def execute(self, query: str, *args: object) -> None:
        RawCursor(self._connection).execute(query, args)
