"""What an answer says: outcomes, what is missing, what excludes what, categories, reasons and amounts."""

import copy
import json
from datetime import date

import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import render_answer
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import evaluate_household, pack_set_of
from services.shared.vocabulary.invalid_body import InvalidBody

PACKS = pack_set_of(read_packs())
ASSETS = {"financial": "0.00", "vehicles": [], "homes": 1, "non_residential": 0, "businesses": []}
NOBODY = {"disability": None, "serious_illness": False, "student": None, "income": []}

FAMILY = {
    "as_of": "2023-08-01",
    "region": "420100",
    "household": {
        "area_type": "urban",
        "members": [
            {
                **NOBODY,
                "id": "m1",
                "relation": "head",
                "birth_date": "1980-01-15",
                "employment": "employed",
                "income": [{"kind": "wage", "monthly": "1800.00"}],
            },
            {**NOBODY, "id": "m2", "relation": "spouse", "birth_date": "1982-05-01", "employment": "unemployed"},
            {**NOBODY, "id": "m3", "relation": "child", "birth_date": "2008-09-01", "employment": "unemployed"},
        ],
        "assets": ASSETS,
    },
}
ALONE = {
    "as_of": "2025-08-01",
    "region": "530113",
    "household": {
        "area_type": "rural",
        "members": [
            {
                **NOBODY,
                "id": "m1",
                "relation": "head",
                "birth_date": "1962-03-01",
                "employment": "not_in_labour_force",
                "supporters": [],
                "self_care_failures": 4,
                "care_arrangement": "home",
            }
        ],
        "assets": ASSETS,
    },
}


@pytest.fixture
def family():
    """Couple and child in Wuhan, 2023, one wage of 1800 (the published case W05)."""
    return copy.deepcopy(FAMILY)


@pytest.fixture
def alone():
    """A man of 63 in Dongchuan, 2025, with nobody and nothing (W14)."""
    return copy.deepcopy(ALONE)


@pytest.fixture
def answer_to():
    """The answer to a body by the packs that ship."""
    return lambda body: evaluate_household(PACKS, parse_request(json.dumps(body).encode()))


def read(answer):
    """The answer as it is sent."""
    return json.loads(render_answer(answer))


def member(body, name="m1"):
    return next(item for item in body["household"]["members"] if item["id"] == name)


# --- a whole answer ---------------------------------------------------------------------------------------------------


def test_the_family_of_w05_draws_the_gap(answer_to, family):
    answer = answer_to(family)
    dibao = answer.result("dibao")
    assert (dibao.outcome, dibao.monthly_fen, dibao.starts_in) == ("eligible", 102000, "2023-09")
    assert (dibao.tier, dibao.decision_level, dibao.subject) == ("basic", "county", "household")
    assert (answer.category, answer.monthly_total_fen, answer.simulation) == ("dibao", 102000, False)
    assert [pack["id"] for pack in answer.packs] == ["cn", "cn-420000", "cn-420100"]
    assert all(len(pack["sha256"]) == 64 for pack in answer.packs)


def test_every_member_has_a_result_of_a_member_programme(answer_to, family):
    subjects = [result.subject for result in answer_to(family).results if result.programme == "tekun"]
    assert subjects == ["m1", "m2", "m3"]


def test_the_same_request_gives_the_same_bytes(answer_to, family):
    rendered = render_answer(answer_to(family))
    assert rendered == render_answer(answer_to(json.loads(json.dumps(family))))
    assert json.dumps(json.loads(rendered), ensure_ascii=False, separators=(",", ":")) == rendered.decode()


def test_in_december_the_money_starts_in_the_next_year(answer_to, family):
    family["as_of"] = "2023-12-31"
    assert answer_to(family).result("dibao").starts_in == "2024-01"


# --- reasons ----------------------------------------------------------------------------------------------------------


def test_a_reason_has_both_sides_and_its_law(answer_to, family):
    reason = next(r for r in answer_to(family).result("dibao").reasons if r.rule == "dibao.income_test")
    assert reason.holds is True
    assert reason.text.zh == "人均计入收入 600.00 元，低于当地标准 940.00 元"
    assert reason.values == {"per_capita_income": "600.00", "dibao_standard": "940.00"}
    assert reason.citation["article"] == "第九条"
    assert reason.citation["in_force_from"] == "2014-05-01"
    assert reason.figures["dibao_standard"]["pack"] == "cn-420100"
    assert reason.figures["dibao_standard"]["from"] == "2023-04-01"


