"""Figures of places that do not exist: each holds all that the nation's rules ask for, and each chooses otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from random import Random
from typing import Any

from services.shared.policy.evaluation import PreparedPolicy
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import ParameterDeclaration
from services.shared.policy.schema import RATE_SCALE

Figures = Mapping[Any, Any]
"""By name, or by name and keys: fen, counts, codes, yes or no, and rates as fractions. Absent is not held."""

YUAN = 100
QUICK_AID_SINCE = date(2026, 1, 29)
MAY_BE_UNHELD = (
    "supporter_age_max",
    "tekun_financial_asset_limit",
    "rigid_asset_months",
    "temporary_aid_months_max",
    "income_reference_series",
)
"""Figures of which the rules say what holds where a place has none."""
COUNTS = {
    "dibao_child_age": (0, 16),
    "supporter_age_max": (65, 70),
    "imputed_maintenance_family": (1, 3),
    "temporary_aid_months_max": (3, 6),
    "financial_asset_months": (12, 24),
    "rigid_asset_months": (24, 36),
    "homes_max": (1, 2),
    "child_rehabilitation_age_max": (6, 15),
    "small_advance_months": (1, 2),
    "township_limit_months": (1, 2),
}
RATES = {
    "margin_multiplier": ("1.2", "1.5", "2"),
    "imputed_maintenance_line": ("1", "1.5", "2"),
    "dibao_minimum_share": ("0", "0.2"),
    "temporary_aid_multiple": ("0.5", "2", "6.25"),
}
SHARES = ("0.1", "0.3333", "0.5", "0.75", "0.9")
AMOUNTS = {
    "dibao_standard": (60_000, 99_999),
    "dibao_standard_child": (100_000, 130_000),
    "dibao_tier_amount": (20_000, 60_000),
    "dibao_tier_a_below": (10_000, 30_000),
    "dibao_tier_b_below": (40_000, 60_000),
    "dibao_supplement": (0, 20_000),
    "per_capita_disposable_income": (2_000_000, 3_600_000),
    "minimum_wage": (150_000, 200_000),
    "work_cost_deduction": (0, 30_000),
    "tekun_basic_standard": (90_000, 130_000),
    "orphan_standard_scattered": (110_000, 150_000),
    "financial_asset_limit": (1_000_000, 3_000_000),
    "tekun_financial_asset_limit": (500_000, 900_000),
    "business_capital_max": (1_000_000, 10_000_000),
    "medical_aid_cap": (1_000_000, 3_000_000),
    "medical_aid_deductible": (0, 500_000),
    "medical_reaid_threshold": (100_000, 500_000),
    "medical_reaid_cap": (100_000, 2_000_000),
    "temporary_aid_limit": (80_000, 500_000),
}
OTHER_AMOUNTS = (0, 25_000)


def figures_of_a_place(policy: PreparedPolicy, chance: Random) -> dict[Any, Any]:
    """A value for every figure that the nation's rules on a date ask for, but some that a place need not hold."""
    figures = {}
    unheld = {name for name in MAY_BE_UNHELD if chance.random() < 0.5} | _unheld_limits(policy, chance)
    for name, keys in _asked_for(policy):
        if name not in unheld:
            figures[(name, *keys) if keys else name] = _value(policy.book.declarations[name], chance)
    return figures


def _unheld_limits(policy: PreparedPolicy, chance: Random) -> set[str]:
    """Of two ways to limit the same a place holds one; before 2026 the cap of an advance was each place's."""
    unheld = {chance.choice(("financial_asset_limit", "financial_asset_months"))}
    unheld |= set(chance.sample(("township_limit", "township_limit_months"), chance.randint(0, 2)))
    if policy.book.on >= QUICK_AID_SINCE and chance.random() < 0.5:
        unheld.add("small_advance_cap")
    return unheld


def _asked_for(policy: PreparedPolicy) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, table in policy.parameters.items():
        for keys in table:
            yield name, keys


def _value(declared: ParameterDeclaration, chance: Random) -> Any:
    if declared.type == "enum":
        return chance.choice(declared.codes)
    if declared.type == "bool":
        return chance.random() < 0.5
    if declared.type == "rate":
        return Fraction(chance.choice(RATES.get(declared.name, SHARES)))
    if declared.type == "int":
        return chance.choice(COUNTS[declared.name])
    least, most = AMOUNTS.get(declared.name, OTHER_AMOUNTS)
    return chance.randint(least, most) if chance.random() < 0.5 else chance.randint(least, most) // YUAN * YUAN


def with_figures(policy: PreparedPolicy, figures: Figures) -> PreparedPolicy:
    """The policy with these figures and no others."""
    return replace(policy, parameters={name: _table(name, table, figures) for name, table in policy.parameters.items()})


def _table(name: str, table: Mapping[tuple[str, ...], Any], figures: Figures) -> Mapping[tuple[str, ...], Any]:
    absent = Unknown(f"parameter:{name}")
    found = {keys: figures.get((name, *keys) if keys else name, absent) for keys in table}
    return {keys: _scaled(value) for keys, value in found.items()}


def _scaled(value: Any) -> Any:
    return int(value * RATE_SCALE) if isinstance(value, Fraction) else value
