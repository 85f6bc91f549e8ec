"""Monitoring's work behind the scenes: telling payments of alerts, and sealing the log."""

from collections.abc import Callable, Mapping

from services.monitoring.domain.death_batch import FEED
from services.monitoring.domain.signal import Signal
from services.monitoring.gateways.payments_service import send_death_alert
from services.monitoring.store import alerts
from services.monitoring.use_cases.receive_death_batch import DEATH_ALERT
from services.monitoring.use_cases.record_payments_answer import record_payments_answer
from services.shared.runtime import audit, outbox
from services.shared.runtime.database import Transaction
from services.shared.runtime.jobs import Schedule
from services.shared.runtime.service_app import Runtime
from services.shared.runtime.service_client import ServiceClient

EVERY_TWO_SECONDS = "* * * * * */2"


def handlers(
    runtime: Runtime, payments: ServiceClient, signals: Mapping[str, Signal]
) -> Mapping[str, Callable[[str], None]]:
    """The worker's jobs by their names."""
    senders: Mapping[str, outbox.Send] = {DEATH_ALERT: _death_alert_sender(runtime, payments, signals[FEED])}

    def deliver(message_id: str) -> None:
        outbox.deliver(runtime.database, runtime.tables, senders, runtime.now, message_id)

    return {outbox.JOB: deliver}


def schedules(runtime: Runtime) -> Mapping[str, Schedule]:
    """The worker's work that returns."""

    def seal_log() -> None:
        while runtime.database.transact(audit.seal, runtime.tables):
            pass
        runtime.database.transact(
            audit.sign_checkpoint, runtime.tables, runtime.log_origin, runtime.log_key, runtime.now()
        )

    return {"seal_log": Schedule(EVERY_TWO_SECONDS, seal_log)}


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