def test_a_refusal_says_by_how_much(answer_to, family):
    member(family)["income"][0]["monthly"] = "3006.00"
    dibao = answer_to(family).result("dibao")
    failing = [reason for reason in dibao.reasons if reason.holds is False]
    assert dibao.outcome == "ineligible"
    assert [reason.rule for reason in failing] == ["dibao.income_test"]
    assert "高出标准 62.00 元" in failing[0].text.zh
    assert "62.00 yuan above it" in failing[0].text.en
    assert failing[0].values["gap"] == "62.00"


def test_income_a_head_is_decided_by_totals_and_shown_on_the_side_where_it_falls(answer_to, family):
    family["parameters"] = {"dibao_standard": "600.00"}
    for total, outcome, shown in (("1799.99", "eligible", "599.99"), ("1800.00", "ineligible", "600.00")):
        member(family)["income"][0]["monthly"] = total
        dibao = answer_to(family).result("dibao")
        reason = next(r for r in dibao.reasons if r.rule == "dibao.income_test")
        assert (dibao.outcome, reason.values["per_capita_income"]) == (outcome, shown)


@pytest.mark.parametrize(
    ("wage", "zh", "en"),
    [
        ("2820.00", "正好等于当地标准；要低于标准才符合", "equal to the local standard; it has to be below it"),
        ("2820.03", "不低于当地标准 940.00 元，高出标准 0.01 元", "940.00 yuan: 0.01 yuan above it"),
    ],
)
def test_who_is_at_the_line_is_told_so(answer_to, family, wage, zh, en):
    member(family)["income"][0]["monthly"] = wage
    reason = next(r for r in answer_to(family).result("dibao").reasons if r.rule == "dibao.income_test")
    assert zh in reason.text.zh
    assert en in reason.text.en
    assert reason.values["gap"] == ("0.00" if wage == "2820.00" else "0.01")


def test_of_a_confirmed_household_no_income_is_said_to_be_below_the_standard(answer_to, family):
    member(family)["income"][0]["monthly"] = "9000.00"
    family["household"]["recognised_as"] = "dibao"
    reason = next(r for r in answer_to(family).result("dibao").reasons if r.rule == "dibao.income_test")
    assert (reason.holds, reason.text.zh) == (True, "已认定为低保家庭，不再核查收入")
    assert reason.values["per_capita_income"] == "3000.00"


def test_the_law_of_2026_is_cited_from_its_day(answer_to, alone):
    alone["programmes"] = ["dibao"]
    articles = {}
    for day in ("2026-06-30", "2026-07-01"):
        alone |= {"as_of": day, "parameters": {"dibao_standard": "560.00"}}
        reason = next(r for r in answer_to(alone).result("dibao").reasons if r.rule == "dibao.income_test")
        articles[day] = (reason.citation["article"], reason.citation["in_force_from"])
    assert articles == {"2026-06-30": ("第九条", "2014-05-01"), "2026-07-01": ("第十八条", "2026-07-01")}


def test_bounds_are_shown_where_a_fact_is_open(answer_to, family):
    member(family)["income"][0]["monthly"] = "9000.00"
    del member(family, "m2")["income"]
    reason = next(r for r in answer_to(family).result("dibao").reasons if r.rule == "dibao.income_test")
    assert reason.holds is False
    assert reason.values["per_capita_income"] == {"at_least": "3000.00"}
    assert "人均计入收入 至少 3000.00 元" in reason.text.zh


def test_a_refusal_shows_what_refused_and_not_what_was_met(answer_to, family):
    family["household"]["assets"]["homes"] = 2
    reasons = answer_to(family).result("dibao").reasons
    assert [reason.rule for reason in reasons] == ["property.within_limits"]
    assert [child.rule for child in reasons[0].children] == ["property.homes"]
    assert reasons[0].children[0].values == {"homes": 2, "limit": 1}


