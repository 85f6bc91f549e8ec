"""The day by which a line must be on the payee's account."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.shared.vocabulary.calendar import WorkingDays


class DueTerms(StrEnum):
    """How the day is found."""

    LAST_WORKING_DAY_UNTIL = "last_working_day_until"
    AT_ONCE = "at_once"


class DueRuleMissing(LookupError):
    """No pack says when this programme is paid, so nothing is scheduled."""

    def __init__(self, programme: str) -> None:
        super().__init__(f"no due day rule for programme {programme}")
        self.programme = programme


@dataclass(frozen=True, slots=True)
class DueRule:
    """When one programme is paid, and by which text. `day_of_month` belongs to LAST_WORKING_DAY_UNTIL alone (1 to 28).

    Raises ValueError when terms and day contradict.
    """

    programme: str
    terms: DueTerms
    day_of_month: int | None
    instrument: str
    article: str

    def __post_init__(self) -> None:
        if (self.terms is DueTerms.LAST_WORKING_DAY_UNTIL) != (self.day_of_month is not None):
            raise ValueError(f"the due rule of {self.programme} needs a day of the month exactly when it is monthly")
        if self.day_of_month is not None and not 1 <= self.day_of_month <= 28:
            raise ValueError(f"the due day of {self.programme} is 1 to 28, so that every month has it")


def due_on(rule: DueRule, owed_from: date, working_days: WorkingDays) -> date:
    """The due day: for a month (`owed_from` is its first day) the last working day up to the rule's day of that month;
    for a grant that is paid at once, the very day.

    Raises CalendarYearMissing when the notice of that year is not loaded: the day is never guessed.
    """
    if rule.day_of_month is None:
        return owed_from
    return working_days.last_working_day_until(owed_from.replace(day=rule.day_of_month))
