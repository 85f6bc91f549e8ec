"""Monitoring's work behind the scenes: telling payments of alerts, and sealing the log."""

from collections.abc import Mapping

from services.monitoring.domain.death_batch import FEED
from services.monitoring.domain.signal import Signal
from services.monitoring.gateways.payments_service import send_death_alert
from services.monitoring.gateways.policy_pack import read_signals
from services.monitoring.store import alerts
from services.monitoring.use_cases.receive_death_batch import DEATH_ALERT
from services.monitoring.use_cases.record_payments_answer import record_payments_answer
from services.shared.runtime import outbox
from services.shared.runtime.database import Transaction
from services.shared.runtime.jobs import run_worker
from services.shared.runtime.sealing import sealing_schedule
from services.shared.runtime.service_app import Runtime
from services.shared.runtime.service_client import ServiceClient


def work(runtime: Runtime) -> None:
    """Run the worker until it is told to stop."""
    common, own = runtime.configuration.common, runtime.configuration.own
    payments = ServiceClient("payments", common.payments_url, runtime.name, own.signing_key_file)
    senders: Mapping[str, outbox.Send] = {DEATH_ALERT: _death_alert_sender(runtime, payments, read_signals()[FEED])}

    def deliver(message_id: str) -> None:
        outbox.deliver(runtime.database, runtime.tables, senders, runtime.now, message_id)

    run_worker(
        own.database_url.get_secret_value(),
        runtime.database,
        runtime.tables,
        {outbox.JOB: deliver},
        {"seal_log": sealing_schedule(runtime)},
        common.job_heartbeat_seconds,
    )


def _death_alert_sender(runtime: Runtime, payments: ServiceClient, signal: Signal) -> outbox.Send:
    def send(message_id: str, alert_id: str) -> outbox.OnAnswer:
        listed = runtime.database.read(alerts.find_alert, alert_id)
        assert listed is not None  # the message was written in the alert's own transaction
        record = listed.record
        # Opened here and nowhere kept: the number lies sealed in the store, and in no message.
        id_number = record.id_number(runtime.personal_data)
        answer = send_death_alert(payments, message_id, alert_id, id_number, record.died_on, record.source, signal)

        def on_answer(tx: Transaction) -> None:
            record_payments_answer(tx, alert_id, answer, runtime.now())

        return on_answer

    return send
