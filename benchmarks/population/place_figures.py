"""The figures of one day as peers take them: a row for each region and area type, and the nation's; of a reform too."""

from collections.abc import Mapping

from benchmarks.comparison.figures import AREAS, NATIONAL, REGIONS, figures_at, in_force

PLACE_COLUMNS = ("region", "area", "standard", "minimum_wage", "median_income")
REFORM: Mapping[str, int] = {"margin_multiplier": 20_000, "supplement_share": 2_500, "dibao_floor": 10_000}
"""The second set of figures: margin at twice the standard, a quarter as supplement, at least 100 yuan of dibao."""
AS_IT_IS: Mapping[str, int] = {}


def national(on: str, changed: Mapping[str, int] = AS_IT_IS) -> dict[str, int]:
    """The eighteen national figures in force, some of them changed; money in fen, rates in ten-thousandths."""
    return {name: in_force(dated, on) for name, (_, dated) in NATIONAL.items()} | dict(changed)


def place_rows(on: str) -> list[tuple[str, str, int, int, int]]:
    """A row of `PLACE_COLUMNS` for each of the fifty regions and both area types, in the order of both."""
    rows = []
    for region in REGIONS:
        for area in AREAS:
            here = figures_at(region, area, on)
            rows.append((region, area, here.standard, here.minimum_wage, here.median_income))
    return rows