def test_reasons_reach_down_to_each_members_income(answer_to, family):
    def subjects(reason):
        return {reason.subject} | {name for child in reason.children for name in subjects(child)}

    reasons = answer_to(family).result("dibao").reasons
    assert {"m1", "m2", "m3"} <= set().union(*map(subjects, reasons))


# --- what is missing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "facts", "parameters"),
    [
        (
            lambda b: b["household"]["assets"].pop("financial"),
            ["household.assets.financial"],
            ["financial_asset_limit"],
        ),
        (lambda b: b["household"]["assets"].pop("vehicles"), ["household.assets.vehicles"], []),
        (lambda b: b["household"]["assets"].update(vehicles=[{}]), ["household.assets.vehicles[0].kind"], []),
        (lambda b: b["household"]["assets"].pop("homes"), ["household.assets.homes"], []),
        (lambda b: b["household"].pop("area_type"), ["household.area_type"], []),
        (lambda b: member(b, "m3").pop("relation"), ["household.members[m3].relation"], []),
        (lambda b: b["household"]["assets"].update(financial="1.00"), [], ["financial_asset_limit"]),
    ],
)
def test_exactly_what_would_settle_dibao_is_named(answer_to, family, change, facts, parameters):
    change(family)
    family["programmes"] = ["dibao"]
    dibao = answer_to(family).result("dibao")
    assert dibao.outcome == "undetermined"
    assert list(dibao.missing_facts) == facts
    assert list(dibao.missing_parameters) == parameters


@pytest.mark.parametrize(
    "change",
    [
        lambda b: member(b).pop("birth_date"),
        lambda b: member(b).pop("disability"),
        lambda b: member(b).pop("employment"),
        lambda b: member(b).pop("serious_illness"),
        lambda b: b["household"]["assets"].update(vehicles=[{"kind": "farm"}]),
        lambda b: b["household"]["assets"].update(non_residential=1, homes=0),
    ],
)
def test_what_does_not_matter_to_dibao_is_not_asked(answer_to, family, change):
    change(family)
    family["programmes"] = ["dibao"]
    assert answer_to(family).result("dibao").monthly_fen == 102000


def test_a_refusal_by_income_asks_nothing_about_property(answer_to, family):
    member(family)["income"][0]["monthly"] = "2820.00"
    family["household"].pop("assets")
    dibao = answer_to(family).result("dibao")
    assert (dibao.outcome, dibao.missing_facts) == ("ineligible", ())


def test_a_car_refuses_whatever_is_earned(answer_to, family):
    family["household"]["assets"]["vehicles"] = [{"kind": "car"}]
    del member(family)["income"]
    assert answer_to(family).result("dibao").outcome == "ineligible"


def test_both_area_types_with_one_figure_need_no_area_type(answer_to, family):
    family |= {"region": "440100"}
    del family["household"]["area_type"]
    assert answer_to(family).result("dibao").monthly_fen == 3 * 123800 - 180000


def test_an_open_amount_leaves_the_programme_open(answer_to, alone):
    del member(alone)["care_arrangement"]
    tekun = answer_to(alone).result("tekun", "m1")
    assert (tekun.outcome, tekun.missing_facts) == ("undetermined", ("household.members[m1].care_arrangement",))
    assert tekun.monthly_fen is None


def test_an_old_supporter_is_asked_what_the_rule_needs(answer_to, alone):
    member(alone)["supporters"] = [{"birth_date": "1950-01-01", "disability": None, "benefits": []}]
    tekun = answer_to(alone).result("tekun", "m1")
    at = "household.members[m1].supporters[0]"
    assert list(tekun.missing_facts) == [f"{at}.per_capita_income", f"{at}.property_ok"]
    assert list(tekun.missing_parameters) == ["per_capita_disposable_income"]


def test_one_able_supporter_settles_it_whatever_the_others_are(answer_to, alone):
    able = {"birth_date": "1990-01-01", "disability": None, "property_ok": True, "benefits": []}
    member(alone)["supporters"] = [{"birth_date": "1950-01-01"}, able, {}]
    assert answer_to(alone).result("tekun", "m1").outcome == "ineligible"


