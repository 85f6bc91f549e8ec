"""Where the facts that a rule reads come from, as far as the sender said so: found by their places in the body."""

from collections.abc import Mapping
from typing import Any

from services.eligibility.domain.facts import CIRCUMSTANCES, SCHEMA
from services.eligibility.domain.kinship import relatives_in_household
from services.eligibility.domain.request import Body, DeterminationRequest
from services.shared.policy.abstract import Row
from services.shared.policy.explanation import OriginsOf
from services.shared.policy.tree import FactRef
from services.shared.vocabulary.period import date_text

Steps = tuple[str, ...]
"""A JSON pointer taken apart."""

_ASSETS = ("financial", "homes", "non_residential")
_PREFIXED = {
    "spending": "spending_last_12_months",
    "grade": "disability",
    "draws": "benefits",
    "drawn": "benefits",
    "income": "income",
    "student": "student",
}
"""The key that facts of one kind are read from, by the first word of their names."""
_NOT_SENT = ("asked", "in", "owes")
"""First words of facts that are no part of a body's household."""


def origins_of(request: DeterminationRequest) -> OriginsOf | None:
    """Says where a fact comes from: each origin given for it, for what it is part of or for a part of it.

    None when no origin was given, so that nobody asks.
    """
    if not request.origins:
        return None
    shown = [(_steps(origin["pointer"]), _shown(origin)) for origin in request.origins if "pointer" in origin]

    def origins(fact: FactRef, row: Row) -> list[Mapping[str, Any]]:
        place = _place_of(request, fact, row)
        return [] if place is None else [origin for steps, origin in shown if _meet(steps, place)]

    return origins


def _steps(pointer: str) -> Steps:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _shown(origin: Body) -> Mapping[str, Any]:
    as_of = {"as_of": date_text(origin["as_of"])} if "as_of" in origin else {}
    return {**origin, **as_of}


def _meet(one: Steps, other: Steps) -> bool:
    shorter = min(len(one), len(other))
    return bool(one) and one[:shorter] == other[:shorter]


def _place_of(request: DeterminationRequest, fact: FactRef, row: Row) -> Steps | None:
    kind = fact.name.partition("_")[0]
    if kind in _NOT_SENT:
        return None
    if kind == "bill":
        return ("household", "medical_bill")
    return (*_row_place(request, row), *_key(fact, kind))


def _key(fact: FactRef, kind: str) -> Steps:
    if fact.entity == "household" and fact.name in _ASSETS:
        return ("assets", fact.name)
    if fact.name in CIRCUMSTANCES:
        return ("circumstances",)
    if fact.name == "disability_grade":
        return ("disability",)
    if kind == "spending":
        return (_PREFIXED[kind], fact.name.removeprefix("spending_"))
    return (_PREFIXED.get(kind, fact.name),)


def _row_place(request: DeterminationRequest, row: Row) -> Steps:
    if row.entity == SCHEMA.root.name:
        return ("household",)
    if row.entity == "event":
        return ("events", str(row.indices[0]))
    if row.entity in ("vehicle", "business"):
        return ("household", "assets", SCHEMA.by_name[row.entity].plural, str(row.indices[0]))
    members = request.household["members"]
    own = ("household", "members", str(row.indices[0]))
    if row.entity == "member":
        return own
    listed = SCHEMA.by_name[row.entity].plural
    told = len(members[row.indices[0]].get(listed, ()))
    if row.indices[1] < told:
        return (*own, listed, str(row.indices[1]))
    # After those outside the household come those in it, of whom their own places tell.
    return ("household", "members", str(_relative(row, members, row.indices[1] - told)))


def _relative(row: Row, members: list[Body], number: int) -> int:
    kin = relatives_in_household(row.entity, members[row.indices[0]], members)
    return next(index for index, other in enumerate(members) if other is kin[number])
