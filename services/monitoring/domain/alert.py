"""An alert: that a record concerns somebody's aid, which rule says so, and what payments answered."""

from dataclasses import dataclass
from datetime import date, datetime

HELD = "HELD"
NOT_ON_ROLL = "NOT_ON_ROLL"
OUTCOMES = frozenset({HELD, NOT_ON_ROLL})
RAISED = "RAISED"
"""The state before payments has answered; then the state is the outcome."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One person and one rule: raised once, whatever is sent again. `region` is where its sender is registered."""

    id: str
    rule_id: str
    pack: str
    pack_version: str
    grade: str
    deadline_working_days: int
    limit_on: date
    death_record_id: str
    batch_id: str
    region: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A payment line that payments holds back, and the day by which somebody must answer."""

    id: str
    answer_by: date | None


@dataclass(frozen=True, slots=True)
class PaymentsAnswer:
    """What payments did about an alert."""

    outcome: str
    holds: tuple[Hold, ...]
