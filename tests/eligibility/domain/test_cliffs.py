"""Cliffs are found to the fen, named with what is lost, and the curve is what one determination at a time says."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from services.cli import main_job
from services.cli.cliff_chart import chart_of
from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.cliffs import CliffsRefused, find_cliffs
from services.eligibility.domain.determination import evaluate
from tests.eligibility.proof.worlds import shipped

REQUESTS = Path(main_job.__file__).parent / "requests"
DISABLED = {
    "disability": {"category": "physical", "grade": 1},
    "work_injury_care_fee": False,
    "needs_long_term_care": False,
    "benefits": [],
}


def body(**member):
    found = json.loads((REQUESTS / "wuhan_couple.json").read_text(encoding="utf-8"))
    found["household"]["members"][0] |= member
    found |= {"as_of": "2026-06-01", "parameters": {"dibao_standard": "940.00"}}
    return found


def curve_of(body, to_fen=400_000, step_fen=10_000, **options):
    request = parse_request(json.dumps(body).encode())
    policy = shipped().prepare(request.region, request.as_of)
    found = find_cliffs(policy, request, request.household["members"][0]["id"], "wage", to_fen, step_fen, **options)
    return policy, request, found


def with_wage(request, fen):
    member, *others = request.household["members"]
    income = [item for item in member.get("income", ()) if item["kind"] != "wage"]
    members = [{**member, "income": [*income, {"kind": "wage", "monthly": fen}]}, *others]
    return replace(request, household={**request.household, "members": members})


@pytest.fixture(scope="module")
def disabled():
    """A couple of whom one is severely disabled: the living subsidy ends where dibao and the margin do."""
    return curve_of(body(**DISABLED))


def test_every_point_is_what_a_determination_says(disabled):
    policy, request, curve = disabled
    for point in curve.points[:: max(len(curve.points) // 25, 1)]:
        answer = evaluate(policy, with_wage(request, point.income_fen))
        granted = {
            (each.programme, each.subject): each.paid_fen for each in answer.results if each.outcome == "eligible"
        }
        assert (point.support_fen, dict(point.granted)) == (answer.monthly_total_fen, granted)


def test_a_cliff_is_found_to_the_fen_and_named(disabled):
    policy, request, curve = disabled
    assert curve.cliffs
    for cliff in curve.cliffs:
        assert cliff.beyond.income_fen == cliff.at.income_fen + 1
        at, beyond = (
            evaluate(policy, with_wage(request, fen)) for fen in (cliff.at.income_fen, cliff.beyond.income_fen)
        )
        loss = at.monthly_total_fen - beyond.monthly_total_fen
        assert cliff.loss_fen == loss - 1 >= 1_000
        assert cliff.lost or cliff.less
        for programme, subject in cliff.lost:
            assert at.result(programme, subject).outcome == "eligible"
            assert beyond.result(programme, subject).outcome != "eligible"


def test_even_again_is_the_least_income_with_as_much(disabled):
    policy, request, curve = disabled
    cliff = curve.cliffs[-1]
    assert cliff.even_again_fen is not None

    def disposable(fen):
        return evaluate(policy, with_wage(request, fen)).monthly_total_fen + fen

    assert disposable(cliff.even_again_fen) >= disposable(cliff.at.income_fen) > disposable(cliff.even_again_fen - 1)


@pytest.mark.parametrize("step_fen", [700, 33_333, 400_000])
def test_no_cliff_is_stepped_over(disabled, step_fen):
    expected = [(cliff.at.income_fen, cliff.loss_fen, cliff.lost) for cliff in disabled[2].cliffs]
    _, _, curve = curve_of(body(**DISABLED), step_fen=step_fen)
    assert [(cliff.at.income_fen, cliff.loss_fen, cliff.lost) for cliff in curve.cliffs] == expected


def test_aid_that_fills_a_gap_is_no_cliff():
    _, _, curve = curve_of(body())
    assert curve.cliffs == () and curve.points[0].support_fen > curve.points[-1].support_fen
    assert [key for before, after in curve.lines for key in before.granted if key not in after.granted]


@pytest.mark.parametrize("fen", [0, 1])
def test_the_least_drop_counts_and_one_fen_less_does_not(disabled, fen):
    loss = max(cliff.loss_fen for cliff in disabled[2].cliffs)
    _, _, curve = curve_of(body(**DISABLED), least_fen=loss + fen)
    assert bool(curve.cliffs) is (fen == 0)


@pytest.mark.parametrize(
    ("member", "to_fen", "step_fen", "least_fen"),
    [("m9", 100, 1, 1), ("m1", 100, 0, 1), ("m1", 100, 101, 1), ("m1", 2_001, 1, 1), ("m1", 100, 1, 0)],
)
def test_what_makes_no_range_is_refused(member, to_fen, step_fen, least_fen):
    request = parse_request(json.dumps(body()).encode())
    policy = shipped().prepare(request.region, request.as_of)
    with pytest.raises(CliffsRefused):
        find_cliffs(policy, request, member, "wage", to_fen, step_fen, least_fen)


def test_the_chart_shows_each_cliff(disabled):
    chart = chart_of(disabled[2])
    assert chart.startswith("<svg") and chart.count("#c62828") == 1 + 2 * len(disabled[2].cliffs)
