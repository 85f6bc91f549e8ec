"""Whom a region covers: what lies below it, and what was merged into it."""

import pytest

from services.shared.vocabulary.actor import NATION, Actor, prefixes_of, region_covers


@pytest.mark.parametrize(
    ("wide", "narrow", "is_covered"),
    [
        (NATION, "530113", True),
        (NATION, "371202", True),
        ("530000", "530113", True),
        ("530100", "530113", True),
        ("530113", "530113", True),
        ("530113", "530100", False),
        ("530100", "530200", False),
        ("420000", "530113", False),
        # Laiwu became districts of Jinan, in the same province.
        ("370000", "371202", True),
        ("370100", "371202", True),
        ("370100", "371200", True),
        ("370116", "371202", True),
        ("370117", "371202", False),
        ("370200", "371202", False),
        # The county of Naqu: its prefecture was given another code, and it became a district.
        ("540600", "542421", True),
        ("540602", "542421", True),
        # By way of 540530.
        ("540581", "542232", True),
        # Jiangbei is a part of Liangjiang now, which is more than Jiangbei was.
        ("500157", "500105", True),
        ("500105", "500157", False),
        ("500105", "500105", True),
        # Yubei was divided: who covers one part does not cover what may lie in the other.
        ("500157", "500112", False),
        ("500109", "500112", False),
        ("500000", "500112", True),
    ],
)
def test_a_region_covers_what_lies_or_lay_within(wide, narrow, is_covered):
    assert region_covers(wide, narrow) is is_covered
    assert narrow.startswith(prefixes_of(wide)) is is_covered


def test_who_covers_both_parts_apart_does_not_cover_a_divided_place():
    """Each office is asked alone, so the one above both decides."""
    assert not Actor("ann", frozenset(), ("500157", "500109")).covers("500112")


def test_prefixes_are_the_digits_and_the_codes_merged_into_them():
    assert prefixes_of(NATION) == ("",)
    assert prefixes_of("420000") == ("42",)
    assert prefixes_of("370100") == ("3701", "371200", "371202", "371203")
    assert prefixes_of("500157") == ("500157", "500105")
