"""A hold after a death record: bounded, answered by people, and never the end of anybody's aid by itself."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.payments.domain.share import split_share
from services.shared.vocabulary.calendar import WorkingDays


class HoldState(StrEnum):
    """OPEN waits for an answer, ANSWERED for the second person; the other three are final."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    RELEASED = "RELEASED"
    STOPPED = "STOPPED"
    LAPSED = "LAPSED"


class HoldAnswer(StrEnum):
    """What the county found: the payment is right, or it must stop."""

    PAY = "pay"
    STOP = "stop"


class HoldStepRefused(Exception):
    """The hold is not in a state that allows this."""

    def __init__(self, state: HoldState, wanted: str) -> None:
        super().__init__(f"a hold in {state} cannot be {wanted}")
        self.state = state
        self.wanted = wanted


class SamePersonAnswersTwice(Exception):
    """The person who answered may not confirm."""


@dataclass(frozen=True, slots=True)
class HoldRule:
    """How long a hold may last, in working days of the county, and which office must answer it."""

    answer_within_working_days: int
    answered_by: str

    def __post_init__(self) -> None:
        if self.answer_within_working_days < 1:
            raise ValueError("a hold leaves at least one working day for its answer")


@dataclass(frozen=True, slots=True)
class HeldAmounts:
    """The part of a line that waits and the part that is paid on time, in fen."""

    held_fen: int
    payable_fen: int


def held_amounts(amount_fen: int, members: int, dead: int = 1) -> HeldAmounts:
    """Only the dead persons' equal share of a family's line is held; a person who lived alone has all of it held."""
    return HeldAmounts(*split_share(amount_fen, members, dead))


def answer_by(rule: HoldRule, placed_on: date, working_days: WorkingDays) -> date:
    """The last day for the county's answer. Raises CalendarYearMissing rather than guess it."""
    return working_days.add_working_days(placed_on, rule.answer_within_working_days)


def is_overdue(state: HoldState, answer_by: date | None, today: date) -> bool:
    """Whether the county is late, however the hold ended; nobody is late for a day that is not known (None)."""
    if answer_by is None:
        return False
    return state in (HoldState.OPEN, HoldState.ANSWERED, HoldState.LAPSED) and today > answer_by


def check_answerable(state: HoldState) -> None:
    """Raises HoldStepRefused unless the hold waits for its first answer."""
    if state is not HoldState.OPEN:
        raise HoldStepRefused(state, "answered")


def state_confirmed(
    state: HoldState, answer: HoldAnswer | None, answered_by: str | None, confirmed_by: str
) -> HoldState:
    """The final state once a second person confirms the answer.

    Raises HoldStepRefused when there is no answer to confirm, SamePersonAnswersTwice for one person in both parts.
    """
    if state is not HoldState.ANSWERED or answer is None:
        raise HoldStepRefused(state, "confirmed")
    if answered_by == confirmed_by:
        raise SamePersonAnswersTwice("the person who answered a hold may not confirm it")
    return HoldState.RELEASED if answer is HoldAnswer.PAY else HoldState.STOPPED
