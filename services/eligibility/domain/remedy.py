"""Until when a person may have a decision reviewed or go to court, counted from the day it was handed over."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from services.eligibility.domain.award import add_months

REVIEW_DAYS = 60
"""行政复议法 (2023) Art. 20: within sixty days of learning of the act; Social Assistance Law Art. 76 opens the way."""
SUIT_MONTHS = 6
"""行政诉讼法 (2017) Art. 46: within six months of learning of it."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """The last days for a review and for a suit; where the last day is a holiday, the first working day after it."""

    review_by: date
    suit_by: date


def remedy_from(handed_over_on: date) -> Remedy:
    """The last days where the decision was handed over on that day, which itself is not counted."""
    return Remedy(handed_over_on + timedelta(days=REVIEW_DAYS), _months_later(handed_over_on, SUIT_MONTHS))


def _months_later(day: date, months: int) -> date:
    first = add_months(day, months)
    # A month without that day ends the term on its last day (民法典 Art. 202).
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))
