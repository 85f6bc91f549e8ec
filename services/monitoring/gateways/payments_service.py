"""The payments service: told of a death, it holds what would be paid."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.monitoring.domain.alert import OUTCOMES, Hold, PaymentsAnswer
from services.monitoring.domain.signal import Signal
from services.shared.runtime.service_client import PeerUnavailable, ServiceClient

DEATH_ALERTS = "/payments/v1/death-alerts"
MOST_HOLDS = 100


def send_death_alert(
    client: ServiceClient, message_id: str, alert_id: str, id_number: str, died_on: date, source: str, signal: Signal
) -> PaymentsAnswer:
    """What payments did; the same message sent again is applied once, since its id is the idempotency key.

    Raises PeerUnavailable when it should be sent again (also for an answer that cannot be read), PeerRefused if not.
    """
    body = {
        "alert_id": alert_id,
        "id_number": id_number,
        "died_on": died_on.isoformat(),
        "source": source,
        "rule": {"id": signal.id, "instrument": signal.instrument, "article": signal.article},
    }
    answer = client.post(DEATH_ALERTS, body, message_id)
    try:
        return _answer(answer)
    except (KeyError, TypeError, ValueError):
        raise PeerUnavailable(client.peer) from None


def _answer(answer: Mapping[str, Any]) -> PaymentsAnswer:
    holds = answer.get("holds", [])
    if answer["outcome"] not in OUTCOMES or len(holds) > MOST_HOLDS:
        raise ValueError("not an answer to a death alert")
    return PaymentsAnswer(answer["outcome"], tuple(_hold(hold) for hold in holds))


def _hold(hold: Mapping[str, Any]) -> Hold:
    answer_by = hold.get("answer_by")
    return Hold(str(hold["id"]), None if answer_by is None else date.fromisoformat(answer_by))
