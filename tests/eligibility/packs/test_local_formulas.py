"""The ways of reckoning that the law leaves to places, each put in force by a place's figures alone.

No place that ships is known to use them, so a pack for Hainan is made up here: a standard of 600 and whatever the test
adds.
"""

import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import Outcome
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import evaluate_household, pack_set_of
from services.shared.policy.checks import faults_of
from services.shared.policy.pack import load_pack
from services.shared.vocabulary.money import fen_of

NATION = [pack for pack in read_packs() if pack.id == "cn"]
HEAD = """
id = "cn-460000"
version = "2026.11.2"
jurisdiction = "460000"
parent = "cn"
title = { zh = "海南省", en = "Hainan" }
review = "Made up."

[[instrument]]
id = "made_up"
title = "试验"
title_en = "Made up"
in_force_from = 2021-07-01
confidence = "design"
"""
COLUMNS = ["name", "area_type", "tier", "supplement_class", "supporters", "value", "unit", "from", "until", "rounding"]
REST = ["instrument", "article", "source", "confidence", "note"]
STANDARD = {"name": "dibao_standard", "value": "600.00", "unit": "yuan/month"}


def money(name, value, **keys):
    return {"name": name, "value": value, "unit": "yuan/month", **keys}


def other(name, value, unit="rate", **keys):
    return {"name": name, "value": value, "unit": unit, **keys}


def packs_with(*figures):
    """The nation's pack and Hainan's with these figures beside the standard."""
    fixed = {"from": "2021-07-01", "until": "replaced", "instrument": "made_up", "source": "-", "confidence": "design"}
    rows = [{**fixed, **figure} for figure in (STANDARD, *figures)]
    lines = [",".join(COLUMNS + REST), *(",".join(row.get(name, "") for name in COLUMNS + REST) for row in rows)]
    files = {"pack.toml": HEAD, "rules.toml": "", "parameters.csv": "\n".join(lines)}
    packs = pack_set_of([*NATION, load_pack({name: text.encode() for name, text in files.items()})])
    assert list(faults_of(packs)) == []
    return packs


def person(name, born="1980-01-15", wage=None, pension=None, **more):
    income = [{"kind": kind, "monthly": amount} for kind, amount in (("wage", wage), ("pension", pension)) if amount]
    return {
        "id": name,
        "relation": {"m1": "head", "m2": "spouse"}.get(name, "child"),
        "birth_date": born,
        "disability": None,
        "serious_illness": False,
        "student": None,
        "employment": "employed" if wage else "unemployed",
        "income": income,
        "benefits": [],
        "supporters": [],
        **more,
    }


def supporter(income, born="1990-01-01", **more):
    return {"relation": "child", "birth_date": born, "per_capita_income": income, **more}


def answered(packs, programme, *members, savings="0.00"):
    """The outcome, the amount in fen and the missing figures of the one result."""
    assets = {"financial": savings, "vehicles": [], "homes": 1, "non_residential": 0, "businesses": []}
    body = {
        "as_of": "2025-08-01",
        "region": "460000",
        "household": {"area_type": "urban", "members": list(members), "assets": assets},
        "programmes": [programme],
    }
    [result] = evaluate_household(packs, parse_request(body)).results
    return result.outcome, result.monthly_fen, result.missing_parameters


def dibao(packs, *members):
    """As `answered`, for dibao."""
    return answered(packs, "dibao", *members)


def eligible(yuan) -> tuple[Outcome, int, tuple[str, ...]]:
    return "eligible", fen_of(yuan), ()


INELIGIBLE = ("ineligible", None, ())

TIERS = (
    other("dibao_method", "tier", "code"),
    money("dibao_tier_a_below", "200.00"),
    money("dibao_tier_b_below", "400.00"),
    money("dibao_tier_amount", "534.00", tier="a"),
    money("dibao_tier_amount", "310.00", tier="b"),
    money("dibao_tier_amount", "220.00", tier="c"),
)


@pytest.mark.parametrize(
    ("pension", "paid"),
    [
        ("0.01", "1068.00"),
        ("399.99", "1068.00"),
        ("400.00", "620.00"),
        ("799.99", "620.00"),
        ("800.00", "440.00"),
        ("1199.99", "440.00"),
    ],
)
def test_tiers_follow_income_a_head(pension, paid):
    assert dibao(packs_with(*TIERS), person("m1", pension=pension), person("m2")) == eligible(paid)


