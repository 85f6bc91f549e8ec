"""What an open fact leaves open, and what it does not: the program and the abstract evaluator together."""

import itertools

import pytest

from services.shared.policy.abstract import is_single, only_value
from services.shared.policy.evaluation import Evaluation
from services.shared.policy.open_value import OPEN, OpenValueUsed, Unknown
from services.shared.policy.truth import EITHER, FALSE, TRUE

NO_MONEY = Unknown("money")
NOT_TOLD = Unknown("open")


def seen(policy, name, row):
    evaluation = Evaluation(policy, row)
    return evaluation.seen(name, evaluation.root)


def test_an_unknown_refuses_every_use():
    for use in (
        lambda: bool(OPEN),
        lambda: OPEN == 1,
        lambda: OPEN == "x",
        lambda: OPEN < 1,
        lambda: 1 + OPEN,
        lambda: OPEN * 2,
        lambda: {OPEN: 1},
        lambda: OPEN in {1},
        lambda: not OPEN,
        lambda: max(OPEN, 1),
        lambda: list(OPEN),
    ):
        with pytest.raises(OpenValueUsed):
            use()


TABLE = [(True, True), (True, False), (False, False), (True, None), (False, None), (None, None)]


@pytest.mark.parametrize(("left", "right"), [pair for p in TABLE for pair in dict.fromkeys((p, p[::-1]))])
def test_conjunction_and_disjunction_follow_kleene(policy_of, rule, shop, left, right):
    policy = policy_of(
        rule("a.left", "shop", "bool", "shop.open")
        + rule("a.right", "shop", "bool", "any(person.n > 0 for person in people)")
        + rule("a.and", "shop", "bool", "a.left and a.right")
        + rule("a.or", "shop", "bool", "a.left or a.right")
        + rule("a.not", "shop", "bool", "not a.left")
    )
    number = {True: 1, False: 0, None: Unknown("n")}[right]
    row = shop(is_open=NOT_TOLD if left is None else left, people=((1990, 0, "hand", number, (), True),))
    bits = {True: TRUE, False: FALSE, None: EITHER}
    conjunction = False if False in (left, right) else None if None in (left, right) else True
    disjunction = True if True in (left, right) else None if None in (left, right) else False
    assert seen(policy, "a.and", row)[0] == bits[conjunction]
    assert seen(policy, "a.or", row)[0] == bits[disjunction]
    assert seen(policy, "a.not", row)[0] == bits[None if left is None else not left]


def test_what_cannot_change_the_outcome_is_not_named(policy_of, rule, shop):
    policy = policy_of(rule("a.one", "shop", "bool", "shop.open and shop.money > 0"))
    assert seen(policy, "a.one", shop(is_open=False, money=NO_MONEY)) == (FALSE, frozenset())
    assert seen(policy, "a.one", shop(is_open=True, money=NO_MONEY)) == (EITHER, {"money"})
    assert seen(policy, "a.one", shop(is_open=NOT_TOLD, money=0)) == (FALSE, frozenset())
    assert seen(policy, "a.one", shop(is_open=NOT_TOLD, money=NO_MONEY)) == (EITHER, {"money", "open"})


def test_an_unknown_wage_settles_nothing_and_hides_nothing(policy_of, rule, shop):
    policy = policy_of(rule("a.rich", "shop", "bool", 'sum(person.wage for person in people) > yuan("10.00")'))

    def people(*wages):
        return tuple((1990, wage, "hand", 1, (), True) for wage in wages)

    assert seen(policy, "a.rich", shop(people=people(1001, Unknown("w"))))[0] == TRUE
    assert seen(policy, "a.rich", shop(people=people(1000, Unknown("w")))) == (EITHER, {"w"})


def test_either_branch_of_an_open_choice_may_agree(policy_of, rule, shop):
    policy = policy_of(rule("a.sum", "shop", "money", "shop.money if shop.open else max(shop.money, yuan('0.10'))"))
    assert seen(policy, "a.sum", shop(money=10, is_open=NOT_TOLD)) == ((10, 10), frozenset())
    assert seen(policy, "a.sum", shop(money=9, is_open=NOT_TOLD)) == ((9, 10), {"open"})


