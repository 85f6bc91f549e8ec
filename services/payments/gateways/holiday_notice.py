"""The State Council's yearly holiday notices, as the package chinesecalendar transcribes them."""

from datetime import date, timedelta

import chinese_calendar
from chinese_calendar.constants import holidays

from services.shared.vocabulary.calendar import CalendarYear, CalendarYearMissing

SOURCE = "国务院办公厅关于部分节假日安排的通知"
_FRIDAY = 4


def published_years() -> range:
    """The years whose notice the installed package holds."""
    years = {day.year for day in holidays}
    return range(min(years), max(years) + 1)


def read_holiday_notice(year: int) -> CalendarYear:
    """Rest days and make-up days of `year`. Raises CalendarYearMissing when the package has no notice of that year."""
    if year not in published_years():
        raise CalendarYearMissing(year)
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    worked = {day for day in days if chinese_calendar.is_workday(day)}
    return CalendarYear(
        year,
        rest_days=frozenset(day for day in days if day.weekday() <= _FRIDAY and day not in worked),
        make_up_days=frozenset(day for day in days if day.weekday() > _FRIDAY and day in worked),
    )
