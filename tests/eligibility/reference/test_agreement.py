"""The engine on the nation's pack and the plain reading agree on every output of thousands of households."""

import json
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.determination import evaluate
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.evaluation import PackSet, PreparedPolicy
from services.shared.policy.open_value import Unknown
from services.shared.policy.schema import RATE_SCALE
from tests.eligibility.reference.answer import read
from tests.eligibility.reference.figures import figures_of_a_place, with_figures
from tests.eligibility.reference.home import Finding
from tests.eligibility.reference.households import DATES, REGION, household

PLACES = 8
"""Sets of figures a date."""
HOUSEHOLDS = 100
"""Households a set of figures."""
EXAMPLES = 500

Body = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Figures, and the nation's rules on a date with them."""

    on: str
    figures: dict[Any, Any]
    policy: PreparedPolicy


@cache
def nation() -> PackSet:
    return pack_set_of(pack for pack in read_packs() if pack.id == "cn")


@cache
def place(on: str, number: int) -> Place:
    policy = nation().prepare(REGION, date.fromisoformat(on))
    figures = figures_of_a_place(policy, Random(f"{on} {number}"))
    return Place(on, figures, with_figures(policy, figures))


def differences(body: Body, where: Place) -> list[str]:
    """Every output of which the engine says one thing and the reading another."""
    answer = evaluate(where.policy, parse_request(json.dumps(body).encode()))
    reading = read(body, where.figures)
    expected = dict(reading.findings)
    found = []
    for result in answer.results:
        finding = expected.pop((result.programme, result.subject), None)
        if not _agree(result, finding):
            found.append(f"{result.programme} of {result.subject}: {_said(result)}, read {finding}")
    found += [f"{key}: not answered" for key in expected]
    if answer.category != reading.category:
        found.append(f"category: {answer.category}, read {reading.category}")
    if answer.monthly_total_fen != reading.monthly:
        found.append(f"in all {answer.monthly_total_fen} a month, read {reading.monthly}")
    return found


def _said(result: Any) -> tuple[Any, ...]:
    amount = result.one_off_fen if result.monthly_fen is None else result.monthly_fen
    level = result.decision_level if result.programme == "temporary_aid" else None
    return result.outcome, amount, result.excluded_by, result.months, level


def _agree(result: Any, finding: Finding | None) -> bool:
    outcome, amount, excluded_by, months, level = _said(result)
    if finding is None:
        # What was asked for and is no rule of the nation's on the day.
        return bool(outcome == "undetermined")
    if not finding.is_granted:
        by = {None} if not finding.passes else finding.excluded_by
        return outcome == "ineligible" and excluded_by in by and amount is None
    expected = ("eligible", finding.amount, None, finding.months, finding.level)
    return (outcome, amount, excluded_by, months, level) == expected


def shown(body: Body) -> str:
    return json.dumps(body, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("on", DATES)
def test_the_engine_agrees_with_the_plain_reading_at_every_threshold(on):
    for number in range(PLACES):
        where = place(on, number)
        chance = Random(f"households {on} {number}")
        for _ in range(HOUSEHOLDS):
            body = household(chance, on, where.figures)
            assert not (found := differences(body, where)), "\n".join([*found, shown(body)])


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(DATES), st.integers(0, PLACES - 1), st.randoms(use_true_random=False))
def test_the_engine_agrees_with_the_plain_reading_on_whatever_hypothesis_makes(on, number, chance):
    where = place(on, number)
    body = household(chance, on, where.figures)
    assert not (found := differences(body, where)), "\n".join([*found, shown(body)])


@pytest.mark.parametrize(
    ("on", "multiplier", "base_pension"),
    [
        ("2021-07-01", Fraction("1.5"), False),
        ("2025-12-31", Fraction("1.5"), False),
        ("2026-01-01", Fraction("1.5"), None),
        ("2026-06-30", Fraction("1.5"), None),
        ("2026-07-01", None, None),
    ],
)
def test_the_nation_holds_these_two_figures_only_as_long_as_the_law_does(on, multiplier, base_pension):
    policy = nation().prepare(REGION, date.fromisoformat(on))
    assert _held(policy, "margin_multiplier") == (multiplier and multiplier * RATE_SCALE)
    assert _held(policy, "base_pension_counted") is base_pension


def _held(policy: PreparedPolicy, name: str) -> Any:
    value = policy.parameters[name][()]
    return None if isinstance(value, Unknown) else value
