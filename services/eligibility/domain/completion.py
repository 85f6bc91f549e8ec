"""Ways in which an unknown fact or figure could turn out, and the request or policy with one filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.eligibility.domain.facts import (
    ABILITY_LEVELS,
    BILL_KINDS,
    CIRCUMSTANCES,
    DISABILITIES,
    DRAWN,
    DRAWN_BY_MEMBERS,
    EMPLOYMENTS,
    EVENT_KINDS,
    PARENT_STATES,
    RELATIONS,
    SPENDING,
    VEHICLE_KINDS,
)
from services.eligibility.domain.kinship import BOTH_PARENTS
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy import tree
from services.shared.policy.evaluation import PreparedPolicy
from services.shared.policy.open_value import parameter_named
from services.shared.policy.rulebook import Rulebook
from services.shared.policy.schema import DEFAULT_RANGE, INT, KINDS

MAX_AGE = 120
MOST_TRIED_FEN = 10**9
"""Ten million yuan: above any threshold, and fewer halvings than the largest amount that may be sent."""
YEAR = 10_000
"""A year in date numbers."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Values that a fact could have; when `most` is not 0 also amounts of 0 to `most`, put into shape by `amount`."""

    values: tuple[Any, ...] = ()
    most: int = 0
    shape: str = "plain"

    def amount(self, number: int) -> Any:
        """The fact's value where the amount is `number`."""
        if self.shape == "income":
            return [{"kind": "other", "monthly": number}] if number else []
        if self.shape == "businesses":
            return [{"registered_capital": number}] if number else []
        return number

    @property
    def is_finite(self) -> bool:
        """Whether `values` are all that can be."""
        return not self.most


def choices(path: str, request: DeterminationRequest, policy: PreparedPolicy) -> Choices:
    """What could stand at `path`, the likeliest to be plain first; empty for a fact that this module cannot vary."""
    parameter = parameter_named(path)
    if parameter is not None:
        return _of_parameter(parameter, policy)
    key = path.rpartition(".")[2]
    if key in _AMOUNTS:
        return _AMOUNTS[key]
    if key == "birth_date":
        as_of = policy.as_of
        return Choices(tuple(as_of - age * YEAR for age in _ages(policy.book)))
    if key == "supporters":
        return Choices(([], [_able_supporter(policy.as_of)]))
    if key == "parents":
        long_ago = policy.as_of - MAX_AGE * YEAR
        return Choices(tuple([{"state": state, "since": long_ago}] * BOTH_PARENTS for state in PARENT_STATES))
    if key == "since":
        return Choices((policy.as_of, policy.as_of - YEAR))
    if key == "until":
        return Choices((policy.as_of, policy.as_of + YEAR))
    if key == "kind":
        return Choices(next(kinds for of, kinds in _KINDS.items() if path.startswith(of)))
    return Choices(_CODES.get(key, ()))


_KINDS: Mapping[str, tuple[str, ...]] = {
    "household.assets.vehicles": VEHICLE_KINDS,
    "household.medical_bill": BILL_KINDS,
    "events": EVENT_KINDS,
}
_TRUTH = (True, False)
_DISABLED = tuple({"category": name, "grade": grade} for name in DISABILITIES for grade in (1, 2, 3, 4))
_CODES: Mapping[str, tuple[Any, ...]] = {
    "area_type": ("urban", "rural"),
    "relation": RELATIONS,
    "disability": (None, *_DISABLED),
    "grade": (4, 3, 2, 1),
    "category": DISABILITIES,
    "components": tuple([component] for component in _DISABLED),
    "serious_illness": (False, True),
    "employment": EMPLOYMENTS,
    "student": (None, {"level": "undergraduate", "full_time": True}, {"level": "senior", "full_time": True}),
    "self_care_failures": tuple(range(7)),
    "care_arrangement": ("home", "institution"),
    "benefits": ([], *([{"programme": name, "monthly": 10_000}] for name in (*DRAWN, *DRAWN_BY_MEMBERS))),
    "circumstances": ([], *([name] for name in CIRCUMSTANCES)),
    "homes": (0, 1, 2, 3),
    "non_residential": (0, 1, 2),
    "vehicles": ([], [{"kind": "motorcycle"}], [{"kind": "car"}]),
    "needs_long_term_care": (False, True),
    "work_injury_care_fee": (False, True),
    "ability_level": ABILITY_LEVELS,
    "severity": ("light", "serious", "grave"),
    "months": (1, 2, 3, 6, 12),
    "state": PARENT_STATES,
    "property_ok": _TRUTH,
    "legal_capacity": _TRUTH,
}
_AMOUNTS: Mapping[str, Choices] = {
    "financial": Choices(most=MOST_TRIED_FEN),
    "per_capita_income": Choices(most=MOST_TRIED_FEN),
    "requested": Choices(most=MOST_TRIED_FEN),
    "registered_capital": Choices(most=MOST_TRIED_FEN),
    "in_policy_cost": Choices(most=MOST_TRIED_FEN),
    **{name: Choices(most=MOST_TRIED_FEN) for name in SPENDING},
    # Incomes of which a figure says whether they count.
    "income": Choices(
        ([{"kind": "base_pension", "monthly": 15_000}], [{"kind": "old_age_allowance", "monthly": 5_000}]),
        most=MOST_TRIED_FEN,
        shape="income",
    ),
    "businesses": Choices(most=MOST_TRIED_FEN, shape="businesses"),
}


