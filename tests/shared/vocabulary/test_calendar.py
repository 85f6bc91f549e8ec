"""Working days: the published vectors, both sides of each bound, and the refusal to guess a year."""

from datetime import date

import pytest

from services.payments.gateways.holiday_notice import published_years, read_holiday_notice
from services.shared.vocabulary.calendar import CalendarYear, CalendarYearMissing, WorkingDays

KNOWN = WorkingDays.of(map(read_holiday_notice, range(2023, 2027)))
# 2027 as its statutory days would have it; the notice with the make-up days has not appeared.
EXPECTED_2027 = CalendarYear(
    2027,
    frozenset(
        date.fromisoformat(day)
        for day in [
            "2027-01-01",
            "2027-02-05",
            "2027-02-08",
            "2027-02-09",
            "2027-02-10",
            "2027-10-01",
            "2027-10-04",
            "2027-10-05",
            "2027-10-06",
            "2027-10-07",
        ]
    ),
    frozenset(),
)


@pytest.mark.parametrize(
    ("tenth", "paid_by"),
    [
        ("2024-02-10", "2024-02-09"),
        ("2025-05-10", "2025-05-09"),
        ("2025-08-10", "2025-08-08"),
        ("2026-01-10", "2026-01-09"),
        ("2026-05-10", "2026-05-09"),  # a Saturday worked in lieu
        ("2026-10-10", "2026-10-10"),  # itself a worked Saturday
        ("2023-09-10", "2023-09-08"),
    ],
)
def test_last_working_day_by_the_published_notices(tenth: str, paid_by: str) -> None:
    assert KNOWN.last_working_day_until(date.fromisoformat(tenth)) == date.fromisoformat(paid_by)


@pytest.mark.parametrize(
    ("tenth", "paid_by"),
    [
        ("2027-01-10", "2027-01-08"),
        ("2027-02-10", "2027-02-04"),
        ("2027-04-10", "2027-04-09"),
        ("2027-07-10", "2027-07-09"),
        ("2027-10-10", "2027-10-08"),
    ],
)
def test_a_year_loaded_by_hand_counts_like_any_other(tenth: str, paid_by: str) -> None:
    with_2027 = WorkingDays.of([EXPECTED_2027])
    assert with_2027.last_working_day_until(date.fromisoformat(tenth)) == date.fromisoformat(paid_by)


def test_a_missing_year_is_an_error_and_never_a_guess() -> None:
    with pytest.raises(CalendarYearMissing) as missing:
        KNOWN.last_working_day_until(date(2027, 1, 10))
    assert missing.value.year == 2027
    with pytest.raises(CalendarYearMissing):
        KNOWN.add_working_days(date(2026, 12, 31), 1)
    with pytest.raises(CalendarYearMissing):
        WorkingDays.of([read_holiday_notice(2024)]).last_working_day_until(date(2024, 1, 1))
    with pytest.raises(CalendarYearMissing):
        read_holiday_notice(published_years().stop)


@pytest.mark.parametrize(
    ("start", "count", "reached"),
    [
        ("2026-09-30", 0, "2026-09-30"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-09-30", 4, "2026-10-12"),
        ("2026-03-06", 1, "2026-03-09"),
    ],
)
def test_adding_working_days_skips_rest_and_counts_made_up_days(start: str, count: int, reached: str) -> None:
    assert KNOWN.add_working_days(date.fromisoformat(start), count) == date.fromisoformat(reached)


@pytest.mark.parametrize("count", [-1, 2_001])
def test_a_span_is_bounded(count: int) -> None:
    with pytest.raises(ValueError, match="span"):
        KNOWN.add_working_days(date(2026, 1, 5), count)


@pytest.mark.parametrize(
    ("rest_day", "make_up_day"),
    [("2026-01-03", None), (None, "2026-01-05"), ("2025-12-31", None), (None, "2025-01-05")],
)
def test_a_year_that_contradicts_itself_is_refused(rest_day: str | None, make_up_day: str | None) -> None:
    days = [frozenset([date.fromisoformat(day)] if day else []) for day in (rest_day, make_up_day)]
    with pytest.raises(ValueError, match="calendar 2026"):
        CalendarYear(2026, *days)


def test_a_year_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        WorkingDays.of([EXPECTED_2027, EXPECTED_2027])
