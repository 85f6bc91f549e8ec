"""What a change of policy does to a population: the figures that are counted, and their one spelling outside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.shared.vocabulary.money import FEN_PER_YUAN, yuan_of
from services.shared.vocabulary.region import place_of

MONTHS_A_YEAR = 12

RegionLevel = Literal["province", "prefecture", "county"]
REGION_LEVELS: Mapping[RegionLevel, int] = {"province": 2, "prefecture": 4, "county": 6}
"""How many digits of a region's code name the place on each level."""

DECILES = 10
FINE_BUCKET_FEN, FINE_BUCKETS = FEN_PER_YUAN, 10_000
COARSE_BUCKET_FEN, COARSE_BUCKETS = 100 * FEN_PER_YUAN, 9_900
"""Incomes a head are counted in steps of one yuan below 10,000 yuan a month, of a hundred yuan below a million."""
FINE_END_FEN = FINE_BUCKET_FEN * FINE_BUCKETS
INCOME_BUCKETS = FINE_BUCKETS + COARSE_BUCKETS + 1
"""The last bucket has no end; what is below nothing is in the first."""

MOVES = (
    "before",
    "after",
    "gained",
    "lost",
    "more",
    "less",
    "settled",
    "unsettled",
    "undetermined_before",
    "undetermined_after",
)
"""What is counted of a programme: granted before and after; granted anew and no longer, both sides being certain; more
and less; undetermined before and granted now, granted before and undetermined now; undetermined. Always
after = before + gained - lost + settled - unsettled.
"""

MONEY_MOVES = ("gained", "lost", "more", "less", "undetermined_before", "undetermined_after")
"""The same of all monthly aid together: some where there was none, none where there was some, and so on."""
GROUP = (
    "households",
    "persons",
    "monthly_before_fen",
    "monthly_after_fen",
    "one_off_before_fen",
    "one_off_after_fen",
    *(f"households_{name}" for name in MONEY_MOVES),
    *(f"persons_{name}" for name in MONEY_MOVES),
)
"""What is counted of a group of households: the whole, a region or a tenth."""

Numbers = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProgrammeFigures:
    """One programme over a population; `households` and `persons` have the names of MOVES."""

    programme: str
    is_monthly: bool
    pays: bool
    households: Numbers
    persons: Numbers
    before_fen: int
    after_fen: int
    uncertain_fen: int
    """How much of the difference comes of households that are undetermined on one side."""


@dataclass(frozen=True, slots=True)
class ReformFigures:
    """All figures over the rows that were read; `by_income` has a bucket of incomes a head → its group.

    Groups have the names of GROUP. `income_unknown` are the households whose income a head is open under the baseline.
    """

    rows: int
    rejected: int
    losers: int
    total: Numbers
    programmes: Sequence[ProgrammeFigures]
    by_region: Mapping[str, Numbers]
    by_income: Mapping[int, Numbers]
    income_unknown: Numbers | None


def income_from(bucket: int) -> int:
    """The least income a head, in fen, of a bucket."""
    if bucket <= FINE_BUCKETS:
        return bucket * FINE_BUCKET_FEN
    return FINE_END_FEN + (bucket - FINE_BUCKETS) * COARSE_BUCKET_FEN


@dataclass(frozen=True, slots=True)
class Decile:
    """A tenth of the households by income a head: those from `from_fen` on and below `until_fen` (None: no end)."""

    number: int
    from_fen: int
    until_fen: int | None
    group: Numbers


def deciles_of(by_income: Mapping[int, Numbers]) -> list[Decile]:
    """The tenths, cut between buckets: households with incomes in the same bucket are never parted.

    So a tenth is one only to the size of a bucket, and where one bucket holds several tenths there are fewer than ten;
    each says how many households it has. Every bound and sum is exact.
    """
    everyone, passed = sum(group["households"] for group in by_income.values()), 0
    found: dict[int, tuple[list[int], dict[str, int]]] = {}
    for bucket in sorted(by_income):
        group = by_income[bucket]
        # A bucket belongs where its middle household stands.
        number = (2 * passed + group["households"]) * DECILES // (2 * everyone) + 1
        passed += group["households"]
        buckets, sums = found.setdefault(min(number, DECILES), ([], dict.fromkeys(GROUP, 0)))
        buckets.append(bucket)
        for name in GROUP:
            sums[name] += group[name]
    numbers = sorted(found)
    starts = [income_from(found[number][0][0]) for number in numbers]
    ends: list[int | None] = [*starts[1:], None][: len(starts)]
    return [
        Decile(number, start, end, found[number][1]) for number, start, end in zip(numbers, starts, ends, strict=True)
    ]


# --- as it is told -------------------------------------------------------------------------------------------------


def shown_figures(figures: ReformFigures) -> dict[str, Any]:
    """The figures as JSON has them: amounts as yuan with two places."""
    unknown = figures.income_unknown
    return {
        "rows": {"counted": figures.total["households"], "rejected": figures.rejected},
        "total": _group(figures.total),
        "programmes": [_programme(item) for item in figures.programmes],
        "by_region": [_region(code, group) for code, group in sorted(figures.by_region.items())],
        "by_decile": [_decile(decile) for decile in deciles_of(figures.by_income)],
        "income_unknown": None if unknown is None else _group(unknown),
        "losers": figures.losers,
    }


def cost_of(before_fen: int, after_fen: int) -> dict[str, str]:
    """What is paid before and after, and the difference, which is negative where money is saved."""
    return {"before": yuan_of(before_fen), "after": yuan_of(after_fen), "cost": yuan_of(after_fen - before_fen)}


def _costs(monthly: tuple[int, int], one_off: tuple[int, int]) -> Iterator[tuple[str, dict[str, str]]]:
    yield "monthly", cost_of(*monthly)
    yield "yearly", cost_of(*(fen * MONTHS_A_YEAR for fen in monthly))
    yield "one_off", cost_of(*one_off)


def _group(group: Numbers) -> dict[str, Any]:
    monthly = (group["monthly_before_fen"], group["monthly_after_fen"])
    one_off = (group["one_off_before_fen"], group["one_off_after_fen"])
    return {
        **dict(_costs(monthly, one_off)),
        "households": {"all": group["households"], **{name: group[f"households_{name}"] for name in MONEY_MOVES}},
        "persons": {"all": group["persons"], **{name: group[f"persons_{name}"] for name in MONEY_MOVES}},
    }


def _programme(item: ProgrammeFigures) -> dict[str, Any]:
    shown: dict[str, Any] = {"programme": item.programme}
    if item.pays:
        paid, none = (item.before_fen, item.after_fen), (0, 0)
        costs = dict(_costs(paid, none) if item.is_monthly else _costs(none, paid))
        shown |= {name: costs[name] for name in (("monthly", "yearly") if item.is_monthly else ("one_off",))}
        shown["uncertain"] = yuan_of(item.uncertain_fen)
    return {**shown, "households": dict(item.households), "persons": dict(item.persons)}


def _region(code: str, group: Numbers) -> dict[str, Any]:
    place = place_of(code)
    name = {} if place is None else {"name": place.name}
    return {"region": code, **name, **_group(group)}


def _decile(decile: Decile) -> dict[str, Any]:
    until = None if decile.until_fen is None else yuan_of(decile.until_fen)
    bounds = {"decile": decile.number, "income_from": yuan_of(decile.from_fen), "income_until": until}
    return {**bounds, **_group(decile.group)}
