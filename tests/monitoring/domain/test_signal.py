"""Periods in months end where the Civil Code says."""

from datetime import date

import pytest

from services.monitoring.domain.signal import months_after


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        (date(2026, 3, 2), 3, date(2026, 6, 2)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
        (date(2023, 11, 30), 3, date(2024, 2, 29)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 10, 31), 1, date(2026, 11, 30)),
        (date(2026, 1, 1), 12, date(2027, 1, 1)),
    ],
)
def test_a_period_ends_on_the_corresponding_day_or_the_months_last(day, months, end):
    assert months_after(day, months) == end
