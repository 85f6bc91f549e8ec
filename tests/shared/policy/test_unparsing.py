"""A tree written as an expression reads as the same tree again."""

import pytest

from services.shared.policy.expression import read_value
from services.shared.policy.unparsing import constant, rate_text, written

PARAMETERS = (
    '[parameter.factor]\ntype = "rate"\nzh = "x"\nen = "x"\n[parameter.line]\ntype = "money"\nzh = "x"\nen = "x"\n'
)


@pytest.mark.parametrize(
    "expression",
    [
        "shop.open and not (shop.money > 0 or shop.money == line)",
        'shop.area in ("town",)',
        'not shop.area in ("town", "village")',
        'shop.area == "town"',
        "a.sum - (a.sum - line)",
        "(a.sum + line) * 3",
        'half_up_to(a.sum * factor * rate("0.3"), jiao)',
        "floor_to(a.sum / 3, fen)",
        'max(a.sum - yuan("1.50"), 0)',
        "(1 if shop.open else 2) if a.sum > 0 else 3",
        "held(line) or settled(shop.open) or known(a.sum)",
        "as_of > as_of",
    ],
)
def test_what_is_written_is_read_as_the_same(policy_of, rule, expression):
    book = policy_of(PARAMETERS + rule("a.sum", "shop", "money", "shop.money")).book
    node = read_value(expression, "shop", book.names, "cn", "test")
    assert read_value(written(node), "shop", book.names, "cn", "test") == node


@pytest.mark.parametrize(("value", "text"), [(15000, "1.5"), (10000, "1"), (1, "0.0001"), (0, "0")])
def test_a_rate_is_written_without_idle_noughts(value, text):
    assert rate_text(value) == text


def test_what_is_gathered_is_told(policy_of, rule):
    book = policy_of(rule("a.sum", "shop", "money", "sum(person.wage for person in people if person.n > 1)")).book
    assert written(book.rules["a.sum"].node) == "sum(person.wage for person in ... if person.n > 1)"
    assert constant(True, None) == "True"
