"""Periods of law and of figures: half-open spans of dates, and dates as the numbers that rules compute with."""

from dataclasses import dataclass
from datetime import date

MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class Period:
    """From a date on, until a date that no longer belongs to it; no end when `until` is None."""

    from_on: date
    until_on: date | None = None

    def contains(self, day: date) -> bool:
        """Whether `day` lies in the period."""
        return self.from_on <= day and (self.until_on is None or day < self.until_on)


def same_day_next_year(day: date) -> date:
    """Twelve months later; 29 February becomes 1 March, so that the twelve months are whole."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 3, 1)


def next_month(day: date) -> str:
    """The calendar month after the one of `day`, as "2023-09"."""
    months = day.year * MONTHS_PER_YEAR + day.month
    return f"{months // MONTHS_PER_YEAR:04d}-{months % MONTHS_PER_YEAR + 1:02d}"


def date_number(day: date) -> int:
    """2023-08-01 as 20230801: numbers of this kind order as dates do, and their difference // 10000 is an age."""
    return day.year * 10_000 + day.month * 100 + day.day


def date_text(day: int) -> str:
    """A date number in ISO 8601."""
    return f"{day // 10_000:04d}-{day // 100 % 100:02d}-{day % 100:02d}"


def full_years(earlier: int, later: int) -> int:
    """Full years between two date numbers, `earlier` not after `later`; a year is full on the anniversary."""
    return (later - earlier) // 10_000


def full_months(earlier: int, later: int) -> int:
    """Full months between two date numbers, `earlier` not after `later`."""
    months = (later // 10_000 - earlier // 10_000) * MONTHS_PER_YEAR + later // 100 % 100 - earlier // 100 % 100
    return months - (later % 100 < earlier % 100)