def test_today_nothing_is_guessed_in_yunnan(answer_to, alone):
    alone["as_of"] = "2026-11-24"
    answer = answer_to(alone)
    tekun = answer.result("tekun", "m1")
    assert tekun.outcome == "undetermined"
    assert list(tekun.missing_parameters) == ["dibao_standard", "tekun_basic_standard", "tekun_care_full"]
    assert answer.result("dibao").missing_parameters == ("dibao_standard",)
    assert answer.category == "undetermined"


def test_a_programme_without_rules_is_open_and_says_so(answer_to, family):
    family["programmes"] = ["price_subsidy", "dibao"]
    subsidy = answer_to(family).result("price_subsidy")
    assert (subsidy.outcome, subsidy.tier) == ("undetermined", "run")
    assert subsidy.missing_parameters == ("price_subsidy_rule",)
    assert subsidy.reasons[0].rule == "programme.rules_in_force"


@pytest.fixture
def margin_pair(family):
    """Two people of 1000 each in Wuhan: margin (940 to 1410) both together and alone."""
    family["household"]["members"] = family["household"]["members"][:2]
    for person in family["household"]["members"]:
        person["income"] = [{"kind": "pension", "monthly": "1000.00"}]
    return family


def test_an_open_fact_that_gives_the_same_answer_either_way_settles(answer_to, margin_pair):
    del member(margin_pair, "m2")["relation"]
    answer = answer_to(margin_pair)
    assert answer.result("dibao").outcome == "ineligible"
    assert answer.result("dibao_margin").outcome == "eligible"


def test_what_is_missing_is_named_in_the_order_of_the_conditions(answer_to, family):
    del family["household"]["assets"]["homes"]
    del member(family, "m2")["income"]
    del family["household"]["area_type"]
    family["parameters"] = {"old_age_allowance_counted": False}
    at = "household.members[m2].income"
    assert answer_to(family).result("dibao").missing_facts == ("household.area_type", at, "household.assets.homes")


def test_beside_an_open_fact_that_matters_one_that_does_not_is_not_named(answer_to, margin_pair):
    del member(margin_pair, "m2")["relation"]
    del margin_pair["household"]["assets"]["homes"]
    margin = answer_to(margin_pair).result("dibao_margin")
    assert (margin.outcome, margin.missing_facts) == ("undetermined", ("household.assets.homes",))


def test_among_too_many_combinations_one_that_does_not_matter_is_not_named(answer_to, margin_pair):
    del member(margin_pair, "m2")["relation"]
    del member(margin_pair)["disability"]
    del margin_pair["household"]["assets"]["homes"]
    margin_pair["parameters"] = {"single_person_amount_rule": "full_standard"}
    single = answer_to(margin_pair).result("dibao_single", "m1")
    assert single.missing_facts == ("household.members[m1].disability", "household.assets.homes")


def test_one_person_without_a_relation_is_the_head(answer_to, alone):
    del member(alone)["relation"]
    assert answer_to(alone).result("tekun", "m1").monthly_fen == 115500


def test_a_benefit_without_a_name_may_be_any(answer_to, alone):
    supporter = {"birth_date": "1960-01-01", "disability": None, "property_ok": True, "benefits": [{}]}
    member(alone)["supporters"] = [supporter]
    at = "household.members[m1].supporters[0].benefits"
    assert answer_to(alone).result("tekun", "m1").missing_facts == (at,)
    supporter["benefits"] = [{"programme": "old_age_allowance"}]
    assert answer_to(alone).result("tekun", "m1").outcome == "ineligible"
    supporter["benefits"] = [{}, {"programme": "tekun"}]
    assert answer_to(alone).result("tekun", "m1").outcome == "eligible"


@pytest.mark.parametrize(
    ("components", "outcome"),
    [
        ([{"category": "physical", "grade": 3}, {"category": "physical", "grade": 2}], "eligible"),
        ([{"category": "physical", "grade": 3}, {"category": "hearing", "grade": 1}], "ineligible"),
        ([{"category": "physical", "grade": 3}, {"category": "physical"}], "undetermined"),
        ([{"category": "hearing", "grade": 1}, {"grade": 1}], "undetermined"),
        ([{"category": "hearing", "grade": 1}, {"category": "speech"}], "ineligible"),
    ],
)
def test_of_several_disabilities_the_worst_of_each_kind_counts(answer_to, alone, components, outcome):
    member(alone)["birth_date"] = "1985-01-01"
    member(alone)["disability"] = {"category": "multiple", "grade": 1, "components": components}
    tekun = answer_to(alone).result("tekun", "m1")
    assert tekun.outcome == outcome
    named = ("household.members[m1].disability.components",) if outcome == "undetermined" else ()
    assert tekun.missing_facts == named


