"""Every fact that a rule may name has a name for people, in both languages, and so has each of its codes."""

import re

import pytest

from services.eligibility.domain.fact_words import ENTITIES, code_words, fact_words
from services.eligibility.domain.facts import SCHEMA

FACTS = [(entity.name, fact) for entity in SCHEMA.entities for fact in entity.facts]
CHINESE = re.compile("[\u4e00-\u9fff]")


def is_plain(text):
    return bool(CHINESE.search(text.zh)) and text.en.isascii() and "_" not in text.en


def test_every_entity_has_a_name():
    assert ENTITIES.keys() == SCHEMA.by_name.keys()
    assert all(map(is_plain, ENTITIES.values()))


@pytest.mark.parametrize(("entity", "fact"), FACTS, ids=lambda value: getattr(value, "name", value))
def test_every_fact_and_code_has_a_name(entity, fact):
    assert is_plain(fact_words(entity, fact.name))
    said = [code_words(entity, fact.name, code) for code in fact.kind.codes]
    assert all(map(is_plain, said))
    assert len({text.zh for text in said}) == len({text.en for text in said}) == len(said)


@pytest.mark.parametrize("entity", SCHEMA.entities, ids=lambda entity: entity.name)
def test_no_two_facts_of_an_entity_have_one_name(entity):
    names = [fact_words(entity.name, fact.name) for fact in entity.facts]
    assert len({text.zh for text in names}) == len({text.en for text in names}) == len(names)
