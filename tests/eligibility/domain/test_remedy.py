"""The last day for a review and for a suit."""

from datetime import date

import pytest

from services.eligibility.domain.remedy import remedy_from


@pytest.mark.parametrize(
    ("handed_over_on", "review_by", "suit_by"),
    [
        (date(2026, 11, 25), date(2027, 1, 24), date(2027, 5, 25)),
        (date(2023, 8, 31), date(2023, 10, 30), date(2024, 2, 29)),
        (date(2024, 8, 31), date(2024, 10, 30), date(2025, 2, 28)),
        (date(2026, 3, 1), date(2026, 4, 30), date(2026, 9, 1)),
    ],
)
def test_the_day_itself_is_not_counted_and_a_short_month_ends_on_its_last_day(handed_over_on, review_by, suit_by):
    remedy = remedy_from(handed_over_on)
    assert (remedy.review_by, remedy.suit_by) == (review_by, suit_by)