def test_a_list_that_is_not_told_may_hold_anything(policy_of, rule, shop):
    policy = policy_of(
        rule("b.any", "person", "bool", "any(box.full for box in boxes)")
        + rule("b.all", "person", "bool", "all(box.full for box in boxes)")
        + rule("b.worth", "person", "money", "sum(box.worth for box in boxes)")
        + rule("b.count", "person", "int", "count(box.full for box in boxes)")
        + rule("b.rows", "person", "int", "count(True for box in boxes)")
        + rule("b.most", "person", "money", "max(box.worth for box in boxes)")
    )
    missing = Unknown("boxes")

    def of(name, boxes, complete):
        evaluation = Evaluation(policy, shop(people=((1990, 0, "hand", 1, boxes, complete),)))
        return evaluation.seen(name, evaluation.rows("person", evaluation.root)[0])

    full, empty = (True, 5), (False, 7)
    assert of("b.any", (full,), missing)[0] == TRUE
    assert of("b.any", (empty,), missing) == (EITHER, {"boxes"})
    assert of("b.all", (empty,), missing)[0] == FALSE
    assert of("b.all", (full,), missing) == (EITHER, {"boxes"})
    assert of("b.worth", (full, empty), True) == ((12, 12), frozenset())
    assert of("b.worth", (full,), missing)[0][0] == 5
    assert of("b.count", (full, empty), missing)[0] == (1, 9)
    assert of("b.rows", (full, empty), missing) == ((2, 10), {"boxes"})
    assert of("b.most", (full, empty), missing)[0][0] == 7
    assert of("b.any", (), True) == (FALSE, frozenset())
    assert of("b.all", (), True) == (TRUE, frozenset())


def test_settled_and_known_ask_what_is_known(policy_of, rule, shop):
    policy = policy_of(
        rule("a.settled", "shop", "bool", "settled(a.open_or_rich)")
        + rule("a.open_or_rich", "shop", "bool", "shop.money > 0 or shop.open")
        + rule("a.known", "shop", "bool", "known(shop.money)")
        + rule("a.fact", "shop", "bool", "settled(shop.open)")
    )
    assert seen(policy, "a.settled", shop(money=NO_MONEY, is_open=True))[0] == TRUE
    assert seen(policy, "a.settled", shop(money=NO_MONEY, is_open=False)) == (FALSE, frozenset())
    assert seen(policy, "a.known", shop(money=NO_MONEY)) == (EITHER, {"money"})
    assert seen(policy, "a.known", shop(money=3))[0] == TRUE
    assert seen(policy, "a.fact", shop(is_open=NOT_TOLD))[0] == FALSE


EVERYTHING = """
max(shop.money - yuan("5.00"), 0) * 2
+ (sum(person.wage for person in people if person.kind == "boss") if shop.area == "town" else 0)
+ half_up_to(min(shop.money, yuan("9.00")) / max(count(person.n > 1 for person in people), 1), jiao)
+ (yuan("1.00") if all(person.n in (1, 2) for person in people) and not shop.open else 0)
"""


def test_ranges_hold_every_completion_and_nothing_is_called_settled_that_varies(policy_of, rule, shop):
    policy = policy_of(rule("a.all", "shop", "money", EVERYTHING))
    choices = {
        "area": ("town", "village"),
        "money": (0, 501, 900),
        "open": (True, False),
        "wage": (0, 77),
        "kind": ("boss", "hand"),
        "n": (1, 3),
    }

    def row(values):
        fact = [values.get(name, Unknown(name)) for name in choices]
        people = ((1990, fact[3], fact[4], fact[5], (), True), (1990, 30, "boss", 2, (), True))
        return shop(fact[0], fact[1], fact[2], people)

    whole = [dict(zip(choices, combination, strict=True)) for combination in itertools.product(*choices.values())]
    exact = [(values, only_value(seen(policy, "a.all", row(values))[0])) for values in whole]
    for known in itertools.chain.from_iterable(itertools.combinations(choices, size) for size in range(len(choices))):
        for values in {tuple((name, values[name]) for name in known) for values in whole}:
            possible, live = seen(policy, "a.all", row(dict(values)))
            found = {number for full, number in exact if set(values) <= set(full.items())}
            assert all(possible[0] <= number <= possible[1] for number in found)
            assert is_single(possible) <= (len(found) == 1)
            assert live.isdisjoint(known)
            assert bool(live) == (not is_single(possible))
