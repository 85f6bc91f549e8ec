"""What is compiled is printed from the checked tree: nothing of a pack's own spelling gets into the program."""

import ast
import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.eligibility.domain.facts import SCHEMA
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.evaluation import PackSet
from services.shared.policy.open_value import OPEN, Unknown
from services.shared.policy.printing import compile_rulebook
from tests.shared.policy.conftest import DAY
from tests.shared.policy.conftest import SCHEMA as SHOPS

NUMBERED = re.compile(r"[raLfpqth][0-9]+")
GIVEN = {f"e_{entity.name}" for entity in SCHEMA.entities} | {
    "as_of",
    "P",
    "OPEN",
    "OpenValueUsed",
    "zip",
    "len",
    "careful",
    "determine",
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


@pytest.mark.parametrize("which", ["source", "quick_source"])
def test_a_program_has_numbered_names_and_known_codes_only(policy, which):
    codes = codes_of(policy)
    for node in ast.walk(ast.parse(getattr(policy.program, which))):
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


# --- the quick program ------------------------------------------------------------------------------------------------

FIGURES = """
[parameter.limit]
type = "money"
per = "month"
zh = "限"
en = "limit"
[parameter.share]
type = "rate"
zh = "率"
en = "share"
[parameter.area_limit]
type = "money"
per = "month"
keys = { area = "shop.area" }
zh = "限"
en = "limit"
"""
MONEYS = (
    "shop.money",
    "shop.money if shop.open else 0",
    "a.m0",
    'max(shop.money, yuan("0.07"))',
    'shop.money + yuan("0.02")',
    "area_limit + area_limit",
    "sum(person.wage for person in people)",
    "max(person.wage for person in people)",
    "min(person.wage for person in people if person.n > 0)",
    "sum(b.least for person in people)",
    "sum(floor_to(limit * share, fen) for person in people if b.over)",
)
TRUTHS = (
    "shop.open",
    'shop.money > yuan("0.03") and shop.open',
    'shop.money > yuan("0.03") or shop.open',
    "not shop.open",
    "known(shop.open)",
    "settled(shop.open)",
    "settled(a.t1)",
    "settled(a.t2)",
    "any(person.n > 0 for person in people)",
)
OF_PEOPLE = {
    "b.boss": ("bool", 'person.kind == "boss"'),
    "b.age": ("int", "age(person.born)"),
    "b.least": ("money", "min(box.worth for box in boxes)"),
    "b.count": ("int", "count(True for box in boxes)"),
    "b.full": ("bool", "any(box.full for box in boxes)"),
    "b.all": ("bool", "all(box.full or shop.open for box in boxes)"),
    "b.over": ("bool", "person.wage > area_limit"),
}


def every_construct(rule):
    said = [rule(f"a.m{index}", "shop", "money", expression) for index, expression in enumerate(MONEYS)]
    said += [rule(f"a.t{index}", "shop", "bool", expression) for index, expression in enumerate(TRUTHS)]
    said += [rule(name, "person", kind, expression) for name, (kind, expression) in OF_PEOPLE.items()]
    return FIGURES + "".join(said)


ROW = "{},{},{},{},2025-07-01,,,act,第一条,https://example.org,verified,\n"
ROWS = ROW.format("limit", "", "1.50", "yuan/month") + ROW.format("share", "", "0.5", "")
ROWS += ROW.format("area_limit", "town", "0.07", "yuan/month")
VILLAGE = ROW.format("area_limit", "village", "0.05", "yuan/month")


def maybe(known):
    return st.one_of(known, known, known, known, known, st.builds(Unknown, st.just("fact")))


COMPLETE = maybe(st.just(True))
BOXES = st.lists(st.tuples(maybe(st.booleans()), maybe(st.integers(0, 9))), max_size=2).map(tuple)
PERSON = (
    maybe(st.sampled_from([19900101, 20250801])),
    maybe(st.integers(0, 9)),
    maybe(st.sampled_from(["boss", "hand"])),
)
PEOPLE = st.lists(st.tuples(*PERSON, maybe(st.integers(0, 2)), BOXES, COMPLETE), max_size=2).map(tuple)
SHOP = st.tuples(
    maybe(st.sampled_from(["town", "village"])), maybe(st.integers(0, 9)), maybe(st.booleans()), PEOPLE, st.just(True)
)


NAMES = [f"a.m{index}" for index in range(len(MONEYS))] + [f"a.t{index}" for index in range(len(TRUTHS))]


def alone(pack, name):
    """One rule with those it uses: in the whole program, what is open in one would stop the quick one for all."""
    whole = PackSet(SHOPS, [pack]).prepare("110000", DAY)
    book = replace(whole.book, rules={below: whole.book.rules[below] for below in whole.book.rules_below([name])})
    return replace(whole, book=book, program=compile_rulebook(book))


@pytest.mark.parametrize("table", [ROWS, ROWS + VILLAGE], ids=["a figure missing", "all figures held"])
@pytest.mark.parametrize("name", [*NAMES, *OF_PEOPLE])
def test_whatever_is_open_the_values_are_those_of_the_careful_program(pack_of, rule, table, name):
    policy = alone(pack_of(every_construct(rule), table), name)

    @settings(max_examples=60, deadline=None)
    @given(SHOP)
    def holds(row):
        assert repr(policy.run(row)) == repr(policy.program.function(row, policy.as_of, policy.arguments))

    holds()


@pytest.mark.parametrize("name", [*NAMES, *OF_PEOPLE])
def test_the_quick_program_hands_over_rather_than_give_an_open_value(pack_of, rule, name):
    policy = alone(pack_of(every_construct(rule), ROWS + VILLAGE), name)
    quick = policy.program.quick(policy.as_of, policy.arguments, lambda row: "handed over")

    @settings(max_examples=60, deadline=None)
    @given(SHOP)
    def holds(row):
        assert "Unknown" not in repr(quick(row))

    holds()


def test_only_what_is_run_is_compiled(pack_of, rule):
    whole = PackSet(SHOPS, [pack_of(every_construct(rule), ROWS + VILLAGE)]).prepare("110000", DAY)
    whole.run(("town", 1, True, (), True))
    assert "function" not in vars(whole.program)
    whole.run(("town", OPEN, True, (), True))
    assert "function" in vars(whole.program)
    partial = PackSet(SHOPS, [pack_of(every_construct(rule), ROWS)]).prepare("110000", DAY)
    partial.run(("town", 1, True, (), True))
    assert "quick" not in vars(partial.program)


def test_what_rests_on_figures_alone_is_computed_before_any_row_is_seen(pack_of, rule):
    policy = PackSet(SHOPS, [pack_of(every_construct(rule), ROWS + VILLAGE)]).prepare("110000", DAY)
    before, _, after = policy.program.quick_source.partition("def determine")
    assert "* p1) // 10000" in before and "* p1) // 10000" not in after
