"""A hold stops only what it must, for a bounded time, and ends aid only by two persons' word."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.domain.award import Award, AwardInvalid
from services.payments.domain.end_to_end_id import PaymentKind
from services.payments.domain.hold import (
    HeldAmounts,
    HoldAnswer,
    HoldState,
    HoldStepRefused,
    SamePersonAnswersTwice,
    answer_by,
    check_answerable,
    held_amounts,
    is_overdue,
    state_confirmed,
)
from services.payments.domain.share import split_share
from services.payments.gateways.holiday_notice import read_holiday_notice
from services.payments.gateways.policy_pack import read_payment_pack
from services.shared.vocabulary.calendar import WorkingDays

RULE = read_payment_pack().hold_rule
DAYS = WorkingDays.of([read_holiday_notice(2025)])
LAST_DAY = date(2025, 8, 13)


@given(st.integers(1, 10**14), st.integers(1, 99), st.data())
def test_no_fen_is_lost_or_made_in_a_split(amount_fen: int, persons: int, data: st.DataObject) -> None:
    affected = data.draw(st.integers(1, persons))
    share_fen, rest_fen = split_share(amount_fen, persons, affected)
    assert share_fen + rest_fen == amount_fen
    assert 0 <= share_fen * persons <= amount_fen * affected
    assert amount_fen * affected - share_fen * persons < persons


@pytest.mark.parametrize("arguments", [(0, 1, 1), (-1, 1, 1), (1, 0, 1), (1, 2, 0), (1, 2, 3)])
def test_an_impossible_split_is_refused(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"split|persons"):
        split_share(*arguments)


def test_who_lived_alone_has_all_held_and_a_family_the_share() -> None:
    assert held_amounts(115_500, 1) == HeldAmounts(115_500, 0)
    assert held_amounts(102_000, 3) == HeldAmounts(34_000, 68_000)
    assert held_amounts(100, 3) == HeldAmounts(33, 67)  # the odd fen stays with the family


def test_the_county_has_five_working_days() -> None:
    assert answer_by(RULE, date(2025, 8, 6), DAYS) == LAST_DAY
    assert RULE.answered_by == "county_civil_affairs"


@pytest.mark.parametrize(
    ("state", "today", "overdue"),
    [
        (HoldState.OPEN, LAST_DAY, False),
        (HoldState.LAPSED, date(2025, 8, 14), True),
        (HoldState.ANSWERED, date(2025, 8, 14), True),
        (HoldState.RELEASED, date(2025, 8, 14), False),
    ],
)
def test_lateness_shows(state: HoldState, today: date, overdue: bool) -> None:
    assert is_overdue(state, LAST_DAY, today) is overdue
    assert not is_overdue(state, None, today)


def test_the_answer_takes_two_persons() -> None:
    check_answerable(HoldState.OPEN)
    with pytest.raises(HoldStepRefused):
        check_answerable(HoldState.LAPSED)
    assert state_confirmed(HoldState.ANSWERED, HoldAnswer.STOP, "li", "wang") is HoldState.STOPPED
    assert state_confirmed(HoldState.ANSWERED, HoldAnswer.PAY, "li", "wang") is HoldState.RELEASED
    with pytest.raises(SamePersonAnswersTwice):
        state_confirmed(HoldState.ANSWERED, HoldAnswer.STOP, "li", "li")
    with pytest.raises(HoldStepRefused):
        state_confirmed(HoldState.OPEN, None, None, "wang")


def award(**changes: object) -> Award:
    values = {
        "id": "award_1",
        "programme": "dibao",
        "region": "420100",
        "kind": PaymentKind.REGULAR,
        "amount_fen": 102_000,
        "starts_on": date(2023, 9, 1),
        "ends_on": None,
        "members": 3,
    }
    return Award(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("until", "ends_on", "months"),
    [
        (date(2023, 8, 1), None, ["2023-09-01"]),
        (date(2023, 9, 30), None, ["2023-09-01"]),
        (date(2023, 10, 1), None, ["2023-09-01", "2023-10-01"]),
        (date(2024, 1, 15), None, ["2023-09-01", "2023-10-01", "2023-11-01", "2023-12-01", "2024-01-01"]),
        (date(2024, 1, 15), date(2023, 11, 1), ["2023-09-01", "2023-10-01"]),
    ],
)
def test_months_missed_are_still_owed(until: date, ends_on: date | None, months: list[str]) -> None:
    assert award(ends_on=ends_on).months_owed(until) == tuple(map(date.fromisoformat, months))


def test_a_one_off_owes_once() -> None:
    advance = award(kind=PaymentKind.ONE_OFF, starts_on=date(2026, 3, 1), members=1)
    assert advance.months_owed(date(2027, 3, 1)) == (date(2026, 3, 1),)


@pytest.mark.parametrize(("stopped", "amount_fen"), [(0, 102_000), (1, 68_000), (2, 34_000), (3, 0), (4, 0)])
def test_a_stopped_share_leaves_the_others_theirs(stopped: int, amount_fen: int) -> None:
    assert award().amount_without(stopped) == amount_fen


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_fen": 0},
        {"members": 0},
        {"members": 100},
        {"starts_on": date(2023, 9, 2)},
        {"ends_on": date(2024, 1, 2)},
        {"ends_on": date(2023, 9, 1)},
    ],
)
def test_an_award_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(AwardInvalid):
        award(**changes)
