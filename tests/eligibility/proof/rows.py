"""Households as the rows that rules run over: their facts one by one, and how one of them is changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.eligibility.domain.facts import CIRCUMSTANCES, NO_BILL, NO_STUDENT, SCHEMA, WITH_CHILD
from services.shared.policy.open_value import Unknown
from services.shared.policy.schema import MONEY, Entity, Fact

Row = tuple[Any, ...]
Path = tuple[tuple[int, int], ...]
"""The way down to a row: the slot of a list, and the number in it, again and again."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact stands in a household."""

    path: Path
    entity: str
    fact: Fact
    position: int


def places(row: Row, entity: Entity = SCHEMA.root, path: Path = ()) -> Iterator[Place]:
    """Every fact of a household, of every row in it."""
    for position, fact in enumerate(entity.facts):
        yield Place(path, entity.name, fact, position)
    for child in SCHEMA.children(entity.name):
        slot = SCHEMA.rows_slot(child.name)
        for index, inner in enumerate(row[slot]):
            yield from places(inner, child, (*path, (slot, index)))


def value_at(row: Row, place: Place) -> Any:
    """The value of a fact."""
    return inner_row(row, place.path)[place.position]


def inner_row(row: Row, path: Path) -> Row:
    """The row at the end of a way."""
    for slot, index in path:
        row = row[slot][index]
    return row


def with_value(row: Row, place: Place, value: Any) -> Row:
    """The household with another value of one fact, and of those that could not be as they were beside it."""
    old = inner_row(row, place.path)
    new = _coherent(place.entity, (*old[: place.position], value, *old[place.position + 1 :]), place.position)
    changed = with_inner(row, place.path, new)
    if place.entity == "member":
        changed = _seen_by_kin(changed, place.path[0][1], old, new)
    return changed


_TOLD_TOGETHER = (
    ("income_",),
    ("draws_", "drawn_"),
    ("disability_grade", "grade_"),
    ("bill_",),
    ("student_",),
    CIRCUMSTANCES,
)
_ALWAYS_KNOWN = ("asked_", "recognised_as", "work_ability", "in_household", "owes_support", "persons")


def without_fact(row: Row, place: Place) -> Row:
    """The household with a fact unknown, and with it those that requests tell in the same place.

    As it is where a request that does not tell the fact says something by that.
    """
    name = place.fact.name
    if name.startswith(_ALWAYS_KNOWN):
        return row
    together = next((names for names in _TOLD_TOGETHER if name.startswith(names)), None)
    unknown = Unknown(f"{place.entity}.{name}")
    inner = list(inner_row(row, place.path))
    for position, fact in enumerate(SCHEMA.by_name[place.entity].facts):
        if fact.name == name or (together and fact.name.startswith(together)):
            inner[position] = unknown
    return with_inner(row, place.path, tuple(inner))


def times_dearer(row: Row, times: int, entity: Entity = SCHEMA.root) -> Row:
    """The household with every amount that many times larger."""
    facts = [
        value * times if fact.kind == MONEY and isinstance(value, int) else value
        for fact, value in zip(entity.facts, row, strict=False)
    ]
    for child in SCHEMA.children(entity.name):
        slot = SCHEMA.rows_slot(child.name)
        facts += [tuple(times_dearer(inner, times, child) for inner in row[slot]), row[slot + 1]]
    return tuple(facts)


def with_inner(row: Row, path: Path, new: Row) -> Row:
    """The household with another row at the end of a way."""
    if not path:
        return new
    (slot, index), rest = path[0], path[1:]
    inner = row[slot]
    changed = (*inner[:index], with_inner(inner[index], rest, new), *inner[index + 1 :])
    return (*row[:slot], changed, *row[slot + 1 :])


# --- what cannot be together ---------------------------------------------------------------------------------------

_PERSON_FACTS = next(index for index, fact in enumerate(SCHEMA.by_name["member"].facts) if fact.name == "relation")
_SUPPORTERS, _PARENTS = SCHEMA.rows_slot("supporter"), SCHEMA.rows_slot("parent")
_MEMBERS = SCHEMA.rows_slot("member")


def _coherent(entity: str, row: Row, changed: int) -> Row:
    """The row with the facts beside `changed` that follow from it: no request could say otherwise."""
    facts = SCHEMA.by_name[entity]
    name, value = facts.facts[changed].name, row[changed]
    follow: dict[str, Any] = {}
    if name == "disability_grade" and value == 0:
        follow = dict.fromkeys(_grades(facts), 0)
    elif name.startswith("grade_") and value and row[facts.position["disability_grade"]] == 0:
        follow = {"disability_grade": value}
    elif name == "student_level" and value == NO_STUDENT:
        follow = {"student_full_time": False}
    elif name == "student_full_time" and value and row[facts.position["student_level"]] == NO_STUDENT:
        follow = {"student_level": "undergraduate"}
    elif name.startswith("draws_") and not value and f"drawn_{name[6:]}" in facts.position:
        follow = {f"drawn_{name[6:]}": 0}
    elif name.startswith("drawn_") and value:
        follow = {f"draws_{name[6:]}": True}
    elif name == "bill_kind" and value == NO_BILL:
        follow = {"bill_cost": 0}
    elif name == "bill_cost" and value and row[facts.position["bill_kind"]] == NO_BILL:
        follow = {"bill_kind": "inpatient"}
    if not follow:
        return row
    by_position = {facts.position[other]: known for other, known in follow.items()}
    return tuple([by_position.get(position, known) for position, known in enumerate(row)])


def _grades(entity: Entity) -> list[str]:
    return [fact.name for fact in entity.facts if fact.name.startswith("grade_")]


def _seen_by_kin(row: Row, number: int, old: Row, new: Row) -> Row:
    """The other members with the same person as their supporter and parent, after the person has changed."""
    person, was_parent, is_parent = old[:_PERSON_FACTS], _as_parent(old), _as_parent(new)
    members = []
    for index, member in enumerate(row[_MEMBERS]):
        if index != number:
            supporters = [
                (*new[:_PERSON_FACTS], *each[_PERSON_FACTS:])
                if each[_IN_HOUSEHOLD] is True and _same(each[:_PERSON_FACTS], person)
                else each
                for each in member[_SUPPORTERS]
            ]
            parents = [
                (*each[:_SINCE_UNTIL], *is_parent)
                if _is_member(each) and _same(each[_SINCE_UNTIL:], was_parent)
                else each
                for each in member[_PARENTS]
            ]
            member = _with_lists(member, supporters, parents)
        members.append(member)
    return (*row[:_MEMBERS], tuple(members), *row[_MEMBERS + 1 :])


_IN_HOUSEHOLD = SCHEMA.by_name["supporter"].position["in_household"]
_SINCE_UNTIL = SCHEMA.by_name["parent"].position["disability_grade"]
_AS_PARENT = tuple(
    SCHEMA.by_name["member"].position[fact.name] for fact in SCHEMA.by_name["parent"].facts[_SINCE_UNTIL:]
)


def _as_parent(member: Row) -> Row:
    return tuple([member[position] for position in _AS_PARENT])


def _is_member(parent: Row) -> bool:
    return isinstance(parent[0], str) and parent[0] == WITH_CHILD


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    # An open value must not be compared, only recognised.
    return all(
        a is b or (type(a) is type(b) and isinstance(a, int | str) and a == b) for a, b in zip(one, other, strict=True)
    )


def _with_lists(member: Row, supporters: list[Row], parents: list[Row]) -> Row:
    changed = list(member)
    changed[_SUPPORTERS], changed[_PARENTS] = tuple(supporters), tuple(parents)
    return tuple(changed)
