"""What only shows over all values: overflow, division by nothing, negative rounding, parameters without a use."""

import pytest

from services.shared.policy.checks import check, faults_of
from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import PackFault

PARAMETER = '[parameter.{0}]\ntype = "{1}"\nzh = "x"\nen = "x"\n'


def faults(schema, pack_of, rules, **more):
    return [str(fault) for fault in faults_of(PackSet(schema, [pack_of(rules, **more)]))]


@pytest.mark.parametrize(
    ("kind", "expression", "problem"),
    [
        ("money", "shop.money * 1000000", "64 bits"),
        ("money", "sum(person.wage * 10000 for person in people)", "64 bits"),
        ("money", "half_up_to(shop.money * factor, fen)", "64 bits"),
        ("bool", "shop.money * factor < shop.money", "64 bits"),
        ("money", "floor_to(shop.money / count(person.n > 1 for person in people), fen)", "divide by nothing"),
        ("bool", "shop.money / count(person.n > 1 for person in people) < line", "divide by nothing"),
        ("money", "floor_to((shop.money - line) / 2, fen)", "negative"),
    ],
)
def test_a_rule_that_could_go_wrong_for_some_values_is_refused(schema, pack_of, rule, kind, expression, problem):
    rules = PARAMETER.format("factor", "rate") + PARAMETER.format("line", "money")
    rules += rule("a.use", "shop", "bool", 'factor > rate("0") and line > 0') + rule("a.bad", "shop", kind, expression)
    found = faults(schema, pack_of, rules)
    assert len(found) == 1
    assert "rule a.bad" in found[0] and problem in found[0]


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("money", "shop.money * 10000"),
        ("money", "half_up_to(line * factor, fen)"),
        ("money", "floor_to(shop.money / max(count(person.n > 1 for person in people), 1), fen)"),
        ("money", "floor_to(max(shop.money - line, 0) / 2, fen)"),
        ("money", "shop.money - line"),
    ],
)
def test_the_same_rule_made_safe_is_sound(schema, pack_of, rule, kind, expression):
    rules = PARAMETER.format("factor", "rate") + PARAMETER.format("line", "money")
    rules += rule("a.use", "shop", "bool", 'factor > rate("0") and line > 0') + rule("a.good", "shop", kind, expression)
    assert faults(schema, pack_of, rules) == []


def test_a_parameter_that_no_rule_uses_is_refused(schema, pack_of):
    assert "no rule uses it" in faults(schema, pack_of, PARAMETER.format("idle", "money"))[0]


def test_a_fault_of_a_later_day_is_found_today(schema, pack_of, rule):
    rules = rule("a.one", "shop", "bool", "True", "until = 2030-01-01")
    rules += rule("a.one", "shop", "bool", "unheard", "from = 2030-01-01")
    assert "unheard" in faults(schema, pack_of, rules)[0]


def test_a_parent_must_lie_above(schema, pack_of):
    packs = PackSet(schema, [pack_of(""), pack_of("", head='parent = "cn-360000"\n', place="420100")])
    assert "parent" in str(next(faults_of(packs)))


def test_check_raises_the_first(schema, pack_of):
    with pytest.raises(PackFault, match="idle"):
        check(PackSet(schema, [pack_of(PARAMETER.format("idle", "money"))]))
