"""The households of the proof: on both sides of each threshold, such as a request could tell, the same every time."""

import itertools
import random
from dataclasses import replace

import pytest

from services.eligibility.domain.facts import SCHEMA
from services.shared.policy.open_value import OPEN, Unknown
from services.shared.policy.schema import BOOL, INT
from services.shared.policy.tree import Comparison, Const, FactRef
from services.shared.policy.unparsing import written
from tests.eligibility.proof.bases import bases
from tests.eligibility.proof.decisions import laid_open
from tests.eligibility.proof.households import Neighbourhoods
from tests.eligibility.proof.mutants import mutants_of, program_of
from tests.eligibility.proof.population import with_unknowns
from tests.eligibility.proof.rows import places, value_at, with_value
from tests.eligibility.proof.search import Case, Search, _distinct
from tests.eligibility.proof.thresholds import around_thresholds
from tests.eligibility.proof.worlds import DATES, worlds

ON = DATES[-1]
FEW = 60
RULES = ("dibao.income_test", "support.able")


@pytest.fixture(scope="module")
def golden():
    return [row for _, row in bases(worlds(ON))]


def place_of(row, entity, name):
    return next(place for place in places(row) if (place.entity, place.fact.name) == (entity, name))


def test_a_fact_is_put_on_both_sides_of_each_change(golden):
    savings = place_of(golden[0], "household", "financial")
    rows = around_thresholds(
        golden[0], savings, worlds(ON).as_of, lambda row: min((value_at(row, savings) + 7) // 100_000, 3)
    )
    values = sorted({value_at(row, savings) for row in rows})
    assert {99_992, 99_993, 199_992, 199_993} <= set(values)


def test_a_fact_that_changes_nothing_is_not_moved(golden):
    for place in places(golden[0]):
        assert list(around_thresholds(golden[0], place, worlds(ON).as_of, lambda row: 0)) == []


def test_no_household_has_a_grade_without_a_disability(golden):
    row = next(row for row in golden if row[SCHEMA.rows_slot("member")])
    mental = place_of(row, "member", "grade_mental")
    grade = place_of(row, "member", "disability_grade")
    disabled = with_value(with_value(row, grade, 0), mental, 3)
    assert value_at(disabled, grade) == 3
    assert value_at(with_value(disabled, grade, 0), mental) == 0


def test_what_is_changed_of_a_member_is_changed_of_the_same_person_as_supporter(golden):
    supporters, members = SCHEMA.rows_slot("supporter"), SCHEMA.rows_slot("member")
    in_household = SCHEMA.by_name["supporter"].position["in_household"]
    birth = SCHEMA.by_name["member"].position["birth_date"]
    row = next(
        row
        for row in golden
        if len(row[members]) == 2 and any(each[in_household] for each in row[members][0][supporters])
    )
    second = next(place for place in places(row) if place.path == ((members, 1),) and place.fact.name == "birth_date")
    older = with_value(row, second, 1901_01_01)
    assert [each[birth] for each in older[members][0][supporters] if each[in_household]] == [1901_01_01]


def test_the_same_seed_finds_the_same_households():
    first, second = (small_search(0) for _ in range(2))
    assert [built_of(first), built_of(second)] == [built_of(first)] * 2
    assert built_of(small_search(1)) != built_of(first)


def small_search(seed):
    search = Search(laid_open(worlds(ON)), seed)
    search.look_at(Case(world, row) for world, row in bases(worlds(ON))[:FEW])
    search.go_on(FEW)
    return search


def built_of(search):
    households = Neighbourhoods(search)
    return repr([each.case for rule in RULES for each in itertools.islice(households.from_rule(rule, []), FEW)])


def test_each_household_kept_has_another_answer_when_its_decision_is_turned_round():
    search = small_search(0)
    openness = search.openness
    assert search.kept()
    for (number, _), case in itertools.islice(search.kept(), FEW):
        answers = [openness.outputs(openness.run(case.world, case.row, turned)) for turned in (-1, number)]
        assert repr(answers[0]) != repr(answers[1])


def test_facts_are_taken_away_and_rules_still_run(golden):
    chance = random.Random(0)
    policy = worlds(ON).policies[0]
    open_rows = [with_unknowns(row, chance) for row in golden[:FEW]]
    # Some facts are never unknown, and one may get none but these.
    assert sum(any(isinstance(value_at(row, place), Unknown) for place in places(row)) for row in open_rows) > FEW / 2
    for row in open_rows:
        policy.run(row)


@pytest.mark.parametrize(
    ("operator", "value", "changes"),
    [
        ("<", 18, ["member.disability_grade <= 18", "member.disability_grade < 19", "member.disability_grade < 17"]),
        ("==", 0, ["member.disability_grade != 0", "member.disability_grade == 1"]),
    ],
)
def test_comparisons_are_shifted_and_numbers_changed(operator, value, changes):
    fact = FactRef("member", "disability_grade", 1, INT)
    rule = replace(
        worlds(ON).book.rules["disability.certified"], node=Comparison(operator, fact, Const(value, INT), BOOL)
    )
    assert [written(mutant.node) for mutant in mutants_of(rule)] == changes


def test_a_program_with_mutants_and_none_chosen_is_the_policys_own(golden):
    book, policy = worlds(ON).book, worlds(ON).policies[0]
    rule = "dibao.income_test"
    program = program_of(book, mutants_of(book.rules[rule]))
    ours = replace(policy, program=program, parameters={**policy.parameters, "chosen_mutant": {(): -1}})
    for row in golden[:FEW]:
        assert repr(ours.run(row)[program.places[rule][-1]]) == repr(policy.run(row)[policy.program.places[rule][-1]])


def test_what_is_seen_of_a_household_keeps_its_order_in_every_process():
    # Codes are text, whose hashes differ from process to process: a set of them would search in another order.
    rows = [("urban", True), ("rural", False), ("urban", True), ("institution", None), ("home", True)]
    assert list(_distinct(rows)) == [rows[0], rows[1], rows[3], rows[4]]
    assert list(_distinct([(OPEN, "b"), ("a", OPEN), (OPEN, "b")])) == [(None, "b"), ("a", None)]
