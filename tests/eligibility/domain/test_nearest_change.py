"""The nearest change: the one fact that would turn a refusal, to the fen, and none where none would."""

import copy
import json

import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.nearest_change import nearest_changes
from services.eligibility.use_cases.evaluate_household import evaluate_household, rendered_answer
from services.eligibility.use_cases.write_notice import changes_by_result
from tests.eligibility.domain.test_determination import FAMILY, PACKS


@pytest.fixture
def family():
    body = copy.deepcopy(FAMILY)
    body["household"]["members"][0]["income"] = [{"kind": "wage", "monthly": "3000.00"}]
    return body


def changes(body, programme="dibao", subject="household"):
    request = parse_request(body)
    policy = PACKS.prepare(request.region, request.as_of)
    return nearest_changes(policy, request, programme, subject)


def outcome(body, programme="dibao"):
    return evaluate_household(PACKS, parse_request(body)).result(programme).outcome


def test_a_wage_above_the_line_would_have_to_fall_to_just_below_it(family):
    (change,) = changes(family)
    assert (change.path, change.now, change.then) == ("household.members[m1].income[0].monthly", "3000.00", "2819.99")
    assert change.by_fen == 180_01 and "2819.99" in change.text.zh and "2819.99" in change.text.en


@pytest.mark.parametrize(("wage", "found"), [("2819.99", "eligible"), ("2820.00", "ineligible")])
def test_what_it_says_would_do_does_and_a_fen_more_does_not(family, wage, found):
    family["household"]["members"][0]["income"][0]["monthly"] = wage
    assert outcome(family) == found


def test_the_nearest_amount_comes_first(family):
    family["household"]["members"][1]["income"] = [{"kind": "property", "monthly": "181.00"}]
    found = changes(family)
    assert [change.path.split(".")[1] for change in found] == ["members[m1]"]
    family["household"]["members"][1]["income"] = [{"kind": "property", "monthly": "500.00"}]
    family["household"]["members"][0]["income"] = [{"kind": "wage", "monthly": "2500.00"}]
    found = changes(family)
    assert [change.by_fen for change in found] == [180_01, 180_01]


def test_a_car_is_named_and_so_are_homes(family):
    family["household"]["members"][0]["income"] = []
    family["household"]["assets"]["vehicles"] = [{"kind": "car"}, {"kind": "motorcycle"}]
    assert [(change.now, change.then) for change in changes(family)] == [("car", "none")]
    family["household"]["assets"]["vehicles"] = []
    family["household"]["assets"]["homes"] = 3
    assert [(change.now, change.then) for change in changes(family)] == [("3", "1")]


def test_where_two_things_stand_in_the_way_no_single_change_is_promised(family):
    family["household"]["assets"]["vehicles"] = [{"kind": "car"}]
    assert changes(family) == ()


def test_only_refused_results_are_looked_at(family):
    request = parse_request({**family, "programmes": ["dibao", "dibao_margin"]})
    answer = json.loads(rendered_answer(PACKS, request).body)
    assert list(changes_by_result(PACKS, request, answer)) == [("dibao", "household")]
