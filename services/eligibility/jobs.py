"""What eligibility's worker does: deliver confirmed awards, and seal the log."""

from services.eligibility.use_cases.decide_award import AWARD_CONFIRMED
from services.eligibility.use_cases.send_award import send_award
from services.shared.runtime import outbox
from services.shared.runtime.jobs import run_worker
from services.shared.runtime.sealing import sealing_schedule
from services.shared.runtime.service_app import Runtime
from services.shared.runtime.service_client import ServiceClient


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
        {outbox.JOB: deliver},
        {"seal_log": sealing_schedule(runtime)},
        common.job_heartbeat_seconds,
    )
