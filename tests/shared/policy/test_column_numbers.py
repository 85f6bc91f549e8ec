"""A rule whose number 64 bits may not hold is not compiled: it would come out wrong without a word."""

import pytest

from services.shared.policy.columns.kernel import program_of
from services.shared.policy.columns.places import NotInOneKernel


def compiled(policy_of, rule, expression):
    return program_of([policy_of(rule("a.it", "shop", "money", expression))], observed=["a.it"], only_observed=True)


@pytest.mark.parametrize(
    "expression", ["shop.money * 1000000", "sum(person.wage * 10000 for person in people)", "0 - shop.money * 1000000"]
)
def test_a_rule_whose_number_may_be_too_large_is_not_compiled(policy_of, rule, expression):
    with pytest.raises(NotInOneKernel, match="64 bits"):
        compiled(policy_of, rule, expression)


@pytest.mark.parametrize("expression", ["shop.money * 10000", "sum(person.wage for person in people)"])
def test_the_largest_that_fits_is_compiled(policy_of, rule, expression):
    assert compiled(policy_of, rule, expression).columns
