"""Half-open periods, months and the numbers that stand for dates."""

from datetime import date

import pytest

from services.shared.vocabulary.period import (
    Period,
    date_number,
    full_months,
    full_years,
    next_month,
    same_day_next_year,
)


def test_a_period_holds_its_first_day_and_not_its_last():
    period = Period(date(2025, 7, 1), date(2026, 7, 1))
    days = [date(2025, 6, 30), date(2025, 7, 1), date(2026, 6, 30), date(2026, 7, 1)]
    assert [period.contains(day) for day in days] == [False, True, True, False]
    assert Period(date(2025, 7, 1)).contains(date(9999, 12, 31))


@pytest.mark.parametrize(
    ("day", "month"), [("2023-08-01", "2023-09"), ("2023-11-30", "2023-12"), ("2023-12-31", "2024-01")]
)
def test_the_next_month(day, month):
    assert next_month(date.fromisoformat(day)) == month


def test_twelve_months_later():
    assert same_day_next_year(date(2023, 4, 1)) == date(2024, 4, 1)
    assert same_day_next_year(date(2024, 2, 29)) == date(2025, 3, 1)


@pytest.mark.parametrize(
    ("earlier", "later", "years", "months"),
    [
        (19650801, 20250801, 60, 720),
        (19650802, 20250801, 59, 719),
        (20250801, 20250801, 0, 0),
        (20240229, 20250228, 0, 11),
        (20240229, 20250301, 1, 12),
        (20241231, 20250101, 0, 0),
    ],
)
def test_full_years_and_months(earlier, later, years, months):
    assert full_years(earlier, later) == years
    assert full_months(earlier, later) == months


def test_date_numbers_order_as_dates_do():
    assert date_number(date(2023, 8, 1)) == 20230801
