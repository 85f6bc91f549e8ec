"""Who in a household is whose legal supporter."""

import pytest

from services.eligibility.domain.kinship import kin_of
from services.shared.policy.open_value import Unknown


def kin(members, person):
    return {
        other["id"]: owes.path if isinstance(owes, Unknown) else owes
        for other, owes in kin_of(next(m for m in members if m["id"] == person), members)
    }


def people(*relations):
    return [{"id": relation, "relation": relation} for relation in relations]


def test_couple_and_child_owe_each_other():
    members = people("head", "spouse", "child")
    assert kin(members, "child") == {"head": True, "spouse": True}
    assert kin(members, "head") == {"spouse": True, "child": True}


def test_parents_of_the_head_owe_the_head_and_not_the_spouse():
    members = people("head", "spouse", "parent")
    assert kin(members, "head") == {"spouse": True, "parent": True}
    assert kin(members, "spouse") == {"head": True}
    assert kin(members, "parent") == {"head": True}


def test_siblings_grandparents_and_others_owe_nothing_of_themselves():
    members = people("head", "sibling", "grandparent", "other")
    assert kin(members, "head") == {}
    assert kin(members, "sibling") == {}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["dead", "dead"], {}),
        (["lost_contact", "imprisoned"], {}),
        (["able", "dead"], {"head": True, "spouse": True}),
        (["severely_disabled"], {"head": True, "spouse": True}),
    ],
)
def test_a_child_whose_parents_are_elsewhere_is_not_the_heads(states, expected):
    members = people("head", "spouse", "child")
    members[2]["parents"] = [{"state": state} for state in states]
    assert kin(members, "child") == expected
    assert ("child" in kin(members, "head")) == bool(expected)


def test_a_relation_that_is_not_told_is_asked():
    members = [*people("head"), {"id": "x"}]
    assert kin(members, "head") == {"x": "household.members[x].relation"}
    assert kin(members, "x") == {"head": "household.members[x].relation"}


def test_one_child_is_the_grandchilds_parent_and_of_two_it_is_asked():
    assert kin(people("head", "child", "grandchild"), "grandchild") == {"child": True}
    members = [*people("head", "child", "grandchild"), {"id": "second", "relation": "child"}]
    assert set(kin(members, "grandchild").values()) == {"household.members[grandchild].parents"}
