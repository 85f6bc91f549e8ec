"""Households at the thresholds that the rules name: each that was found, changed to both sides of what decides it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from services.shared.policy import tree
from services.shared.policy.schema import MONEY
from tests.eligibility.proof.rows import Row, places, without_fact
from tests.eligibility.proof.search import Case, Goal, Search
from tests.eligibility.proof.thresholds import around_thresholds

FACTS_MOVED, FACTS_MOVED_ABOVE = 3, 2
"""Facts of a household that are moved for one decision, and for what rests on it; many would move it alike."""


FACTS_HIDDEN = 2
"""Facts of a household that are left unknown, one at a time, in each of these two."""


@dataclass(frozen=True, slots=True)
class Built:
    """A household, the rule at whose threshold it was built, and whether every fact of it is known."""

    rule: str
    case: Case
    is_known: bool = True


def built(search: Search) -> list[Built]:
    """Every household that was found, with some facts that its decision rests on moved to both sides of thresholds.

    What was built of a household before is not built again.
    """
    found: dict[Case, Built] = {}
    partly_known: list[Built] = []
    chance = random.Random(search.seed)
    for goal, case in search.kept():
        if (goal, case) not in search.built_of:
            search.built_of[goal, case] = tuple(_around(search, goal, case, chance))
        for each in search.built_of[goal, case]:
            # What is unknown is equal to nothing.
            if each.is_known:
                found.setdefault(each.case, each)
            else:
                partly_known.append(each)
    return [*found.values(), *partly_known]


def _around(search: Search, goal: Goal, case: Case, chance: random.Random) -> Iterator[Built]:
    decision = search.openness.decisions[goal[0]]
    yield Built(decision.rule, case)
    # The thresholds of a rule's truth are those of the decisions in that rule.
    if not isinstance(decision.node, tree.RuleRef):
        for row in _moved(search, goal, case, chance):
            yield Built(decision.rule, Case(case.world, row))
    for row in _partly_known(search, goal, case, chance):
        if row is not case.row:
            yield Built(decision.rule, Case(case.world, row), is_known=False)


def _partly_known(search: Search, goal: Goal, case: Case, chance: random.Random) -> Iterator[Row]:
    """The household without one of the facts that its decision, or what rests on it, is made of."""
    for facts in search.facts_near(goal[0]):
        where = [place for place in places(case.row) if (place.entity, place.fact.name) in set(facts)]
        for place in chance.sample(where, min(FACTS_HIDDEN, len(where))):
            yield without_fact(case.row, place)


def _moved(search: Search, goal: Goal, case: Case, chance: random.Random) -> Iterator[Row]:
    openness, decision = search.openness, search.openness.decisions[goal[0]]
    read = search.signature_of(goal[0])

    def signature(row: Row) -> object:
        return read(openness.run(case.world, row))

    told = {(node.entity, node.name) for node in tree.walk(decision.node) if isinstance(node, tree.FactRef)}
    below, above = search.facts_near(goal[0])
    for facts, most in ((below, FACTS_MOVED), (above, FACTS_MOVED_ABOVE)):
        wanted = set(facts)
        where = [place for place in places(case.row) if (place.entity, place.fact.name) in wanted]
        chance.shuffle(where)
        # Those that the decision itself reads come first, then amounts, of which one fen decides.
        where.sort(key=lambda place: ((place.entity, place.fact.name) not in told, place.fact.kind != MONEY))
        moved = (
            rows
            for place in where
            if (rows := list(around_thresholds(case.row, place, openness.worlds.as_of, signature)))
        )
        for rows in islice(moved, most):
            yield from rows
