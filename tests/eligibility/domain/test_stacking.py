"""What no answer may grant together: what audits of the rolls look for."""

import json

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.determination import evaluate
from services.eligibility.domain.kinship import parents_of
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.vocabulary.money import fen_of

PACKS = pack_set_of(read_packs())
quick = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PROGRAMMES = (
    "dibao",
    "dibao_single",
    "tekun",
    "orphan_allowance",
    "unsupported_child_allowance",
    "dibao_margin",
    "disability_living_subsidy",
    "disability_care_subsidy",
    "old_age_allowance",
    "elderly_care_subsidy",
)
DRAWN = tuple(code for code in PROGRAMMES if code != "dibao_margin")
FIGURES = {
    "dibao_standard": "600.00",
    "margin_multiplier": "1.5",
    "single_person_amount_rule": "full_standard",
    "base_pension_counted": False,
    "per_capita_disposable_income": "24000.00",
    "tekun_basic_standard": "900.00",
    "tekun_care_full": "700.00",
    "tekun_care_half": "300.00",
    "tekun_care_self": "100.00",
    "orphan_standard_scattered": "1370.00",
    "orphan_standard_institution": "2010.00",
    "disability_living_rate": "110.00",
    "disability_living_extends_to_margin": True,
    "disability_care_rate_1": "130.00",
    "disability_care_rate_2": "120.00",
    "disability_care_rate_3": "60.00",
    "disability_care_extension": "intellectual_mental_3_4",
    "old_age_allowance_80": "50.00",
}

parent = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["dead", "missing", "able", "severely_disabled", "imprisoned", "lost_contact"]),
        "since": st.sampled_from(["2020-01-01", "2025-06-01"]),
    }
)
benefits = st.lists(
    st.fixed_dictionaries(
        {"programme": st.sampled_from(DRAWN), "monthly": st.sampled_from(["0.01", "110.00", "130.00", "1369.99"])}
    ),
    max_size=2,
    unique_by=lambda item: item["programme"],
)
person = st.fixed_dictionaries(
    {
        "birth_date": st.sampled_from(["1940-01-01", "1962-03-01", "1980-01-15", "2010-01-01", "2015-04-01"]),
        "sex": st.sampled_from(["male", "female"]),
        "disability": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {
                    "category": st.sampled_from(["visual", "physical", "intellectual", "mental"]),
                    "grade": st.integers(1, 4),
                }
            ),
        ),
        "serious_illness": st.booleans(),
        "employment": st.sampled_from(["unemployed", "not_in_labour_force"]),
        "student": st.none(),
        "income": st.sampled_from([[], [], [{"kind": "property", "monthly": "650.00"}]]),
        "benefits": st.one_of(st.just([]), benefits),
        "circumstances": st.sampled_from([[], [], [], ["imprisoned"], ["deceased"]]),
        "supporters": st.just([]),
        "parents": st.lists(parent, max_size=2),
        "self_care_failures": st.sampled_from([0, 3, 6]),
        "care_arrangement": st.sampled_from(["home", "institution"]),
        "needs_long_term_care": st.sampled_from([True, True, False]),
        "work_injury_care_fee": st.sampled_from([False, False, True]),
        "ability_level": st.sampled_from(["intact", "severe"]),
    }
)

HIDDEN = ("birth_date", "disability", "income", "benefits", "parents", "needs_long_term_care", "ability_level")


@st.composite
def bodies(draw):
    members = draw(st.lists(person, min_size=1, max_size=3))
    relations = ["head", draw(st.sampled_from(["spouse", "parent", "grandchild"])), "sibling"]
    for index, member in enumerate(members):
        member |= {"id": f"m{index}", "relation": relations[index]}
    household = {
        "area_type": "rural",
        "members": members,
        "assets": {"financial": "0.00", "vehicles": [], "homes": 1, "non_residential": 0, "businesses": []},
    }
    if recognised := draw(st.sampled_from([None, None, "dibao", "dibao_margin", "tekun"])):
        household["recognised_as"] = recognised if recognised != "tekun" or len(members) == 1 else "dibao"
    return {
        "as_of": "2025-08-01",
        "region": "410000",
        "household": household,
        "programmes": draw(st.lists(st.sampled_from(PROGRAMMES), min_size=5, unique=True)),
        "parameters": FIGURES | {"elderly_care_subsidy_rate": draw(st.sampled_from(["119.99", "120.00", "120.01"]))},
    }


def answer(body):
    request = parse_request(json.dumps(body).encode())
    return evaluate(PACKS.prepare(request.region, request.as_of), request)


def roll(results):
    """Who is granted what: programmes by subject."""
    granted = {}
    for result in results:
        if result.outcome == "eligible":
            granted.setdefault(result.subject, set()).add(result.programme)
    return granted


OWN = tuple(code for code in PROGRAMMES if not code.startswith(("dibao", "tekun")))
CARE = ("disability_care_subsidy", "elderly_care_subsidy")
SUBSIDIES = {"disability_living_subsidy", "disability_care_subsidy"}


