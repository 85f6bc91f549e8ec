"""What the rule language admits, what it refuses, and where it says the fault is."""

import pytest

from services.shared.policy.fault import PackFault


def value_of(policy_of, rule, shop_row, kind, expression, extra=""):
    policy = policy_of(extra + rule("x.y", "shop", kind, expression))
    frame = policy.run(shop_row)
    for slot in policy.program.places["x.y"]:
        frame = frame[slot]
    return frame


@pytest.mark.parametrize(
    ("kind", "expression", "expected"),
    [
        ("bool", "shop.open and not shop.open", False),
        ("bool", "shop.open or shop.money > 0", True),
        ("bool", 'shop.area in ("town", "village")', True),
        ("bool", 'shop.area not in ("town",)', False),
        ("bool", '0 < shop.money <= yuan("10.00")', True),
        ("bool", 'shop.area != "village"', True),
        ("money", "shop.money * 3 + shop.money - shop.money", 3000),
        ("money", 'shop.money if shop.open else yuan("1.00")', 1000),
        ("money", "max(shop.money - shop.money * 2, 0)", 0),
        ("money", 'min(shop.money, yuan("0.07"))', 7),
        ("money", 'max(shop.money, yuan("12.00"), yuan("11.00"))', 1200),
        ("money", "floor_to(shop.money / 3, fen)", 333),
        ("money", "ceil_to(shop.money / 3, fen)", 334),
        ("money", "ceil_to(shop.money / 5, fen)", 200),
        ("money", "half_up_to(shop.money / 3, jiao)", 330),
        ("money", "half_up_to(shop.money / 16, fen)", 63),
        ("money", 'half_up_to(shop.money * rate("0.3005"), fen)', 301),
        ("money", 'ceil_to(shop.money * rate("0.3001"), yuan)', 400),
        ("money", 'floor_to(shop.money / 7 * rate("0.5"), fen)', 71),
        ("bool", 'shop.money / 3 < yuan("3.34")', True),
        ("bool", 'shop.money / 3 < yuan("3.33")', False),
        ("bool", 'shop.money * rate("0.5") == yuan("5.00")', True),
        ("int", "years_between(as_of, as_of)", 0),
        ("months", "months_between(as_of, as_of)", 0),
        ("int", "2 + 3 * 4", 14),
    ],
)
def test_expressions_compute_exactly(policy_of, rule, shop, kind, expression, expected):
    assert value_of(policy_of, rule, shop(money=1000), kind, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(person.wage for person in people)", 600),
        ("sum(person.wage for person in people if person.n > 1)", 500),
        ("max(person.wage for person in people)", 300),
        ("min(person.wage for person in people)", 100),
        ("max(person.wage for person in people if person.n > 9)", 0),
    ],
)
def test_sums_and_extremes_over_rows(policy_of, rule, shop, expression, expected):
    people = tuple((19900101, wage, "hand", n, (), True) for n, wage in ((1, 100), (2, 200), (3, 300)))
    assert value_of(policy_of, rule, shop(people=people), "money", expression) == expected


@pytest.mark.parametrize(
    ("kind", "expression", "expected"),
    [
        ("int", "count(person.wage > yuan('1.00') for person in people)", 2),
        ("bool", "any(person.kind == 'boss' for person in people)", False),
        ("bool", "all(person.n > 0 for person in people)", True),
        ("bool", "all(person.n > 0 for person in people if person.n > 5)", True),
        ("bool", "any(any(box.full for box in boxes) for person in people)", True),
        ("money", "sum(sum(box.worth for box in boxes if box.full) for person in people)", 7),
    ],
)
def test_gatherings_nest(policy_of, rule, shop, kind, expression, expected):
    boxes = ((True, 7), (False, 5))
    people = tuple((19900101, n * 100, "hand", n, boxes if n == 2 else (), True) for n in (1, 2, 3))
    assert value_of(policy_of, rule, shop(people=people), kind, expression) == expected


