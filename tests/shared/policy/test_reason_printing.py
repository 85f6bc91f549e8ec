"""The program that explains is printed from the checked tree: what packs say comes into it as constants by number."""

import ast
import re
from datetime import date

import pytest

from services.eligibility.domain.facts import SCHEMA
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.reason_printing import compile_reasons

NUMBERED = re.compile(r"[abxzwvstuoijgkKNC][0-9]+|[JS]s[0-9]+")
GIVEN = set("cFEPMYktsg") | {"out", "kids", "told", "yuan", "rate_text", "date_text", "full_months"}
GIVEN |= {"OpenValueUsed", "TooMuchToSay", "NULL", "len", "range", "list", "id"}
CALLED = {"get", "append", "join", "values", "truth", "named", "names", "published", "partly", "facts", "figures"}
CALLED |= {"left", "as_of", "answered"}
PACKS = pack_set_of(read_packs())


@pytest.fixture(params=[("420100", date(2023, 8, 1)), ("530113", date(2026, 8, 1))], ids=["wuhan", "dongchuan"])
def policy(request):
    return PACKS.prepare(*request.param)


def test_a_program_has_numbered_names_and_known_codes_only(policy):
    declared = {code for item in policy.book.declarations.values() for code in item.codes}
    facts = {code for entity in SCHEMA.entities for fact in entity.facts for code in fact.kind.codes}
    codes = declared | facts | {code for rule in policy.book.rules.values() for code in rule.kind.codes}
    names = {entity.name for entity in SCHEMA.entities}
    for node in ast.walk(ast.parse(policy.reasons_with_facts.source)):
        if isinstance(node, ast.Name):
            assert NUMBERED.fullmatch(node.id) or node.id in GIVEN, node.id
        if isinstance(node, ast.Attribute):
            assert node.attr in CALLED
        if isinstance(node, ast.Constant):
            is_ours = node.value in {"", ",", "true", "false", "True", "False"} or node.value in names
            is_ours |= isinstance(node.value, str) and bool(NUMBERED.fullmatch(node.value))
            assert type(node.value) in (bool, int) or node.value is None or node.value in codes or is_ours
        assert not isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Lambda | ast.While)


def test_printing_is_the_same_every_time(policy):
    assert compile_reasons(policy.book, policy.program).source == policy.reasons.source


def test_every_rule_can_be_explained(policy):
    assert set(policy.reasons.functions) == set(policy.book.rules)


def test_both_programs_take_the_same_parameters_and_figures(policy):
    assert policy.reasons.parameters == policy.reasons_with_facts.parameters
    assert policy.reasons.figure_sets == policy.reasons_with_facts.figure_sets
