"""Writes down what payments answered to an alert, once."""

from datetime import datetime

from services.monitoring.domain.alert import PaymentsAnswer
from services.monitoring.store import alerts
from services.monitoring.store.tables import runtime_tables
from services.shared.runtime import audit
from services.shared.runtime.database import Transaction


def record_payments_answer(tx: Transaction, alert_id: str, answer: PaymentsAnswer, now: datetime) -> None:
    """Keep the answer and its audit event; a message delivered twice changes nothing."""
    if alerts.insert_answer(tx, alert_id, answer, now):
        event = audit.Event(now, "monitoring/worker", "alert_answered", "alert", alert_id)
        audit.append(tx, runtime_tables, event, {"outcome": answer.outcome, "holds": len(answer.holds)})
