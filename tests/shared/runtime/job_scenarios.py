"""A worker process with handlers that record their runs; `python -m tests.shared.runtime.job_scenarios record`."""

import os
import time

from sqlalchemy import text

from services.eligibility.store.tables import runtime_tables
from services.shared.runtime import jobs
from services.shared.runtime.database import Database

URL = os.environ["DOUDI_ELIGIBILITY_DATABASE_URL"]
database = Database(URL, "eligibility")


def record(entity: str) -> int:
    """Note a run and say the how-manieth it was."""

    def note(tx):
        tx.execute(text("insert into test_clock_runs (entity) values (:entity)"), {"entity": entity})
        query = text("select count(*) from test_clock_runs where entity = :entity")
        return tx.execute(query, {"entity": entity}).scalar_one()

    return database.transact(note)


def hang_once(entity: str) -> None:
    """The first run never ends."""
    if record(entity) == 1:
        time.sleep(600)


def fail_twice(entity: str) -> None:
    """The first two runs fail."""
    if record(entity) < 3:
        raise RuntimeError


if __name__ == "__main__":
    jobs.run_worker(
        URL, database, runtime_tables, {"record": record, "hang_once": hang_once, "fail_twice": fail_twice}, {}, 2
    )
