"""What eligibility's worker does: deliver confirmed awards, simulate reforms over populations, seal the log."""

import importlib
import threading
from collections.abc import Callable, Mapping

from services.eligibility.domain.population_simulation import KEPT_FOR
from services.eligibility.store import population_simulations
from services.eligibility.use_cases.decide_award import AWARD_CONFIRMED
from services.eligibility.use_cases.fail_population_simulation import fail_population_simulation
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.eligibility.use_cases.request_population_simulation import JOB as SIMULATE_POPULATION
from services.eligibility.use_cases.send_award import send_award
from services.shared.policy.columns.extra import ExtraMissing, require_population_extra
from services.shared.runtime import outbox
from services.shared.runtime.clock import china_date
from services.shared.runtime.jobs import Schedule, TryAgain, run_worker
from services.shared.runtime.logs import get_logger, where_raised
from services.shared.runtime.sealing import sealing_schedule
from services.shared.runtime.service_app import Runtime
from services.shared.runtime.service_client import ServiceClient

KERNELS = "kernels"
"""Folder in the data folder: what was compiled for whole populations."""
BUSY_SECONDS = 1.0
"""So long a simulation waits for another one of this worker to end."""
FORGET_AT = "30 3 * * *"


def work(runtime: Runtime) -> None:
    """Run the worker until it is told to stop."""
    common, own = runtime.configuration.common, runtime.configuration.own
    payments = ServiceClient("payments", common.payments_url, runtime.name, own.signing_key_file)

    def deliver(message_id: str) -> None:
        outbox.deliver(runtime.database, runtime.tables, senders, runtime.now, message_id)

    senders = {AWARD_CONFIRMED: lambda message_id, award_id: send_award(runtime, payments, message_id, award_id)}
    run_worker(
        own.database_url.get_secret_value(),
        runtime.database,
        runtime.tables,
        {outbox.JOB: deliver, **_simulating(runtime)},
        {"seal_log": sealing_schedule(runtime), "forget_simulations": Schedule(FORGET_AT, lambda: _forget(runtime))},
        common.job_heartbeat_seconds,
    )


def _forget(runtime: Runtime) -> None:
    now = runtime.now()
    runtime.database.transact(population_simulations.forget_before, now - KEPT_FOR, now)


def _simulating(runtime: Runtime) -> Mapping[str, Callable[[str], None]]:
    """The job over populations; where this installation lacks what it needs, the job says so."""
    folder = runtime.configuration.own.populations_dir
    try:
        require_population_extra()
    except ExtraMissing as missing:
        text = missing.text

        def refuse(simulation_id: str) -> None:
            ended = (simulation_id, "population_extra_missing", text, runtime.now())
            runtime.database.transact(fail_population_simulation, *ended)

        return {SIMULATE_POPULATION: refuse}
    # What is for whole populations is loaded by the worker that simulates, and by nobody else.
    simulating = importlib.import_module("services.eligibility.use_cases.run_population_simulation")
    prepared = simulating.PreparedPopulations(runtime.configuration.common.data_dir / KERNELS)
    policy, one_at_a_time = PublishedPolicy(runtime.database), threading.Lock()

    def simulate(simulation_id: str) -> None:
        # A second one would only take the first one's time, and a thread that deliveries need.
        if not one_at_a_time.acquire(blocking=False):
            raise TryAgain(BUSY_SECONDS)
        try:
            simulating.run_population_simulation(runtime, policy, prepared, folder, simulation_id)
        finally:
            one_at_a_time.release()

    def warm() -> None:
        try:
            prepared.of(policy.current(), china_date(runtime.now()))
        except Exception as error:
            # The first simulation will say what is wrong; the worker has other work.
            get_logger().error("not prepared", error_type=type(error).__name__, where=where_raised(error))

    if folder is not None:
        threading.Thread(target=warm, name="prepare populations", daemon=True).start()
    return {SIMULATE_POPULATION: simulate}
