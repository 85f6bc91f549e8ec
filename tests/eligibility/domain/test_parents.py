"""Whom the rules see as a child's parents: those told, those at home, and when it is not known who they are."""

from datetime import date

import pytest

from services.eligibility.domain.facts import SCHEMA, read_facts
from services.eligibility.domain.request import DeterminationRequest

MEMBERS = len(SCHEMA.by_name["household"].facts)
"""Where a household's row has its members: after its facts."""


def family(*relations, told=None):
    members = [{"id": relation, "relation": relation} for relation in relations]
    if told is not None:
        members[-1]["parents"] = [{"state": state} for state in told]
    return members


def parents_of_the_last(members):
    request = DeterminationRequest(date(2026, 3, 1), "420100", {"members": members}, None, None, {})
    *_, listed, complete = read_facts(request)[MEMBERS][-1]
    return [parent[0] for parent in listed], complete is True


@pytest.mark.parametrize(
    ("members", "states", "are_all"),
    [
        (family("head", "spouse", "child"), ["with_child", "with_child"], True),
        (family("head", "child"), ["with_child"], False),
        (family("head", "grandchild"), [], False),
        (family("head", "spouse", "child", told=["dead", "able"]), ["dead", "able"], True),
        (family("head", "child", told=[]), [], True),
        (family("head", "grandchild", told=["dead"]), ["dead"], True),
        (family("head", "child", told=["dead"]), ["dead", "with_child"], True),
        (family("head", "spouse", "child", told=["dead"]), ["dead"], False),
    ],
)
def test_one_parent_told_is_not_both_where_another_is_at_home(members, states, are_all):
    assert parents_of_the_last(members) == (states, are_all)
