"""Lists who loses by a reform: the household's row, the programme, and what it was and will be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.eligibility.use_cases.simulating.outcomes import (
    GRANTED,
    HOUSEHOLD,
    Array,
    Granted,
    Outcomes,
    People,
)

WORDS = ("ineligible", "eligible", "undetermined")
"""What an outcome is called, by its number: NOT, GRANTED, OPEN."""


@dataclass(frozen=True, slots=True)
class Loser:
    """One programme of which a household, or its `member`-th member (from 1), gets less, or nothing for certain.

    `row` is the row in the population's file, from 0, and `id` what its file calls it, where that was asked for;
    `member` is 0 where the whole household has the programme.
    """

    row: int
    id: str
    programme: str
    member: int
    outcome_before: str
    outcome_after: str
    before_fen: int
    after_fen: int


def losers_of(
    rows: Array, people: People, before: Outcomes, after: Outcomes, ids: Sequence[str] | None = None
) -> Iterator[Loser]:
    """The losers of a block in order of their rows; `rows` numbers its households in the file, `ids` names them."""
    found = [
        loser
        for name, was in before.programmes.items()
        for loser in _of_programme(name, rows, people, was, after.programmes.get(name), ids)
    ]
    yield from sorted(found, key=lambda loser: (loser.row, loser.programme, loser.member))


def count_losers(before: Outcomes, after: Outcomes) -> int:
    """How many `losers_of` would list."""
    counts = (
        np.count_nonzero(_loses(was, *_now(was, after.programmes.get(name)))) for name, was in before.programmes.items()
    )
    return int(sum(counts))


def _now(was: Granted, now: Granted | None) -> tuple[Array, Array]:
    return (np.zeros_like(was.kind), np.zeros_like(was.fen)) if now is None else (now.kind, now.fen)


def _loses(was: Granted, kind: Array, fen: Array) -> Array:
    return (was.kind == GRANTED) & ((kind != GRANTED) | (fen < was.fen))


def _of_programme(
    name: str, rows: Array, people: People, was: Granted, now: Granted | None, ids: Sequence[str] | None
) -> Iterator[Loser]:
    kind, fen = _now(was, now)
    lost = np.flatnonzero(_loses(was, kind, fen))
    is_household = was.entity == HOUSEHOLD
    households = lost if is_household else people.household[lost]
    firsts = np.cumsum(people.persons) - people.persons
    members = np.zeros(len(lost), np.int64) if is_household else lost - firsts[households] + 1
    columns: tuple[Array, ...] = (households, rows[households], members, kind[lost], was.fen[lost], fen[lost])
    for household, row, member, outcome, *amounts in zip(*(column.tolist() for column in columns), strict=True):
        named = "" if ids is None else ids[household]
        yield Loser(row, named, name, member, WORDS[GRANTED], WORDS[outcome], *amounts)
