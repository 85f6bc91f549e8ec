"""The policy's figures, made up: eighteen national ones and four regional series in four dated steps, in one place.

Money is in fen a month, a rate in ten-thousandths. Every engine gets its figures from here; only the standard library
is imported, since the peers run in an environment of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MONEY, RATE, INT = "money", "rate", "int"

NATIONAL: dict[str, tuple[str, tuple[tuple[str, int], ...]]] = {
    "work_cost_rate": (RATE, (("2023-07-01", 2_000), ("2025-01-01", 3_000))),
    "protected_wage_share": (RATE, (("2023-07-01", 5_000),)),
    "business_share": (RATE, (("2023-07-01", 7_000),)),
    "imputed_share": (RATE, (("2023-07-01", 6_000),)),
    "asset_months": (INT, (("2023-07-01", 24),)),
    "asset_months_small": (INT, (("2023-07-01", 36),)),
    "company_capital_max": (MONEY, (("2023-07-01", 10_000_000),)),
    "margin_multiplier": (RATE, (("2023-07-01", 15_000),)),
    "margin_asset_multiplier": (RATE, (("2023-07-01", 17_500),)),
    "tekun_multiplier": (RATE, (("2023-07-01", 13_000),)),
    "care_share_full": (RATE, (("2023-07-01", 5_500),)),
    "care_share_half": (RATE, (("2023-07-01", 2_750),)),
    "care_share_self": (RATE, (("2023-07-01", 925),)),
    "dibao_floor": (MONEY, (("2023-07-01", 5_000), ("2026-01-01", 8_000))),
    "supplement_share": (RATE, (("2023-07-01", 1_500),)),
    "rigid_ratio": (RATE, (("2023-07-01", 6_000),)),
    "emergency_months": (INT, (("2023-07-01", 3),)),
    "emergency_cap": (MONEY, (("2023-07-01", 1_500_000),)),
}
"""Name → kind and dated values. Two change inside the window."""

STEPS = ("2023-07-01", "2024-07-01", "2025-07-01", "2026-07-01")
SERIES = ("standard_urban", "standard_rural", "minimum_wage", "median_income")
AREAS = ("urban", "rural")

REGIONS = tuple(
    f"{province}{prefecture:02d}00"
    for province, prefectures in {
        "23": range(1, 7),
        "36": range(1, 12),
        "42": (*range(1, 4), *range(5, 14)),
        "43": range(1, 14),
        "53": (1, *range(3, 10)),
    }.items()
    for prefecture in prefectures
)
"""Fifty prefectures, by their code."""


def regional(region: str) -> dict[str, tuple[int, ...]]:
    """The four series of a region, each with a value for every step."""
    number = REGIONS.index(region)
    return {
        "standard_urban": tuple(71_100 + 700 * number + 3_300 * step for step in range(len(STEPS))),
        "standard_rural": tuple(52_400 + 600 * number + 4_100 * step for step in range(len(STEPS))),
        "minimum_wage": tuple(185_000 + 1_000 * number + 8_500 * step for step in range(len(STEPS))),
        "median_income": tuple(241_733 + 2_917 * number + 9_341 * step for step in range(len(STEPS))),
    }


@dataclass(frozen=True, slots=True)
class Figures:
    """What is in force for households of one region and area type on one day."""

    standard: int
    minimum_wage: int
    median_income: int
    work_cost_rate: int
    protected_wage_share: int
    business_share: int
    imputed_share: int
    asset_months: int
    asset_months_small: int
    company_capital_max: int
    margin_multiplier: int
    margin_asset_multiplier: int
    tekun_multiplier: int
    care_share_full: int
    care_share_half: int
    care_share_self: int
    dibao_floor: int
    supplement_share: int
    rigid_ratio: int
    emergency_months: int
    emergency_cap: int


@lru_cache(maxsize=4096)
def figures_at(region: str, area: str, on: str) -> Figures:
    """The figures of a place and area type on a day (ISO), looked up once."""
    series = {name: tuple(zip(STEPS, values, strict=True)) for name, values in regional(region).items()}
    national = {name: in_force(dated, on) for name, (_, dated) in NATIONAL.items()}
    return Figures(
        standard=in_force(series[f"standard_{area}"], on),
        minimum_wage=in_force(series["minimum_wage"], on),
        median_income=in_force(series["median_income"], on),
        **national,
    )


def in_force(dated: tuple[tuple[str, int], ...], on: str) -> int:
    """The last value that began on the day or before."""
    return [value for start, value in dated if start <= on][-1]


def days() -> Iterator[str]:
    """The first day of every step and of every change, and a day between: every set of figures, both sides."""
    changes = {start for _, dated in NATIONAL.values() for start, _ in dated}
    yield from sorted({*STEPS, *changes, "2024-06-30", "2024-12-31", "2025-12-31", "2026-09-15"})