def _of_parameter(name: str, policy: PreparedPolicy) -> Choices:
    declaration = policy.book.declarations[name]
    if declaration.type == "bool":
        return Choices(_TRUTH)
    if declaration.type == "enum":
        return Choices(declaration.codes)
    most = MOST_TRIED_FEN if declaration.type == "money" else DEFAULT_RANGE[KINDS[declaration.type]][1]
    return Choices(most=most)


def _ages(book: Rulebook) -> Sequence[int]:
    """Ages on both sides of every whole number that a rule compares with, plainest first."""
    limits = {
        side.value
        for rule in book.rules.values()
        for node in tree.walk(rule.node)
        if isinstance(node, tree.Comparison)
        for side in (node.left, node.right)
        if isinstance(side, tree.Const) and side.kind == INT and isinstance(side.value, int)
    }
    ages = {age for limit in limits if 0 < limit <= MAX_AGE for age in (limit - 1, limit)}
    return (40, *sorted(ages))


def _able_supporter(as_of: int) -> Mapping[str, Any]:
    return {
        "birth_date": as_of - 40 * YEAR,
        "disability": None,
        "employment": "employed",
        "per_capita_income": MOST_TRIED_FEN,
        "property_ok": True,
        "benefits": [],
        "circumstances": [],
        "legal_capacity": True,
    }


# --- filling in ----------------------------------------------------------------------------------------------------


def filled(
    request: DeterminationRequest, policy: PreparedPolicy, values: Mapping[str, Any]
) -> tuple[DeterminationRequest, PreparedPolicy]:
    """The request and policy with a value at each path."""
    figures = {}
    for path, value in values.items():
        parameter = parameter_named(path)
        if parameter is None:
            request = _with_fact(request, path, value)
        else:
            figures[parameter] = value
    return request, policy.with_parameters(figures) if figures else policy


def _with_fact(request: DeterminationRequest, path: str, value: Any) -> DeterminationRequest:
    if path.startswith("events["):
        position, _, key = path.removeprefix("events[").partition("].")
        events = list(request.events or ())
        events[int(position)] = {**events[int(position)], key: value}
        return replace(request, events=tuple(events))
    household = dict(request.household)
    for index, member in enumerate(household["members"]):
        prefix = f"household.members[{member['id']}]."
        if path.startswith(prefix):
            members = list(household["members"])
            members[index] = with_key(member, path.removeprefix(prefix), value)
            return replace(request, household={**household, "members": members})
    return replace(request, household=with_key(household, path.removeprefix("household."), value))


def with_key(body: Mapping[str, Any], path: str, value: Any) -> Mapping[str, Any]:
    """The body with `value` at a path such as `assets.financial` or `supporters[0].benefits`."""
    key, _, rest = path.partition(".")
    if not rest:
        return {**body, key: value}
    name, _, position = key.partition("[")
    if not position:
        return {**body, key: with_key(body.get(key) or {}, rest, value)}
    items = list(body[name])
    index = int(position.removesuffix("]"))
    items[index] = with_key(items[index], rest, value)
    return {**body, name: items}
