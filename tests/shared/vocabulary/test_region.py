"""Places: what is a code, which province exists, and what lies above a place."""

import pytest

from services.shared.vocabulary.region import PROVINCES, has_province, is_region_code, places_upwards


@pytest.mark.parametrize(
    ("code", "places"),
    [
        ("530113", ("530113", "530100", "530000", "cn")),
        ("530100", ("530100", "530000", "cn")),
        ("530000", ("530000", "cn")),
    ],
)
def test_places_upwards(code, places):
    assert places_upwards(code) == places


def test_codes_have_six_digits_and_a_province():
    assert [is_region_code(text) for text in ("530113", "53011", "5301131", "53011x", "５３０１１３")] == [True] + [
        False
    ] * 4
    assert len(PROVINCES) == 34
    assert has_province("820000") and not has_province("990000") and not has_province("160000")
