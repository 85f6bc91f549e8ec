"""What a rise of standards after the fact changes: each month evaluated anew, beside what was granted for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.eligibility.domain.answer import Answer
from services.eligibility.domain.award import add_months, month_of
from services.shared.vocabulary.money import fen_of

MAX_MONTHS = 36
"""An award lasts no longer."""

Entitled = tuple[str, str]
"""A programme and its subject."""


class NothingGranted(Exception):
    """The determination grants no monthly amount, so no month can have come to less than was due."""


class MonthsWrong(Exception):
    """The months do not lie between the first that was granted and the present one, or there are too many."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a determination granted a subject, in fen a month from the first month on."""

    monthly_fen: int
    first_month: date


@dataclass(frozen=True, slots=True)
class Line:
    """One subject's month under one programme; `after_fen` is None where it cannot be told what was due."""

    programme: str
    subject: str
    before_fen: int
    after_fen: int | None
    missing: tuple[str, ...] = ()

    @property
    def difference_fen(self) -> int:
        """What is still due for the month; below nothing where less was due than was granted."""
        return 0 if self.after_fen is None else self.after_fen - self.before_fen


@dataclass(frozen=True, slots=True)
class MonthAnew:
    """One month under the packs that are in force now for its first day."""

    month: date
    packs: tuple[Mapping[str, str], ...]
    lines: tuple[Line, ...]


def grants_of(answer: Mapping[str, Any]) -> dict[Entitled, Grant]:
    """What a recorded answer grants monthly. Raises NothingGranted when that is nothing."""
    granted = {
        (result["programme"], result["subject"]): Grant(fen_of(result["monthly"]), month_of(result["from"]))
        for result in answer["results"]
        if result["outcome"] == "eligible" and "monthly" in result
    }
    if not granted:
        raise NothingGranted
    return granted


def months_between(granted: Mapping[Entitled, Grant], first: date, until: date, today: date) -> tuple[date, ...]:
    """The months from `first` on, before `until`. Raises MonthsWrong, since no month ahead is paid short."""
    count = (until.year - first.year) * 12 + until.month - first.month
    earliest = min(grant.first_month for grant in granted.values())
    if not 0 < count <= MAX_MONTHS or first < earliest or add_months(until, -1) > today:
        raise MonthsWrong
    return tuple(add_months(first, number) for number in range(count))


def month_anew(granted: Mapping[Entitled, Grant], month: date, evaluate: Callable[[date], Answer]) -> MonthAnew:
    """The month's lines: what was granted, and what is due by law and figures as they are known now.

    Figures count as they are in force on the month's first day; the facts are those of the determination.
    """
    answer = evaluate(month)
    return MonthAnew(month, answer.packs, tuple(_lines(granted, month, answer)))


def _lines(granted: Mapping[Entitled, Grant], month: date, answer: Answer) -> Iterator[Line]:
    for result in answer.results:
        grant = granted.get((result.programme, result.subject))
        before = grant.monthly_fen if grant is not None and month >= grant.first_month else 0
        if result.outcome == "undetermined":
            if before:
                missing = (*result.missing_facts, *result.missing_parameters)
                yield Line(result.programme, result.subject, before, None, missing)
        elif before or result.monthly_fen:
            yield Line(result.programme, result.subject, before, result.monthly_fen or 0)


def rises_and_falls(months: Sequence[MonthAnew]) -> tuple[int, int]:
    """What is still due in all, and by how much other months were granted too much; neither is set against the other.

    A fall is never taken back by a computation: the household is heard first (Law Art. 48).
    """
    differences = [line.difference_fen for month in months for line in month.lines]
    rises = sum(fen for fen in differences if fen > 0)
    return rises, rises - sum(differences)
