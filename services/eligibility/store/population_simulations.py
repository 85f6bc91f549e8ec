"""Simulations over populations: what was asked, and how far each run is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from services.eligibility.domain.population_simulation import (
    DONE,
    FAILED,
    FORGOTTEN,
    OPEN_STATES,
    RUNNING,
    WAITING,
)
from services.eligibility.store.tables import population_simulation_runs as runs
from services.eligibility.store.tables import population_simulations as simulations
from services.shared.runtime.database import Transaction

REQUESTING_LOCK = 0x0D0D5
"""The advisory lock of who adds a simulation, so that their number is bounded."""
FORGET_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class PopulationSimulation:
    """What was asked: the reform over a population as its file was then, by the packs that were in force."""

    id: str
    population: str
    identity: str
    as_of: date
    region_level: str
    reform: Mapping[str, Any]
    packs: Sequence[Mapping[str, str]]
    requested_by: str
    event_id: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """How far it is; `report` is the JSON of the figures so far, or of the whole when it is done."""

    state: str
    attempt: int
    rows_done: int
    rows_total: int | None
    report: bytes | None
    problem: Mapping[str, Any] | None
    changed_at: datetime


def insert_simulation(tx: Transaction, simulation: PopulationSimulation) -> None:
    """Record what was asked, waiting to be run."""
    columns = PopulationSimulation.__dataclass_fields__
    tx.execute(insert(simulations).values({name: getattr(simulation, name) for name in columns}))
    run = {"simulation": simulation.id, "state": WAITING, "changed_at": simulation.requested_at}
    tx.execute(insert(runs).values(run))


def count_open(tx: Transaction) -> int:
    """How many wait or run; who asks next waits until this transaction ends."""
    tx.execute(select(func.pg_advisory_xact_lock(REQUESTING_LOCK)))
    return tx.execute(select(func.count()).where(runs.c.state.in_(OPEN_STATES))).scalar_one()


def find_simulation(tx: Transaction, simulation_id: str) -> PopulationSimulation | None:
    """The simulation of that id, if there is one."""
    row = tx.execute(select(simulations).where(simulations.c.id == simulation_id)).mappings().first()
    return None if row is None else PopulationSimulation(**row)


def find_run(tx: Transaction, simulation_id: str) -> Run | None:
    """How far the simulation of that id is."""
    columns = [runs.c[name] for name in Run.__dataclass_fields__]
    row = tx.execute(select(*columns).where(runs.c.simulation == simulation_id)).mappings().first()
    return None if row is None else Run(**row)


def find_losers(tx: Transaction, simulation_id: str) -> bytes | None:
    """The kept list of losers, when it is done."""
    return tx.execute(select(runs.c.losers).where(runs.c.simulation == simulation_id)).scalar()


def begin_run(tx: Transaction, simulation_id: str, now: datetime) -> int | None:
    """Take the simulation up, from the first row; the number of the attempt, or None where it has ended."""
    begun = (
        update(runs)
        .where(runs.c.simulation == simulation_id, runs.c.state.in_(OPEN_STATES))
        .values(state=RUNNING, attempt=runs.c.attempt + 1, rows_done=0, report=None, changed_at=now)
    )
    return tx.execute(begun.returning(runs.c.attempt)).scalar()


def record_progress(
    tx: Transaction, simulation_id: str, attempt: int, rows: tuple[int, int], report: bytes, now: datetime
) -> bool:
    """Write (done, total) rows and what they come to; False where another worker has taken it up since."""
    values = {"rows_done": rows[0], "rows_total": rows[1], "report": report}
    return _change(tx, simulation_id, attempt, now, **values)


def record_end(
    tx: Transaction,
    simulation_id: str,
    attempt: int,
    rows: tuple[int, int],
    report: bytes,
    losers: bytes,
    now: datetime,
) -> bool:
    """Write the whole report; False as `record_progress` says it."""
    values = {"rows_done": rows[0], "rows_total": rows[1], "report": report, "losers": losers}
    return _change(tx, simulation_id, attempt, now, state=DONE, **values)


def record_failure(
    tx: Transaction, simulation_id: str, attempt: int, problem: Mapping[str, Any], now: datetime
) -> bool:
    """Write why there will be no report: figures of a part are no figures of the whole, and are dropped."""
    return _change(tx, simulation_id, attempt, now, state=FAILED, problem=dict(problem), report=None)


def forget_before(tx: Transaction, moment: datetime, now: datetime) -> int:
    """Drop reports and lists of what ended before a moment, at most FORGET_LIMIT at once; how many."""
    old = select(runs.c.simulation).where(runs.c.state == DONE, runs.c.changed_at < moment).limit(FORGET_LIMIT)
    forgotten = update(runs).where(runs.c.simulation.in_(old))
    values = {"state": FORGOTTEN, "report": None, "losers": None, "changed_at": now}
    return len(tx.execute(forgotten.values(**values).returning(runs.c.simulation)).all())


def _change(tx: Transaction, simulation_id: str, attempt: int, now: datetime, **values: Any) -> bool:
    mine = (runs.c.simulation == simulation_id, runs.c.attempt == attempt, runs.c.state == RUNNING)
    changed = update(runs).where(*mine).values(**values, changed_at=now).returning(runs.c.simulation)
    return tx.execute(changed).first() is not None