# --- exclusions -------------------------------------------------------------------------------------------------------


def test_support_of_the_destitute_excludes_dibao_and_says_so_on_both(answer_to, alone):
    answer = answer_to({**alone, "programmes": ["dibao", "tekun"]})
    dibao = answer.result("dibao")
    assert (dibao.outcome, dibao.excluded_by, dibao.monthly_fen) == ("ineligible", "tekun", None)
    assert answer.result("tekun", "m1").chosen_over == ("dibao",)
    assert answer.monthly_total_fen == 115500
    assert dibao.reasons[0].rule == "tekun.covers_household"


def test_nothing_is_excluded_where_its_own_tests_refuse(answer_to, alone):
    alone["household"]["assets"]["homes"] = 2
    answer = answer_to(alone)
    assert answer.result("dibao").excluded_by is None
    assert answer.result("tekun", "m1").chosen_over == ()


def test_while_the_winner_is_open_the_other_is_answered_and_names_it(answer_to, alone):
    del member(alone)["self_care_failures"]
    answer = answer_to(alone)
    dibao = answer.result("dibao")
    assert (dibao.outcome, dibao.monthly_fen) == ("eligible", 56000)
    assert (dibao.may_be_excluded_by, dibao.excluded_by) == (("tekun",), None)
    assert answer.category == "undetermined"


def test_what_is_not_asked_excludes_nothing_unless_drawn(answer_to, alone):
    alone["programmes"] = ["dibao"]
    assert answer_to(alone).result("dibao").monthly_fen == 56000
    member(alone)["benefits"] = [{"programme": "tekun", "monthly": "1155.00"}]
    assert answer_to(alone).result("dibao").excluded_by == "tekun"


def test_a_destitute_member_leaves_the_count_of_the_others(answer_to, family):
    member(family, "m2")["benefits"] = [{"programme": "tekun", "monthly": "1880.00"}]
    dibao = answer_to(family).result("dibao")
    assert (dibao.monthly_fen, dibao.excluded_by) == (2 * 94000 - 180000, None)


def test_a_confirmed_status_is_not_tested_again(answer_to, family):
    family["household"]["recognised_as"] = "dibao"
    family["household"]["assets"]["homes"] = 5
    answer = answer_to(family)
    assert answer.result("dibao").monthly_fen == 102000
    assert answer.category == "dibao"
    assert answer.result("dibao_margin").outcome == "ineligible"


def test_a_confirmed_layer_leaves_the_others_untested(answer_to, family):
    family["household"] |= {"recognised_as": "rigid_expenditure", "assets": {}}
    answer = answer_to(family)
    assert answer.result("dibao").excluded_by == "rigid_expenditure"
    assert answer.result("dibao").missing_facts == ()
    assert answer.category == "rigid_expenditure"


# --- categories -------------------------------------------------------------------------------------------------------


def test_the_category_is_none_where_everything_is_refused(answer_to, family):
    member(family)["income"][0]["monthly"] = "99999.00"
    assert answer_to(family).category == "none"


def test_the_category_is_open_only_where_a_higher_status_is(answer_to, family):
    family["programmes"] = ["dibao", "dibao_margin"]
    del family["household"]["assets"]["homes"]
    assert answer_to(family).category == "undetermined"
    family["programmes"] = ["dibao_margin"]
    assert answer_to(family).category == "none"


# --- presumptions and simulations -------------------------------------------------------------------------------------


def test_a_presumption_is_shown_where_it_was_used_and_only_there(answer_to, alone):
    alone["programmes"] = ["tekun"]
    member(alone)["supporters"] = [
        {"birth_date": "1990-01-01", "disability": None, "property_ok": True, "benefits": []}
    ]
    paths = [item.path for item in answer_to(alone).presumptions]
    at = "household.members[m1]"
    assert paths == [f"{at}.circumstances", f"{at}.supporters[0].circumstances", f"{at}.supporters[0].legal_capacity"]
    member(alone)["circumstances"] = []
    member(alone)["supporters"][0] |= {"circumstances": [], "legal_capacity": True}
    assert answer_to(alone).presumptions == ()