def test_tiers_do_not_pay_at_the_standard():
    assert dibao(packs_with(*TIERS), person("m1", pension="1200.00"), person("m2")) == INELIGIBLE


def test_a_place_with_tiers_whose_lines_are_unknown_is_left_open():
    packs = packs_with(TIERS[0], *TIERS[3:])
    missing = ("dibao_tier_a_below", "dibao_tier_b_below")
    assert dibao(packs, person("m1", pension="100.00")) == ("undetermined", None, missing)


@pytest.mark.parametrize(("pension", "paid"), [("479.99", "120.01"), ("480.00", "120.00"), ("599.99", "120.00")])
def test_a_least_payment_of_a_fifth_of_the_standard(pension, paid):
    assert dibao(packs_with(other("dibao_minimum_share", "0.20")), person("m1", pension=pension)) == eligible(paid)


@pytest.mark.parametrize(
    ("rounding", "pension", "paid"),
    [
        ("yuan_up", "99.99", "501.00"),
        ("yuan_up", "100.00", "500.00"),
        ("yuan_half_up", "99.50", "501.00"),
        ("yuan_half_up", "99.51", "500.00"),
    ],
)
def test_the_places_own_rounding(rounding, pension, paid):
    assert dibao(packs_with(other("dibao_rounding", rounding, "code")), person("m1", pension=pension)) == eligible(paid)


SUPPLEMENTS = (
    money("dibao_supplement", "50.00", supplement_class="minor"),
    money("dibao_supplement", "60.00", supplement_class="elderly"),
    money("dibao_supplement", "70.00", supplement_class="ill"),
    money("dibao_supplement", "80.00", supplement_class="severely_disabled"),
    money("dibao_supplement", "0.00", supplement_class="none"),
)


@pytest.mark.parametrize(
    ("facts", "paid"),
    [
        ({}, "600.00"),
        ({"born": "2007-08-02"}, "650.00"),
        ({"born": "2007-08-01"}, "600.00"),
        ({"born": "1965-08-01"}, "660.00"),
        ({"born": "1965-08-02"}, "600.00"),
        ({"serious_illness": True}, "670.00"),
        ({"serious_illness": True, "born": "1950-01-01"}, "670.00"),
        ({"disability": {"category": "hearing", "grade": 2}, "serious_illness": True}, "680.00"),
        ({"disability": {"category": "hearing", "grade": 3}}, "600.00"),
    ],
)
def test_one_supplement_a_person_by_the_class_that_needs_most(facts, paid):
    assert dibao(packs_with(*SUPPLEMENTS), person("m1", **facts)) == eligible(paid)


@pytest.mark.parametrize(
    ("figures", "wage", "paid"),
    [
        ((other("work_cost_rule", "share_of_wage", "code"), other("work_cost_share", "0.10")), "500.05", "149.96"),
        (
            (
                other("work_cost_rule", "share_of_minimum_wage", "code"),
                other("work_cost_share", "0.10"),
                money("minimum_wage", "1800.05"),
            ),
            "500.00",
            "280.01",
        ),
    ],
)
def test_work_costs_as_a_share(figures, wage, paid):
    assert dibao(packs_with(*figures), person("m1", wage=wage)) == eligible(paid)


CHILD = (other("dibao_child_age", "16", "count"), money("dibao_standard_child", "780.00"))


@pytest.mark.parametrize(("born", "paid"), [("2009-08-02", "1380.00"), ("2009-08-01", "1200.00")])
def test_a_child_with_a_standard_of_its_own(born, paid):
    assert dibao(packs_with(*CHILD), person("m1"), person("m2", born)) == eligible(paid)


EXCESS_SHARE = (
    other("imputed_maintenance_rule", "share_of_excess", "code"),
    other("imputed_maintenance_line", "1.5"),
    other("imputed_maintenance_share", "0.50", supporters="few"),
    other("imputed_maintenance_share", "0.40", supporters="many"),
)


