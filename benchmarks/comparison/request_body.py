"""A household of the comparison as the body of `POST /eligibility/v1/simulations`."""

from datetime import date, timedelta
from typing import Any

from benchmarks.comparison.household import Household, Member
from services.shared.vocabulary.money import yuan_of

INCOME = {
    "wage": "wage",
    "business": "business",
    "property": "property",
    "transfer": "transfer",
    "exempt": "special_care",
}
LEVELS = ((6, "kindergarten"), (12, "primary"), (15, "junior"), (18, "senior"))


def request_body(household: Household) -> dict[str, Any]:
    """The body; the same facts in the words of the service, an age as the birth date at its edge."""
    events = [] if household.emergency == "none" else [{"kind": household.emergency, "on": household.on}]
    capital = household.company_capital
    return {
        "as_of": household.on,
        "region": household.region,
        "events": events,
        "household": {
            "area_type": household.area,
            "members": [_member(household, index) for index in range(len(household.members))],
            "assets": {
                "financial": yuan_of(household.financial),
                "vehicles": [{"kind": "car"}] * household.cars,
                "homes": household.homes,
                "businesses": [{"registered_capital": yuan_of(capital)}] if capital else [],
            },
            "spending_last_12_months": {
                "medical": yuan_of(household.medical),
                "education": yuan_of(household.education),
            },
        },
    }


def _member(household: Household, index: int) -> dict[str, Any]:
    member = household.members[index]
    supporters = [{"relation": "child"}] if index == 0 and not household.no_supporter else []
    return {
        "id": f"m{index + 1}",
        "relation": _relation(household.members, index),
        "birth_date": _born(household.on, member.age, index),
        "disability": None if member.grade == 0 else {"category": member.disability, "grade": member.grade},
        "work_ability": member.work_ability,
        "student": {"level": _level(member.age), "full_time": True} if member.student else None,
        "self_care_failures": member.self_care_failures,
        "income": [
            {"kind": kind, "monthly": yuan_of(amount)}
            for name, kind in INCOME.items()
            if (amount := getattr(member, name))
        ],
        "supporters": supporters,
    }


def _relation(members: tuple[Member, ...], index: int) -> str:
    if index == 0:
        return "head"
    if members[index].age < 18:
        return "child"
    return "spouse" if all(member.age < 18 for member in members[1:index]) else "parent"


def _born(on: str, age: int, index: int) -> str:
    """Turns the age on the very day, or a year later on the morrow."""
    day = date.fromisoformat(on)
    if index % 2:
        morrow = day + timedelta(days=1)
        return morrow.replace(year=morrow.year - age - 1).isoformat()
    return day.replace(year=day.year - age).isoformat()


def _level(age: int) -> str:
    return next((level for limit, level in LEVELS if age < limit), "undergraduate")
