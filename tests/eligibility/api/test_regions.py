"""What a code stands for, asked over HTTP."""

import pytest


def test_a_county_is_shown_with_its_places_above(eligibility):
    answer = eligibility.get("/regions/420102", params={"on": "2026-08-01"})
    assert answer.json() == {
        "code": "420102",
        "name": "江岸区",
        "level": "county",
        "from": None,
        "until": None,
        "parents": [{"code": "420100", "name": "武汉市"}, {"code": "420000", "name": "湖北省"}],
        "on": "2026-08-01",
        "successors": [],
        "table_of": "2025-12-31",
    }
    assert answer.headers["cache-control"] == "private, max-age=3600"


@pytest.mark.parametrize(
    ("code", "on", "successors"),
    [
        ("500105", "2025-11-06", []),
        ("500105", "2025-11-07", ["500157"]),
        ("500112", "2025-11-07", ["500157", "500109"]),
        ("542232", "2016-12-31", ["540530"]),
        ("542232", "2023-04-03", ["540581"]),
    ],
)
def test_successors_are_those_of_the_day(eligibility, code, on, successors):
    answer = eligibility.get(f"/regions/{code}", params={"on": on}).json()
    assert [place["code"] for place in answer["successors"]] == successors
    assert all(place["name"] for place in answer["successors"])


def test_without_a_day_it_is_today(eligibility):
    answer = eligibility.get("/regions/500157").json()
    assert (answer["name"], answer["level"], answer["from"]) == ("两江新区", "county", "2025-11-07")
    assert answer["parents"] == [{"code": "500000", "name": "重庆市"}]
    assert answer["on"] > "2025-12-31"


@pytest.mark.parametrize(
    ("code", "on", "status"),
    [
        ("429900", None, 404),
        ("110100", None, 404),
        ("990100", None, 404),
        ("42010", None, 400),
        ("42010x", None, 400),
        ("４２０１００", None, 400),
        ("420100", "2026-02-30", 400),
        ("420100", "yesterday", 400),
    ],
)
def test_what_is_no_place_or_no_day_is_refused(eligibility, code, on, status):
    answer = eligibility.get(f"/regions/{code}", params={"on": on} if on else {})
    assert answer.status_code == status
    assert not on or on not in answer.text


def test_every_caller_with_a_token_may_ask_and_nobody_without(eligibility):
    assert eligibility.get("/regions/420100", "operator", regions=()).status_code == 200
    assert eligibility.get("/regions/420100", None).status_code == 401