@pytest.mark.parametrize(
    ("supporters", "paid"),
    [
        (["900.00"], "600.00"),
        (["900.02"], "599.99"),
        (["1300.00"], "400.00"),
        (["1300.00", "1100.00"], "300.00"),
        # Of three each gives 40 %.
        (["1300.00", "1100.00", "900.00"], "360.00"),
    ],
)
def test_half_of_what_supporters_have_above_the_line(supporters, paid):
    parent = person("m1", supporters=[supporter(income) for income in supporters])
    assert dibao(packs_with(*EXCESS_SHARE), parent) == eligible(paid)


def test_what_a_supporter_gives_is_divided_among_those_supported():
    one = [supporter("1300.00")]
    assert dibao(packs_with(*EXCESS_SHARE), person("m1", supporters=one), person("m2", supporters=one)) == (
        eligible("1000.00")
    )


FAMILY_SHARE = (
    other("imputed_maintenance_rule", "share_of_family_excess", "code"),
    other("imputed_maintenance_line", "1.5"),
    other("imputed_maintenance_share", "0.30"),
)


def test_a_share_of_what_the_supporters_family_has_above_the_line():
    packs = packs_with(*FAMILY_SHARE, other("imputed_maintenance_family", "3", "count"))
    assert dibao(packs, person("m1", supporters=[supporter("1300.00")])) == eligible("240.00")


def test_how_many_live_with_a_supporter_is_not_told_and_not_guessed():
    found = dibao(packs_with(*FAMILY_SHARE), person("m1", supporters=[supporter("1300.00")]))
    assert found == ("undetermined", None, ("imputed_maintenance_family",))


AMONG = (
    other("imputed_maintenance_rule", "excess_among_supporters", "code"),
    other("imputed_maintenance_line", "1.5"),
)


@pytest.mark.parametrize(
    ("supporters", "paid"),
    [(["900.00"], "600.00"), (["1300.00"], "200.00"), (["1300.00", "900.00"], "400.00"), (["1300.00"] * 2, "200.00")],
)
def test_the_excess_divided_by_the_number_of_supporters(supporters, paid):
    parent = person("m1", supporters=[supporter(income) for income in supporters])
    assert dibao(packs_with(*AMONG), parent) == eligible(paid)


def test_imputed_maintenance_can_lift_a_household_above_the_standard():
    assert dibao(packs_with(*AMONG), person("m1", supporters=[supporter("1499.99")])) == eligible("0.01")
    assert dibao(packs_with(*AMONG), person("m1", supporters=[supporter("1500.00")])) == INELIGIBLE


def test_a_supporter_inside_the_household_is_not_counted_twice():
    packs = packs_with(*AMONG)
    assert dibao(packs, person("m1", "1950-01-01"), person("m3", pension="900.00")) == eligible("300.00")


@pytest.mark.parametrize(("born", "paid"), [("1954-08-02", "200.00"), ("1954-08-01", "600.00")])
def test_a_supporter_past_the_places_age_gives_nothing(born, paid):
    packs = packs_with(*AMONG, other("supporter_age_max", "70", "count"))
    assert dibao(packs, person("m1", supporters=[supporter("1300.00", born)])) == eligible(paid)


def test_supporters_are_asked_for_where_the_place_has_a_formula():
    parent = person("m1")
    del parent["supporters"]
    outcome, _, _ = dibao(packs_with(*AMONG), parent)
    assert outcome == "undetermined"


TEKUN = (money("tekun_basic_standard", "800.00"), money("tekun_care_self", "100.00"))


@pytest.mark.parametrize(
    ("limits", "savings", "found"),
    [
        ({"tekun_financial_asset_limit": "28800.00"}, "28800.00", eligible("900.00")),
        ({"tekun_financial_asset_limit": "28800.00"}, "28800.01", INELIGIBLE),
        # The limit of destitute persons wins over the general one.
        (
            {"tekun_financial_asset_limit": "28800.00", "financial_asset_limit": "100.00"},
            "28800.00",
            eligible("900.00"),
        ),
        ({"financial_asset_limit": "100.00"}, "100.01", INELIGIBLE),
        ({}, "0.01", ("undetermined", None, ("financial_asset_limit",))),
    ],
)
def test_destitute_persons_may_have_a_limit_of_their_own(limits, savings, found):
    packs = packs_with(*TEKUN, *(other(name, value, "yuan") for name, value in limits.items()))
    old = person("m1", "1950-01-01", self_care_failures=0, care_arrangement="home", circumstances=[])
    assert answered(packs, "tekun", old, savings=savings) == found
