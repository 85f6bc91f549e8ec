"""Which figure is in force: successors, twelve months, years, pack's own word, and inheritance by figure and date."""

from datetime import date

import pytest

from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import PackFault
from services.shared.policy.open_value import Unknown

DECLARED = """
[parameter.line]
type = "money"
per = "month"
keys = { area = "shop.area" }
zh = "线"
en = "line"
[parameter.share]
type = "money"
per = "month"
keys = { area = "shop.area" }
zh = "份"
en = "share"
"""


def row(value, start, until="", area="", unit="yuan/month", rounding="", name="line"):
    return f"{name},{area},{value},{unit},{start},{until},{rounding},act,1,source,verified,\n"


def figure(pack_of, schema, on, *packs, area="town", name="line", place="420100"):
    """The figure at `place`; packs are (place, rows), the first the nation's."""
    built = [pack_of(DECLARED if at == "cn" else "", rows, place=at) for at, rows in packs]
    found = PackSet(schema, built).prepare(place, date.fromisoformat(on)).parameters[name][(area,)]
    return "missing" if isinstance(found, Unknown) else found


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2022-03-31", "missing"),
        ("2022-04-01", 100),
        ("2023-03-31", 100),
        ("2023-04-01", 200),
        ("2024-03-31", 200),
        ("2024-04-01", "missing"),
    ],
)
def test_a_start_alone_lasts_to_the_successor_and_at_most_twelve_months(pack_of, schema, on, expected):
    rows = row("1.00", "2022-04-01") + row("2.00", "2023-04-01")
    assert figure(pack_of, schema, on, ("cn", rows)) == expected


@pytest.mark.parametrize(
    ("on", "expected"), [("2022-12-31", "missing"), ("2023-01-01", 100), ("2023-12-31", 100), ("2024-01-01", "missing")]
)
def test_a_year_alone_lasts_that_year(pack_of, schema, on, expected):
    assert figure(pack_of, schema, on, ("cn", row("1.00", "2023"))) == expected


@pytest.mark.parametrize(
    ("on", "expected"), [("2024-06-30", 100), ("2024-07-01", "missing"), ("2030-01-01", "missing")]
)
def test_the_pack_may_say_until_when(pack_of, schema, on, expected):
    assert figure(pack_of, schema, on, ("cn", row("1.00", "2022-01-01", "2024-07-01"))) == expected


def test_a_figure_in_force_until_replaced_outlasts_twelve_months_and_ends_with_its_successor(pack_of, schema):
    rows = row("1.00", "2022-01-01", "replaced") + row("2.00", "2029-01-01")
    assert figure(pack_of, schema, "2028-12-31", ("cn", rows)) == 100
    assert figure(pack_of, schema, "2029-01-01", ("cn", rows)) == 200
    # The successor's own end is not covered by what it replaced.
    assert figure(pack_of, schema, "2030-01-01", ("cn", rows)) == "missing"


def test_a_place_without_the_figure_takes_its_prefectures_then_its_provinces(pack_of, schema):
    packs = [("cn", row("1.00", "2025")), ("420000", row("2.00", "2025")), ("420100", "")]
    assert figure(pack_of, schema, "2025-08-01", *packs, place="420102") == 200
    packs[2] = ("420100", row("3.00", "2025"))
    assert figure(pack_of, schema, "2025-08-01", *packs, place="420102") == 300


def test_a_place_that_has_held_the_figure_does_not_fall_back_to_its_province(pack_of, schema):
    packs = [("cn", ""), ("420000", row("2.00", "2024", "") + row("2.50", "2025")), ("420100", row("3.00", "2024"))]
    assert figure(pack_of, schema, "2024-08-01", *packs) == 300
    assert figure(pack_of, schema, "2025-08-01", *packs) == "missing"


def test_a_place_whose_figure_begins_later_has_its_provinces_until_then(pack_of, schema):
    packs = [("cn", ""), ("420000", row("2.00", "2024")), ("420100", row("3.00", "2024-07-01"))]
    assert figure(pack_of, schema, "2024-06-30", *packs) == 200
    assert figure(pack_of, schema, "2024-07-01", *packs) == 300


def test_inheritance_is_by_figure(pack_of, schema):
    packs = [("cn", row("1.00", "2025") + row("9.00", "2025", name="share")), ("420100", row("3.00", "2025"))]
    assert figure(pack_of, schema, "2025-08-01", *packs) == 300
    assert figure(pack_of, schema, "2025-08-01", *packs, name="share") == 900


def test_a_row_for_the_area_wins_over_a_row_for_all(pack_of, schema):
    rows = row("1.00", "2025") + row("2.00", "2025", area="village")
    assert figure(pack_of, schema, "2025-08-01", ("cn", rows)) == 100
    assert figure(pack_of, schema, "2025-08-01", ("cn", rows), area="village") == 200


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [("ceil yuan", 53400), ("floor yuan", 53300), ("half_up jiao", 53330), ("floor fen", 53333)],
)
def test_a_yearly_figure_is_paid_by_the_month_as_the_place_rounds(pack_of, schema, rounding, expected):
    rows = row("6400.00", "2025", unit="yuan/year", rounding=rounding)
    assert figure(pack_of, schema, "2025-08-01", ("cn", rows)) == expected


def test_a_share_follows_the_figure_it_is_a_share_of(pack_of, schema):
    rows = row("980.00", "2025", area="town") + row("765.00", "2025", area="village")
    rows += row("0.30", "2020-01-01", "replaced", unit="share of line", rounding="half_up fen", name="share")
    assert figure(pack_of, schema, "2025-08-01", ("cn", rows), name="share") == 29400
    assert figure(pack_of, schema, "2025-08-01", ("cn", rows), name="share", area="village") == 22950
    assert figure(pack_of, schema, "2026-01-01", ("cn", rows), name="share") == "missing"


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (row("1", "2025"), "wrong form"),
        (row("-1.00", "2025"), "wrong form"),
        (row("1.00", "2025", unit="dollars"), "unit"),
        (row("12.00", "2025", unit="yuan/year"), "rounding"),
        (row("12.00", "2025", unit="yuan/year", rounding="up"), "rounding"),
        (row("1.00", ""), "no start"),
        (row("1.00", "2025-02-30"), "not a date"),
        (row("1.00", "2025", area="city"), "no key"),
        (row("1.00", "2025", name="lines"), "not declared"),
        (row("1.00", "2025") * 2, "same day"),
        (row("0.30", "2025", unit="share of lines", rounding="floor fen"), "unknown parameter"),
        ("line,,1.00,yuan/month,2025,,,nothing,1,s,verified,\n", "instrument"),
        ("line,,1.00,yuan/month,2025,,,act,1,s,certain,\n", "confidence"),
        ("line,,1.00\n", "cells"),
    ],
)
def test_a_row_that_is_no_figure_is_refused_by_name_and_number(pack_of, schema, bad, problem):
    with pytest.raises(PackFault, match=problem) as refused:
        figure(pack_of, schema, "2025-08-01", ("cn", bad))
    assert "row 2" in refused.value.where or "row 3" in refused.value.where
    assert refused.value.remedy
