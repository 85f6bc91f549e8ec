"""Households for whoever compares two ways of computing: as many as wanted, at thresholds, with facts left open."""

import random
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache

from services.eligibility.domain.facts import SCHEMA
from services.shared.policy.open_value import Unknown
from tests.eligibility.proof.decisions import laid_open
from tests.eligibility.proof.households import Neighbourhoods
from tests.eligibility.proof.rows import Path, Row, inner_row, places, with_inner, without_fact
from tests.eligibility.proof.search import Case, Search
from tests.eligibility.proof.worlds import worlds

ATTEMPTS = 6_000
"""Households that the search makes for a date."""
MOST_UNKNOWN = 4
"""Facts that are taken from one household."""
LIST_UNTOLD = 0.1
"""How often a list that need not be complete may have rows that nobody told."""


@cache
def neighbourhoods(on: date, seed: int = 0, attempts: int = ATTEMPTS) -> Neighbourhoods:
    """Households at the thresholds of the nation's rules of a date: the same ones for the same seed."""
    search = Search(laid_open(worlds(on)), seed)
    search.run(attempts)
    return Neighbourhoods(search)


def population(on: date, count: int, seed: int = 0, unknown_share: float = 0.5) -> Iterator[Case]:
    """`count` households, each with the number of its world's figures: those built, again and again, some facts open.

    The first round of those that are not to have open facts is as built. For each date `worlds(on).policies` are the
    policies by number. The same arguments give the same households.
    """
    chance = random.Random(seed)
    known = [each.case for each in neighbourhoods(on, seed).build_all() if each.is_known]
    for index in range(count):
        case = known[index % len(known)]
        if index >= len(known) or chance.random() < unknown_share:
            case = Case(case.world, with_unknowns(case.row, chance))
        yield case


def with_unknowns(row: Row, chance: random.Random) -> Row:
    """The household with up to four facts unknown, and now and then a list that may have more rows."""
    all_places = list(places(row))
    for place in chance.sample(all_places, min(len(all_places), chance.randint(1, MOST_UNKNOWN))):
        row = without_fact(row, place)
    if chance.random() < LIST_UNTOLD:
        row = _untold(row, chance)
    return row


def _untold(row: Row, chance: random.Random) -> Row:
    path, slot, name = chance.choice(list(_open_lists(row)))
    inner = inner_row(row, path)
    return with_inner(row, path, (*inner[:slot], Unknown(name), *inner[slot + 1 :]))


def _open_lists(row: Row) -> Sequence[tuple[Path, int, str]]:
    found: list[tuple[Path, int, str]] = []
    members = SCHEMA.rows_slot("member")
    for parent, path in [("household", ()), *(("member", ((members, index),)) for index in range(len(row[members])))]:
        for child in SCHEMA.children(parent):
            if not child.always_complete:
                found.append((path, SCHEMA.rows_slot(child.name) + 1, child.plural))
    return found