def test_events_that_are_not_given_are_presumed_not_to_be(answer_to, alone):
    alone |= {"as_of": "2026-03-01", "programmes": ["small_advance"]}
    answer = answer_to(alone)
    assert answer.result("small_advance").outcome == "ineligible"
    assert [item.path for item in answer.presumptions] == ["household.members[m1].circumstances", "events"]


def test_a_simulation_is_marked_and_its_figures_replace_the_packs(answer_to, family):
    family["parameters"] = {"dibao_standard": "1000.00", "work_cost_deduction": "100.00"}
    answer = answer_to(family)
    assert answer.simulation is True
    assert answer.result("dibao").monthly_fen == 3 * 100000 - 170000
    reason = next(r for r in answer.result("dibao").reasons if r.rule == "dibao.income_test")
    assert reason.figures == {}


def test_a_figure_of_another_programme_changes_nothing_but_the_mark(answer_to, family):
    family["programmes"] = ["dibao", "tekun"]
    plain = answer_to(family)
    family["parameters"] = {"rigid_ratio": "0.60", "rigid_comparator": ">"}
    answer = answer_to(family)
    assert answer.simulation is True
    assert [r.outcome for r in answer.results] == [r.outcome for r in plain.results]


def test_a_rule_that_no_pack_knows_is_refused_with_those_that_are(answer_to, family):
    family["parameters"] = {"medical_aid_rule": "any", "temporary_aid_rule": "whatever"}
    with pytest.raises(InvalidBody) as refused:
        answer_to(family)
    errors = refused.value.errors
    assert [error.pointer for error in errors] == ["/parameters/medical_aid_rule", "/parameters/temporary_aid_rule"]
    known = PACKS.prepare("420100", date(2023, 8, 1)).book.declarations["temporary_aid_rule"].codes
    assert all(code in errors[1].en and code in errors[1].zh for code in known)
    assert "whatever" not in errors[1].en


# --- the place of an emergency ----------------------------------------------------------------------------------------


def test_an_advance_follows_the_place_of_the_emergency(answer_to, family):
    family |= {
        "as_of": "2026-03-01",
        "programmes": ["small_advance"],
        "events": [{"kind": "fire", "on": "2026-02-28", "region": "530113", "requested": "1000.00", "persons": 1}],
    }
    answer = answer_to(family)
    advance = answer.result("small_advance")
    assert (advance.one_off_fen, advance.decision_level, advance.monthly_fen) == (74400, "township", None)
    assert answer.one_off_total_fen == 74400
    home, there = ["cn", "cn-420000", "cn-420100"], ["cn-530000", "cn-530100", "cn-530113"]
    assert [pack["id"] for pack in answer.packs] == home + there
    family["events"][0].pop("region")
    assert answer_to(family).result("small_advance").missing_parameters == ("dibao_standard",)


def test_everyone_is_affected_unless_it_is_said_how_many(answer_to, family):
    event = {"kind": "fire", "on": "2026-02-28", "region": "530113", "requested": "9000.00"}
    family |= {"as_of": "2026-03-01", "programmes": ["small_advance"], "events": [event]}
    assert answer_to(family).result("small_advance").one_off_fen == 3 * 74400


def test_what_a_department_holds_need_not_be_brought(answer_to, family):
    (dibao,) = read(answer_to({**family, "programmes": ["dibao"]}))["results"]
    assert [paper["id"] for paper in dibao["documents"]] == ["verification_consent"]
    held = {paper["id"]: paper["held_by"]["en"] for paper in dibao["documents_held"]}
    assert held["household_register"] == "public security" and "property_records" in held


def test_a_refused_result_asks_for_no_papers(answer_to, family):
    family["household"]["assets"]["homes"] = 3
    (dibao,) = read(answer_to({**family, "programmes": ["dibao"]}))["results"]
    assert (dibao["documents"], dibao["documents_held"]) == ([], [])
