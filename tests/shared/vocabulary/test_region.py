"""Places: what is a code, what is a place, what lies above it, and what became of it."""

import csv
import hashlib
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.cli.region_snapshot import TABLE, places_csv
from services.shared.vocabulary.region import (
    CHANGES_SINCE,
    TABLE_OF,
    has_province,
    is_region_code,
    living_code,
    living_codes,
    place_of,
    places,
    places_upwards,
    succeeded,
)

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "regions.md"
CHANGES = TABLE.with_name("changes.csv")
TODAY = date(2026, 11, 25)


def rows(file):
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


@pytest.mark.parametrize(
    ("code", "above"),
    [
        ("530113", ("530113", "530100", "530000", "cn")),
        ("530100", ("530100", "530000", "cn")),
        ("530000", ("530000", "cn")),
    ],
)
def test_places_upwards(code, above):
    assert places_upwards(code) == above


def test_codes_have_six_digits_and_a_province():
    assert [is_region_code(text) for text in ("530113", "53011", "5301131", "53011x", "５３０１１３")] == [True] + [
        False
    ] * 4
    assert has_province("820000") and has_province("429900")
    assert not has_province("990000") and not has_province("160000")


def test_the_table_holds_every_place_of_the_ministry_s_and_taiwan():
    """33, 333 and 2,845 are the ministry's own counts for 2025-12-31; its table names Taiwan without a code."""
    assert Counter(row["level"] for row in rows(TABLE)) == {"province": 34, "prefecture": 333, "county": 2845}
    assert place_of("710000").name == "台湾省"


def test_two_counties_were_founded_since():
    living = [place for place in places().values() if place.until is None]
    assert {place.code for place in living} - {row["code"] for row in rows(TABLE)} == {"653132", "659013"}
    assert [place_of(code).name for code in ("653132", "659013")] == ["岑岭县", "草湖市"]


def test_the_level_and_the_place_above_are_as_the_table_says():
    for row in rows(TABLE):
        assert (place_of(row["code"]).level, place_of(row["code"]).parent) == (row["level"], row["parent"])


def test_every_place_has_all_its_places_above():
    for place in places().values():
        above = [place]
        while above[-1].parent:
            above.append(place_of(above[-1].parent))
        assert above[-1].level == "province"
        assert [later.level for later in above] in (
            ["county", "prefecture", "province"],
            ["county", "province"],
            ["prefecture", "province"],
            ["province"],
        )


def test_a_county_of_a_municipality_lies_in_it_directly():
    assert place_of("110105").parent == "110000"
    assert place_of("110100") is None and place_of("429000") is None


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("110105", "朝阳区"),
        ("360704", "赣县区"),
        ("370302", "淄川区"),
        ("420100", "武汉市"),
        ("429004", "仙桃市"),
        ("441900", "东莞市"),
        ("500157", "两江新区"),
        ("530113", "东川区"),
        ("653228", "和康县"),
        ("810000", "香港特别行政区"),
    ],
)
def test_known_places_have_their_names(code, name):
    assert place_of(code).name == name


# --- what became of a place --------------------------------------------------------------------------------------


def test_a_code_is_good_to_the_day_before_it_was_given_up():
    given_up = date(2025, 11, 7)
    assert living_code("500105", given_up - timedelta(days=1)) == "500105"
    assert living_code("500105", given_up) == "500157"


def test_a_change_of_an_unknown_day_counts_from_the_first_table_that_shows_it():
    assert living_code("361121", date(2019, 12, 30)) == "361121"
    assert living_code("361121", date(2019, 12, 31)) == "361104"


def test_a_successor_s_successor_is_found():
    """Cona (错那) was 542232, then 540530 in the new city of Shannan, and is now a city itself."""
    assert living_code("542232", date(2016, 12, 30)) == "542232"
    assert living_code("542232", date(2016, 12, 31)) == "540530"
    assert living_code("542232", TODAY) == "540581"


def test_a_divided_place_has_several_codes_and_none_is_guessed():
    assert living_codes("500112", TODAY) == ("500157", "500109")
    assert living_code("500112", TODAY) == "500112"
    assert living_codes("500112", date(2025, 1, 1)) == ("500112",)


@pytest.mark.parametrize("code", ["530113", "530100", "530000", "500157", "429900", "999999"])
def test_what_lives_or_is_no_place_stands_for_itself(code):
    assert living_codes(code, TODAY) == (code,)


def test_a_code_stands_for_itself_before_it_was_given():
    assert living_code("500157", date(2020, 1, 1)) == "500157"


def test_whatever_was_given_up_is_a_living_place_today():
    assert len(succeeded()) == 236
    for code, heirs in succeeded().items():
        assert heirs and code not in heirs
        assert all(place_of(heir).until is None for heir in heirs)


def test_no_living_place_has_a_successor_and_every_change_is_told_with_where_it_is_from():
    for row in rows(CHANGES):
        place = place_of(row["code"])
        assert bool(place.until) == bool(place.successors)
        assert row["from"] or row["until"]
        assert row["document"] and row["source"]
        assert row["confidence"] in ("two_sources", "one_source", "sources_differ")
        assert place.since is None or place.since >= CHANGES_SINCE
        assert place.since is None or place.until is None or place.since < place.until
        assert (place.until is None) == (row["code"] in {row["code"] for row in rows(TABLE)} | {"653132", "659013"})


def test_a_successor_is_given_its_code_no_later_than_the_place_gives_its_up():
    for place in places().values():
        for heir in map(place_of, place.successors):
            assert heir.since is None or heir.since <= place.until


# --- where the table is from -------------------------------------------------------------------------------------


def test_the_reference_gives_the_files_their_hashes_and_counts():
    text = REFERENCE.read_text("utf-8")
    for file in (TABLE, CHANGES):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in text
    assert str(TABLE_OF) in text
    counts = Counter(row["confidence"] for row in rows(CHANGES))
    for confidence, count in counts.items():
        assert re.search(rf"`{confidence}` \| {count} \|", text)


def test_the_table_is_made_from_rows_as_the_package_has_them():
    made = places_csv(
        [(4, "110101001", "110101", "东华门街道"), (3, "110101", "110000", "东城区"), (1, "110000", "", "北京市")]
    )
    assert made.splitlines() == [
        "code,name,level,parent",
        "110000,北京市,province,",
        "110101,东城区,county,110000",
        "710000,台湾省,province,",
    ]
