"""What is compiled is printed from the checked tree: nothing of a pack's own spelling gets into the program."""

import ast
import re
from datetime import date

import pytest

from services.eligibility.domain.facts import SCHEMA
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.printing import compile_rulebook

NUMBERED = re.compile(r"[raLfpqtu][0-9]+")
GIVEN = {f"e_{entity.name}" for entity in SCHEMA.entities} | {
    "as_of",
    "P",
    "OPEN",
    "OpenValueUsed",
    "zip",
    "full_months",
}
PACKS = pack_set_of(read_packs())


@pytest.fixture(params=[("420100", date(2023, 8, 1)), ("530113", date(2026, 8, 1))], ids=["wuhan", "dongchuan"])
def policy(request):
    return PACKS.prepare(*request.param)


def codes_of(policy):
    declared = {code for item in policy.book.declarations.values() for code in item.codes}
    facts = {code for entity in SCHEMA.entities for fact in entity.facts for code in fact.kind.codes}
    return declared | facts | {code for rule in policy.book.rules.values() for code in rule.kind.codes}


def test_a_program_has_numbered_names_and_known_codes_only(policy):
    codes = codes_of(policy)
    for node in ast.walk(ast.parse(policy.program.source)):
        if isinstance(node, ast.Name):
            assert NUMBERED.fullmatch(node.id) or node.id in GIVEN, node.id
        if isinstance(node, ast.Attribute):
            assert node.attr == "append"
        if isinstance(node, ast.Constant):
            assert type(node.value) in (bool, int) or node.value is None or node.value in codes
        assert not isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Lambda | ast.While)


def test_printing_is_the_same_every_time(policy):
    assert compile_rulebook(policy.book).source == policy.program.source


def test_every_rule_has_its_value_and_a_place_of_its_own_or_its_twins(policy):
    assert set(policy.program.places) == set(policy.book.rules)
    by_place = {}
    for name, place in policy.program.places.items():
        by_place.setdefault(place, []).append(policy.book.rules[name])
    for rules in by_place.values():
        assert len({rule.entity for rule in rules}) == 1
        assert len({rule.kind for rule in rules}) == 1


def test_a_hasty_program_differs_only_in_what_it_takes_for_settled(policy):
    plain = policy.program.source.splitlines()
    hasty = compile_rulebook(policy.book, hasty=True).source.splitlines()
    assert len(plain) == len(hasty)
    differing = [(one, other) for one, other in zip(plain, hasty, strict=True) if one != other]
    assert differing
    assert all("not not" in one and "is True" in other for one, other in differing)