def audit(body, results):
    """Hold one set of grants to the audit's rules, by person."""
    granted = roll(results)
    of_household = granted.get("household", set())
    members = {member["id"]: member for member in body["household"]["members"]}
    for name, member in members.items():
        own = granted.get(name, set())
        drawn = {item["programme"] for item in member.get("benefits", ())}
        assert not ("dibao" in of_household and "dibao_single" in own)
        if len(members) == 1 and "dibao" in of_household:
            assert not own & {"tekun", "orphan_allowance", "dibao_single"}
        if "tekun" in own:
            assert not own & {*SUBSIDIES, "elderly_care_subsidy", "dibao_single", "orphan_allowance"}
            assert "unsupported_child_allowance" not in own or "tekun" in drawn
        if member["work_injury_care_fee"]:
            assert not own & {*SUBSIDIES, "elderly_care_subsidy"}
        if own & {"orphan_allowance"} or "orphan_allowance" in drawn:
            assert not own & {"tekun", "unsupported_child_allowance", "disability_living_subsidy", "dibao_single"}
        paid_in_full = not drawn & {"dibao", "dibao_single", "tekun", "disability_living_subsidy"}
        if "unsupported_child_allowance" in own and paid_in_full:
            assert "disability_living_subsidy" not in own
        assert not {"disability_care_subsidy", "elderly_care_subsidy"} <= own
        if "tekun" in drawn and not {"orphan_allowance", "unsupported_child_allowance"} & (own | drawn):
            assert not own & SUBSIDIES


@quick
@given(bodies())
def test_no_answer_grants_what_excludes_itself(body):
    given_answer = answer(body)
    audit(body, given_answer.results)
    audit(body, given_answer.combination.results)


@quick
@given(bodies(), st.data())
def test_nor_does_one_where_facts_are_not_known(body, data):
    member = data.draw(st.sampled_from(body["household"]["members"]))
    hidden = data.draw(st.sets(st.sampled_from(HIDDEN), min_size=1, max_size=2))
    # Who lives with a parent has said so by the relation, whatever the list of parents said.
    assume("parents" not in hidden or not parents_of(member, body["household"]["members"]))
    for key in hidden:
        del member[key]
    audit(body, [result for result in answer(body).results if not result.may_be_excluded_by])


@quick
@given(bodies(), st.integers(1, 2), st.sampled_from(["59.99", "120.00", "120.01", "130.00", "130.01"]))
def test_of_two_care_subsidies_the_higher_is_granted_and_of_equal_ones_the_first(body, grade, rate):
    old = body["household"]["members"][0] | {"birth_date": "1940-01-01", "ability_level": "severe"}
    old |= {"disability": {"category": "physical", "grade": grade}, "needs_long_term_care": True}
    old |= {"work_injury_care_fee": False, "circumstances": [], "benefits": []}
    household = {**body["household"], "members": [old], "recognised_as": "dibao"}
    parameters = {**body["parameters"], "elderly_care_subsidy_rate": rate}
    asked = {**body, "household": household, "parameters": parameters, "programmes": list(CARE)}
    paid = {result.programme: result.monthly_fen for result in answer(asked).results if result.outcome == "eligible"}
    care, elderly = {1: 13_000, 2: 12_000}[grade], fen_of(rate)
    assert paid == ({CARE[0]: care} if care >= elderly else {CARE[1]: elderly})


@quick
@given(bodies())
def test_what_gives_way_names_its_winner_and_what_it_would_have_paid(body):
    results = answer(body).results
    for result in results:
        if result.excluded_by is None:
            continue
        assert (result.outcome, result.monthly_fen) == ("ineligible", None)
        assert result.forgone_fen is not None or result.programme == "dibao_margin"
        for winner in results:
            if winner.programme == result.excluded_by and winner.subject == result.subject:
                drawn = {item["programme"] for item in _member(body, result.subject).get("benefits", ())}
                recognised = body["household"].get("recognised_as")
                assert winner.outcome == "eligible" or winner.programme in drawn or winner.programme == recognised


@quick
@given(bodies())
def test_the_best_combination_pays_no_less_than_the_answer(body):
    given_answer = answer(body)
    assert given_answer.combination.monthly_fen >= given_answer.monthly_total_fen


@quick
@given(bodies(), st.sampled_from(OWN), st.data())
def test_hiding_facts_keeps_the_outcome_or_opens_it_or_names_what_may_exclude_it(body, programme, data):
    asked = {**body, "programmes": [programme]}
    known = {result.subject: result for result in answer(asked).results}
    member = data.draw(st.sampled_from(body["household"]["members"]))
    hidden = data.draw(st.sets(st.sampled_from(HIDDEN), min_size=1, max_size=2))
    # Who lives with a parent has said so by the relation, whatever the list of parents said.
    assume("parents" not in hidden or not parents_of(member, body["household"]["members"]))
    for key in hidden:
        del member[key]
    for result in answer(asked).results:
        if result.outcome == "undetermined":
            assert result.missing_facts or result.missing_parameters
        elif not result.may_be_excluded_by:
            before = known[result.subject]
            assert (result.outcome, result.monthly_fen) == (before.outcome, before.monthly_fen)


@quick
@given(bodies(), st.data())
def test_an_orphan_is_not_counted_for_dibao(body, data):
    """A household with an orphan draws the dibao that it would draw without the child."""
    members = body["household"]["members"]
    adult = members[0] | {"birth_date": "1980-01-15", "benefits": [], "circumstances": [], "income": []}
    child = members[-1] | {"id": "child", "relation": "grandchild", "birth_date": "2015-04-01"}
    child |= {"benefits": [], "circumstances": [], "parents": [], "income": []}
    asked = {**body, "programmes": ["dibao", "orphan_allowance"]}
    alone = {**asked, "household": {**body["household"], "members": [adult]}}
    both = {**asked, "household": {**body["household"], "members": [adult, child]}}
    assert answer(both).result("dibao").monthly_fen == answer(alone).result("dibao").monthly_fen
    assert answer(both).result("orphan_allowance", "child").outcome == "eligible"


def _member(body, subject):
    return next((member for member in body["household"]["members"] if member["id"] == subject), {})
