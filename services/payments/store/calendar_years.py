"""Calendar years that two persons put in: the only source of working days."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.payments.store.tables import calendar_years
from services.shared.runtime.database import Transaction
from services.shared.vocabulary.calendar import CalendarYear, WorkingDays


def insert_year(
    tx: Transaction, year: CalendarYear, source: str, proposed_by: str, confirmed_by: str, now: datetime
) -> bool:
    """Load a year; False when it is there already, whatever its content. The database refuses one person in both."""
    row = {
        "year": year.year,
        "rest_days": sorted(year.rest_days),
        "make_up_days": sorted(year.make_up_days),
        "source": source,
        "proposed_by": proposed_by,
        "confirmed_by": confirmed_by,
        "loaded_at": now,
    }
    loaded = insert(calendar_years).values(row).on_conflict_do_nothing(index_elements=["year"])
    return tx.execute(loaded.returning(calendar_years.c.year)).first() is not None


def find_working_days(tx: Transaction) -> WorkingDays:
    """The calendar of every year loaded; asking it about another year is an error."""
    query = select(calendar_years.c.year, calendar_years.c.rest_days, calendar_years.c.make_up_days)
    years = tx.execute(query.order_by(calendar_years.c.year)).all()
    return WorkingDays.of(CalendarYear(y.year, frozenset(y.rest_days), frozenset(y.make_up_days)) for y in years)
