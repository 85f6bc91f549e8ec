"""The households to begin with: those of every golden case of every pack, with every fact known."""

import random
from dataclasses import replace
from typing import Any

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.facts import SCHEMA, read_facts
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.use_cases.run_golden_cases import request_of
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import PackCase
from services.shared.policy.schema import BOOL, DATE, Entity, Fact
from services.shared.vocabulary.invalid_body import InvalidBody
from tests.eligibility.proof.rows import Row
from tests.eligibility.proof.worlds import Worlds, shipped

YEAR = 10_000
LIKELY_AGE, LIKELY_FEN = 80, 100_000


def bases(worlds: Worlds) -> list[Row]:
    """The golden cases' households on the worlds' date; what a case leaves unsaid is drawn by lot, always the same."""
    found = {}
    for pack in shipped().packs:
        for case in pack.cases:
            request = _request(case)
            if request is not None:
                request = replace(request, as_of=worlds.on, parameters={}, programmes=None)
                chance = random.Random(f"{pack.id} {case.name}")
                facts = read_facts(request, worlds.book.presumptions)
                found[_complete(SCHEMA.root, facts, worlds.as_of, chance)] = None
    return list(found)


def _request(case: PackCase) -> DeterminationRequest | None:
    """The case's request; None where the case is of a request that must be refused."""
    try:
        return parse_request(request_of(case))
    except InvalidBody:
        return None


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
