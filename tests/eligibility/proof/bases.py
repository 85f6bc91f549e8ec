"""The households to begin with: those of every golden case of every pack, with every fact known."""

import random
from dataclasses import replace
from typing import Any

from services.eligibility.domain.facts import SCHEMA, read_facts
from services.shared.policy.open_value import Unknown
from services.shared.policy.schema import BOOL, DATE, Entity, Fact
from tests.eligibility.proof.goldens import golden_requests
from tests.eligibility.proof.rows import Row, times_dearer
from tests.eligibility.proof.worlds import CHOICES, TIMES_DEARER, Worlds, is_dear

YEAR = 10_000
LIKELY_AGE, LIKELY_FEN = 80, 100_000


def bases(worlds: Worlds) -> list[tuple[int, Row]]:
    """The golden cases' households on the worlds' date; what a case leaves unsaid is drawn by lot, always the same.

    Each comes twice: in the world of its case's own figures, and in one that was made.
    """
    found = {}
    for index, (name, request) in enumerate(golden_requests()):
        asked = replace(request, as_of=worlds.on, parameters={}, programmes=None)
        facts = read_facts(asked, worlds.book.presumptions)
        row = _complete(SCHEMA.root, facts, worlds.as_of, random.Random(name))
        # By name, so that another case more or less changes nothing for the others.
        made = random.Random(name).randrange(CHOICES)
        found[worlds.of_golden[index], row] = None
        found[made, times_dearer(row, TIMES_DEARER) if is_dear(made) else row] = None
    return list(found)


def _complete(entity: Entity, row: Row, as_of: int, chance: random.Random) -> Row:
    facts = [
        likely(fact, as_of, chance) if isinstance(value, Unknown) else value
        for fact, value in zip(entity.facts, row, strict=False)
    ]
    for child in SCHEMA.children(entity.name):
        inner = row[SCHEMA.rows_slot(child.name)]
        facts += [tuple(_complete(child, each, as_of, chance) for each in inner), True]
    return tuple(facts)


def likely(fact: Fact, as_of: int, chance: random.Random) -> Any:
    """Some value of a fact."""
    if fact.kind == BOOL:
        return chance.random() < 0.2
    if fact.kind.codes:
        return chance.choice(fact.kind.codes)
    if fact.kind == DATE:
        return as_of - chance.randrange(LIKELY_AGE) * YEAR
    return fact.least if chance.random() < 0.5 else chance.randint(fact.least, min(fact.most, fact.least + LIKELY_FEN))
