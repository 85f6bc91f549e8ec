"""Who in a household owes whom support: spouses, parents and children, read from relations to the head."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.eligibility.domain.request import Body
from services.shared.policy.open_value import Unknown

# (relation of the person, relation of the other) where the other is spouse, parent or child of the person.
_CLOSE = frozenset(
    {
        ("head", "spouse"),
        ("spouse", "head"),
        ("head", "child"),
        ("spouse", "child"),
        ("head", "parent"),
        ("parent", "head"),
        ("parent", "parent"),
        ("parent", "sibling"),
        ("sibling", "parent"),
        ("parent", "grandparent"),
        ("grandparent", "parent"),
        ("grandparent", "grandparent"),
    }
)
_CHILD_OF = frozenset({("child", "head"), ("child", "spouse")})
_OF_CHILD = frozenset((other, person) for person, other in _CHILD_OF)
_DISTANT_OR_UNCLEAR = frozenset({("child", "grandchild"), ("grandchild", "child")})

_PARENTS = {
    "child": frozenset({"head", "spouse"}),
    "head": frozenset({"parent"}),
    "sibling": frozenset({"parent"}),
    "parent": frozenset({"grandparent"}),
}
"""Who in a household is a person's parent, by the person's relation to the head."""
BOTH_PARENTS = 2

_GONE = frozenset(
    {"dead", "missing", "imprisoned", "lost_contact", "guardianship_revoked", "deported", "compulsory_rehabilitation"}
)
"""States of a parent who does not live with the child."""


def kin_of(person: Body, members: Sequence[Body]) -> Iterator[tuple[Body, Any]]:
    """Each other member who is, or may be, spouse, parent or child of `person`: True, or the Unknown that says why not.

    A child of the head lives with its parents, the head and the spouse, unless `parents` says otherwise. Minors are
    listed too: whether a supporter is of age is a rule.
    """
    for other in members:
        if other is person:
            continue
        owes = _owes(person, other, members)
        if owes is not False:
            yield other, owes


def parents_of(person: Body, members: Sequence[Body]) -> tuple[Body, ...]:
    """The members who are surely parents of `person`; the head and the spouse are those of a child."""
    kind = _PARENTS.get(person.get("relation", ""))
    return tuple([other for other in members if other.get("relation") in kind]) if kind else ()


def relatives_in_household(entity: str, person: Body, members: Sequence[Body]) -> list[Body]:
    """The members who follow those told in a person's list of `entity`, supporters or parents, in its order."""
    if entity == "parent":
        return list(parents_of(person, members))
    return [other for other, _ in kin_of(person, members)]


def _owes(person: Body, other: Body, members: Sequence[Body]) -> Any:
    pair = (person.get("relation"), other.get("relation"))
    if None in pair:
        unclear = person if pair[0] is None else other
        return Unknown(f"household.members[{unclear['id']}].relation")
    if pair in _CHILD_OF:
        return _lives_with(person)
    if pair in _OF_CHILD:
        return _lives_with(other)
    if pair in _DISTANT_OR_UNCLEAR:
        # One child in the household is the grandchild's parent; of several, it is not told which.
        children = sum(member.get("relation") == "child" for member in members)
        return children == 1 or Unknown(f"household.members[{person['id']}].parents")
    return pair in _CLOSE


def _lives_with(child: Body) -> bool:
    if "parents" not in child:
        return True
    states = [parent.get("state") for parent in child["parents"]]
    return not states or any(state not in _GONE for state in states)
