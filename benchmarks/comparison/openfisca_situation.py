"""A household of the comparison as the JSON that OpenFisca's builder and web API take."""

from typing import Any

from benchmarks.comparison.household import Household
from benchmarks.comparison.referee import Outputs

PERSON = ("age", "disability", "grade", "work_ability", "student", "self_care_failures")
INCOMES = ("wage", "business", "property", "transfer", "exempt")
COUNTED = ("region", "area", "cars", "homes", "no_supporter")
AMOUNTS = ("financial", "company_capital", "medical", "education")


def situation(household: Household, scale: float = 1) -> dict[str, Any]:
    """The facts for the month of the day, the eleven outputs asked for with null; amounts are divided by `scale`."""
    month = household.on[:7]

    def facts(of: Any, plain: tuple[str, ...], amounts: tuple[str, ...]) -> dict[str, Any]:
        found = {name: {month: getattr(of, name)} for name in plain}
        return found | {name: {month: _amount(getattr(of, name), scale)} for name in amounts}

    names = [f"m{index + 1}" for index in range(len(household.members))]
    return {
        "persons": dict(zip(names, (facts(member, PERSON, INCOMES) for member in household.members), strict=True)),
        "households": {
            "h": {
                "members": names,
                **facts(household, COUNTED, AMOUNTS),
                "emergency_kind": {month: household.emergency},
                **{name: {month: None} for name in Outputs._fields},
            }
        },
    }


def _amount(fen: int, scale: float) -> float:
    return fen if scale == 1 else fen / scale