def test_an_age_is_full_on_the_birthday(policy_of, rule, shop):
    policy = policy_of(rule("x.age", "person", "int", "age(person.born)"))
    born = (19650801, 19650802, 20250801)
    frame = policy.run(shop(people=tuple((day, 0, "hand", 0, (), True) for day in born)))
    slot, place = policy.program.places["x.age"]
    assert [row[place] for row in frame[slot]] == [60, 59, 0]


HOSTILE = [
    "__import__('os').system('true')",
    "shop.__class__",
    "shop.open.__class__.__mro__",
    "(lambda: True)()",
    "[x for x in people]",
    "open('/etc/passwd')",
    "eval('True')",
    "f'{shop.money}'",
    "shop.money ** 9",
    "9 ** 9 ** 9",
    "shop['money']",
    "(shop := True)",
    "print(*people)",
    "await shop",
    "yield",
    "1.5 > 1",
    "b'x' == b'x'",
    "~1 == 1",
    "-1 < 0",
    "shop.money // 2 > 0",
    "shop.money % 2 == 0",
    "True if True",
    "any(True for person in people for box in boxes)",
    "any(True async for person in people)",
    "any(True for p in people)",
    "any(True for person in boxes)",
    "settled(shop.open, shop.open)",
    "min(*people)",
    "max(shop.money)",
    "any(key=True)",
    "held(shop.money)",
    "...",
    "None",
    "'" * 3,
    "shop.open\x00",
    "(" * 300 + "True" + ")" * 300,
    "not " * 200 + "True",
    " and\n".join(["shop.open"] * 400),
    "shop.open or " * 2 + "\n" * 5000 + "x",
    "10000000000000 > 1",
    "import os",
    "shop.open; shop.open",
]


@pytest.mark.parametrize("expression", HOSTILE)
def test_what_is_not_in_the_language_is_refused_at_load(policy_of, rule, expression):
    text = expression.replace("\\", "\\\\").replace("\x00", "\\u0000")
    with pytest.raises(PackFault) as refused:
        policy_of(rule("x.y", "shop", "bool", text) if '"""' not in text else "")
    assert refused.value.where == "rule x.y"


MISTAKES = [
    ("bool", "shop.mony > 0", 1, "no fact mony"),
    ("bool", "shop.open and person.wage > 0", 15, "each person"),
    ("bool", "shop.money * shop.money > 0", 1, "no unit"),
    ("bool", "shop.money + 1 > 0", 14, "kind int"),
    ("bool", "shop.money > 5", 14, "kind int"),
    ("bool", 'shop.area == "city"', 14, "code"),
    ("bool", 'shop.area < "town"', 1, "no order"),
    ("bool", "shop.open == True", 1, "not compared"),
    ("bool", "shop.money", 1, "kind money"),
    ("money", "shop.money / 2", 1, "fraction"),
    ("money", 'shop.money / rate("0.5")', 14, "kind rate"),
    ("money", "floor_to(shop.money, mao)", 22, "unit"),
    ("money", 'yuan("5")', 1, "not an amount"),
    ("money", "shop.money / 2 if shop.open else shop.money", 1, "chosen"),
    ("bool", 'rate("0.00001") > rate("0.1")', 1, "rate"),
    ("bool", "unheard_of", 1, "not known"),
    ("bool", "other.rule", 1, "not known"),
    ("bool", "age(shop.money) > 1", 5, "kind money"),
]


@pytest.mark.parametrize(("kind", "expression", "column", "problem"), MISTAKES)
def test_a_mistake_is_refused_with_its_column_and_a_remedy(policy_of, rule, kind, expression, column, problem):
    with pytest.raises(PackFault) as refused:
        policy_of(rule("x.y", "shop", kind, expression))
    fault = refused.value
    assert (fault.pack, fault.where, fault.column) == ("cn", "rule x.y", column)
    assert problem in fault.problem.en
    assert fault.remedy


def test_a_gathering_may_not_lean_on_another_row(policy_of, rule):
    with pytest.raises(PackFault, match="no list here"):
        policy_of(rule("x.y", "person", "bool", "any(person.n > 1 for person in people)"))
