"""The best lawful combination: what to leave unasked, and what never."""

import json

import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import Result
from services.eligibility.domain.combination import MAX_CHOICES, best_combination
from services.eligibility.domain.determination import evaluate
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.pack import Exclusion

PAYS = {"tekun": 1_000, "dibao": 600, "disability_living_subsidy": 110, "disability_care_subsidy": 120}


def excludes(winner, *losers, binding=False):
    return [Exclusion(winner, loser, "rule", binding) for loser in losers]


class Office:
    """Grants what is asked for but what a winner that is asked for excludes; remembers what it was asked."""

    def __init__(self, pays, exclusions, open_programmes=()):
        self.pays, self.exclusions, self.open_programmes, self.asked = pays, exclusions, open_programmes, []

    def results(self, programmes):
        self.asked.append(programmes)
        acting = [item for item in self.exclusions if {item.winner, item.loser} <= set(programmes)]
        return [self._result(code, acting) for code in programmes]

    def _result(self, code, acting):
        if code in self.open_programmes:
            return Result(code, "basic", "m1", "undetermined")
        if code in {item.loser for item in acting}:
            return Result(code, "basic", "m1", "ineligible")
        losers = tuple(item.loser for item in acting if item.winner == code)
        return Result(code, "basic", "m1", "eligible", monthly_fen=self.pays[code], chosen_over=losers)

    def best(self):
        asked = tuple(self.pays)
        return best_combination(self.results(asked), asked, self.exclusions, self.results)


EVERYTHING_ELSE = ("dibao", "disability_living_subsidy", "disability_care_subsidy")


@pytest.mark.parametrize(("tekun", "left_out", "monthly"), [(829, ("tekun",), 830), (830, (), 830), (831, (), 831)])
def test_what_pays_less_than_all_that_it_excludes_is_left_unasked_and_of_equal_sums_nothing_is(
    tekun, left_out, monthly
):
    best = Office({**PAYS, "tekun": tekun}, excludes("tekun", *EVERYTHING_ELSE)).best()
    assert (best.left_out, best.monthly_fen) == (left_out, monthly)
    assert {result.programme for result in best.results} == (set(EVERYTHING_ELSE) if left_out else {"tekun"})


def test_what_the_law_imposes_is_never_left_out():
    office = Office({**PAYS, "tekun": 1}, excludes("tekun", *EVERYTHING_ELSE, binding=True))
    assert office.best().monthly_fen == 1
    assert all("tekun" in programmes for programmes in office.asked)


def test_one_binding_exclusion_binds_its_winner_in_all():
    exclusions = [*excludes("tekun", "dibao", binding=True), *excludes("tekun", "disability_care_subsidy")]
    assert Office({**PAYS, "tekun": 1}, exclusions).best().left_out == ()


@pytest.mark.parametrize("exclusion", [("temporary_aid", "dibao"), ("dibao", "tekun_of_another"), ("x", "tekun")])
def test_where_nothing_is_given_up_nothing_is_tried(exclusion):
    office = Office(PAYS, excludes(*exclusion))
    office.best()
    assert office.asked == [tuple(PAYS)]


def test_two_are_left_out_together_where_each_alone_gains_nothing():
    pays = {"orphan_allowance": 300, "tekun": 300, "dibao": 700}
    best = Office(pays, [*excludes("orphan_allowance", "dibao"), *excludes("tekun", "dibao")]).best()
    assert (best.left_out, best.monthly_fen) == (("orphan_allowance", "tekun"), 700)


def test_no_more_than_so_many_are_tried_with_and_without():
    pays = {f"aid_{number}": 1 for number in range(MAX_CHOICES + 2)}
    office = Office({**pays, "dibao": 1}, [item for code in pays for item in excludes(code, "dibao")])
    office.best()
    assert len(office.asked) == 2**MAX_CHOICES


@pytest.mark.parametrize(("still_open", "settled"), [((), True), (("dibao",), False)])
def test_it_is_settled_when_nothing_of_it_is_open(still_open, settled):
    assert Office(PAYS, [], still_open).best().is_settled is settled


DESTITUTE = {
    "as_of": "2025-08-01",
    "region": "410000",
    "household": {
        "area_type": "rural",
        "members": [
            {
                "id": "m1",
                "relation": "head",
                "birth_date": "1962-03-01",
                "disability": {"category": "physical", "grade": 2},
                "serious_illness": False,
                "employment": "not_in_labour_force",
                "income": [],
                "benefits": [],
                "supporters": [],
                "self_care_failures": 0,
                "care_arrangement": "home",
                "needs_long_term_care": True,
                "work_injury_care_fee": False,
            }
        ],
        "assets": {"financial": "0.00", "vehicles": [], "homes": 1, "non_residential": 0, "businesses": []},
    },
    "programmes": ["dibao", "tekun", "disability_living_subsidy", "disability_care_subsidy"],
    "parameters": {
        "dibao_standard": "600.00",
        "tekun_care_self": "100.00",
        "disability_living_rate": "110.00",
        "disability_care_rate_2": "120.00",
    },
}


@pytest.mark.parametrize(
    ("basic", "left_out", "monthly"), [("729.99", ("tekun",), 83_000), ("730.00", (), 83_000), ("730.01", (), 83_001)]
)
def test_a_destitute_person_is_told_where_dibao_and_subsidies_would_pay_more(basic, left_out, monthly):
    body = {**DESTITUTE, "parameters": {**DESTITUTE["parameters"], "tekun_basic_standard": basic}}
    request = parse_request(json.dumps(body).encode())
    answer = evaluate(pack_set_of(read_packs()).prepare(request.region, request.as_of), request)
    assert answer.result("tekun", "m1").outcome == "eligible"
    assert (answer.combination.left_out, answer.combination.monthly_fen) == (left_out, monthly)
    assert answer.combination.is_settled
