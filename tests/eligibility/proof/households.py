"""Households at the thresholds that the rules name: each that was found, changed to both sides of what decides it."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A household, the rule at whose threshold it was built, and whether every fact of it is known."""

    rule: str
    case: Case
    is_known: bool = True


class Neighbourhoods:
    """The households that were found, by the rule that they are near, and those built of them when they are wanted."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._kept: dict[str, list[tuple[Goal, Built]]] = defaultdict(list)
        self._moved: dict[str, list[Built]] = {}
        for goal, case in search.kept():
            rule = search.openness.decisions[goal[0]].rule
            self._kept[rule].append((goal, Built(rule, case)))

    @property
    def made(self) -> list[Built]:
        """All that there are by now."""
        found = [each for kept in self._kept.values() for _, each in kept]
        return found + [each for moved in self._moved.values() for each in moved]

    def from_rule(self, rule: str, neighbours: Sequence[str]) -> Iterator[Built]:
        """Those found at the rule, those built of them, all others found, those built near, and those built elsewhere.

        To build takes long, and most mistakes are given away before.
        """
        for name in (rule, *neighbours):
            yield from self._found(name)
        yield from self._built(rule)
        near = {rule, *neighbours}
        for name in self._kept:
            if name not in near:
                yield from self._found(name)
        for name in neighbours:
            yield from self._built(name)
        yield from (each for name, moved in list(self._moved.items()) if name not in near for each in moved)

    def _found(self, rule: str) -> Iterator[Built]:
        return (each for _, each in self._kept.get(rule, ()))

    def build_all(self) -> Sequence[Built]:
        """Every household of every rule."""
        for rule in self._kept:
            self._built(rule)
        return self.made

    def _built(self, rule: str) -> Sequence[Built]:
        if rule not in self._moved:
            # A number of its own for each rule: what is built does not hang on what was built before.
            chance = random.Random(f"{self._search.seed} {rule}")
            found: dict[Case, Built] = {}
            partly_known: list[Built] = []
            for goal, kept in self._kept.get(rule, ()):
                for each in _around(self._search, goal, kept.case, chance):
                    # What is unknown is equal to nothing.
                    if each.is_known:
                        found.setdefault(each.case, each)
                    else:
                        partly_known.append(each)
            self._moved[rule] = [*found.values(), *partly_known]
        return self._moved[rule]


def _around(search: Search, goal: Goal, case: Case, chance: random.Random) -> Iterator[Built]:
    decision = search.openness.decisions[goal[0]]
    # The thresholds of a rule's truth are those of the decisions in that rule.
    if not isinstance(decision.node, tree.RuleRef):
        for row in _moved(search, goal, case, chance):
            yield Built(decision.rule, Case(case.world, row))
    for row in _partly_known(search, goal, case, chance):
        if row is not case.row:
            yield Built(decision.rule, Case(case.world, row), is_known=False)


def _partly_known(search: Search, goal: Goal, case: Case, chance: random.Random) -> Iterator[Row]:
    """The household without one of the facts that its decision, or what rests on it, is made of."""
    for facts in search.facts_near(goal[0], chance):
        where = [place for place in places(case.row) if (place.entity, place.fact.name) in set(facts)]
        for place in chance.sample(where, min(FACTS_HIDDEN, len(where))):
            yield without_fact(case.row, place)


def _moved(search: Search, goal: Goal, case: Case, chance: random.Random) -> Iterator[Row]:
    part, decision = search.openness.near(goal[0]), search.openness.decisions[goal[0]]
    read = search.signature_of(goal[0])

    def signature(row: Row) -> object:
        return read(part.run(case.world, row))

    told = {(node.entity, node.name) for node in tree.walk(decision.node) if isinstance(node, tree.FactRef)}
    below, above = search.facts_near(goal[0], chance)
    for facts, most in ((below, FACTS_MOVED), (above, FACTS_MOVED_ABOVE)):
        wanted = set(facts)
        where = [place for place in places(case.row) if (place.entity, place.fact.name) in wanted]
        chance.shuffle(where)
        # Those that the decision itself reads come first, then amounts, of which one fen decides.
        where.sort(key=lambda place: ((place.entity, place.fact.name) not in told, place.fact.kind != MONEY))
        moved = (
            rows for place in where if (rows := list(around_thresholds(case.row, place, part.worlds.as_of, signature)))
        )
        for rows in islice(moved, most):
            yield from rows
