"""Working days of the years whose official notice is known: explicit data, never a guess."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

# The longest run without work on record is ten days; a month is far beyond any real calendar.
LONGEST_REST_DAYS = 31
LONGEST_SPAN_WORKING_DAYS = 2_000

_ONE_DAY = timedelta(days=1)
_FRIDAY = 4


class CalendarYearMissing(LookupError):
    """The official working days of a year are not loaded, so nothing that needs them can be said."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the working days of {year} are not loaded")
        self.year = year


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """One year of the State Council's notice: weekdays without work, and weekend days with work (调休).

    Raises ValueError when a day lies outside the year, a rest day is a weekend or a make-up day is a weekday.
    """

    year: int
    rest_days: frozenset[date]
    make_up_days: frozenset[date]

    def __post_init__(self) -> None:
        if any(day.year != self.year for day in self.rest_days | self.make_up_days):
            raise ValueError(f"calendar {self.year} names a day of another year")
        if any(_is_weekend(day) for day in self.rest_days):
            raise ValueError(f"calendar {self.year} lists a weekend day as a rest day")
        if not all(_is_weekend(day) for day in self.make_up_days):
            raise ValueError(f"calendar {self.year} lists a weekday as a make-up day")


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Which days are worked, for the given years and no other."""

    years: frozenset[int]
    rest_days: frozenset[date]
    make_up_days: frozenset[date]

    @classmethod
    def of(cls, years: Iterable[CalendarYear]) -> "WorkingDays":
        """The calendar of several years. Raises ValueError when a year is given twice."""
        listed = tuple(years)
        numbers = frozenset(year.year for year in listed)
        if len(numbers) != len(listed):
            raise ValueError("a calendar year is given twice")
        return cls(
            numbers,
            frozenset().union(*(year.rest_days for year in listed)),
            frozenset().union(*(year.make_up_days for year in listed)),
        )

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on `day`. Raises CalendarYearMissing outside the years loaded."""
        if day.year not in self.years:
            raise CalendarYearMissing(day.year)
        return day in self.make_up_days or (not _is_weekend(day) and day not in self.rest_days)

    def last_working_day_until(self, day: date) -> date:
        """The latest working day not after `day`. Raises CalendarYearMissing when it needs a year not loaded."""
        for back in range(LONGEST_REST_DAYS):
            candidate = day - back * _ONE_DAY
            if self.is_working_day(candidate):
                return candidate
        raise ValueError(f"no working day in the {LONGEST_REST_DAYS} days until {day}")

    def first_working_day_from(self, day: date) -> date:
        """The first working day not before `day`. Raises CalendarYearMissing when it needs a year not loaded."""
        for ahead in range(LONGEST_REST_DAYS):
            candidate = day + ahead * _ONE_DAY
            if self.is_working_day(candidate):
                return candidate
        raise ValueError(f"no working day in the {LONGEST_REST_DAYS} days from {day}")

    def add_working_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, which itself is not counted; `day` when `count` is 0.

        Raises CalendarYearMissing when the search leaves the years loaded, ValueError for a count below 0 or beyond
        LONGEST_SPAN_WORKING_DAYS.
        """
        if not 0 <= count <= LONGEST_SPAN_WORKING_DAYS:
            raise ValueError(f"a span of working days is 0 to {LONGEST_SPAN_WORKING_DAYS}")
        reached = day
        for _ in range(count):
            reached = self.first_working_day_from(reached + _ONE_DAY)
        return reached


def _is_weekend(day: date) -> bool:
    return day.weekday() > _FRIDAY
