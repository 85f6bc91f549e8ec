"""A signal rule: what a record of a feed means, and by when somebody must have looked."""

import calendar
from dataclasses import dataclass
from datetime import date

GRADES = ("red", "orange", "yellow", "blue")


@dataclass(frozen=True, slots=True)
class Signal:
    """One rule of a pack. `deadline_working_days` is configuration; `limit_months` is the instrument's."""

    id: str
    feed: str
    direction: str
    title_zh: str
    title_en: str
    grade: str
    deadline_working_days: int
    deadline_source: str
    limit_months: int
    instrument: str
    article: str
    quote: str
    pack: str
    pack_version: str

    def limit_on(self, from_day: date) -> date:
        """The last day of the instrument's period that starts on `from_day` (see `months_after`)."""
        return months_after(from_day, self.limit_months)


def months_after(day: date, months: int) -> date:
    """The corresponding day `months` later, or that month's last day if it has none (Civil Code Art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
