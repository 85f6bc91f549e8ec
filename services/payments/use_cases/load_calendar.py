"""Loads the calendar years that ship: the State Council's notices of 2023 to 2026, compared before each release."""

from datetime import datetime

from services.payments.gateways.holiday_notice import SOURCE, read_holiday_notice
from services.payments.store import calendar_years
from services.shared.runtime.database import Transaction

SHIPPED_YEARS = range(2023, 2027)
PROPOSED_BY = "chinesecalendar"
CONFIRMED_BY = "doudi release"


def load_calendar(tx: Transaction, now: datetime) -> int:
    """Load the shipped years that are absent; how many. A year that is there stays as two persons put it."""
    years = [read_holiday_notice(number) for number in SHIPPED_YEARS]
    return sum(calendar_years.insert_year(tx, year, SOURCE, PROPOSED_BY, CONFIRMED_BY, now) for year in years)
