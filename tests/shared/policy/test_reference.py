"""The reference page of the rule language names everything that there is."""

from pathlib import Path

import pytest

from services.eligibility.domain.facts import DISABILITIES, INCOME_KINDS, SCHEMA
from services.eligibility.domain.request import PROGRAMMES
from services.shared.policy import expression

WORDS = ("asked", "draws", "drawn")
PAGE = (Path(__file__).parents[3] / "docs/reference/policy-packs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted({*expression._FUNCTIONS, *expression.AGGREGATES}))
def test_every_function_is_there(name):
    assert f"`{name}(" in PAGE


@pytest.mark.parametrize("entity", SCHEMA.entities, ids=lambda entity: entity.name)
def test_every_fact_is_there(entity):
    for fact in entity.facts:
        general = {f"income_{kind}": "income_KIND" for kind in INCOME_KINDS}
        general |= {f"{word}_{code}": f"{word}_PROGRAMME" for word in WORDS for code in PROGRAMMES}
        assert f"`{general.get(fact.name, fact.name)}`" in PAGE, fact.name


def test_every_bound_is_there():
    for bound in (expression.MAX_CHARACTERS, expression.MAX_NODES, expression.MAX_DEPTH):
        assert f"{bound:,}" in PAGE
    assert all(f"`grade_{name}`" in PAGE for name in DISABILITIES)
