"""How packs of a chain become one rulebook: overrides, exceptions, dates, circles, and faults by name."""

from datetime import date

import pytest

from services.shared.policy.evaluation import Evaluation, PackSet
from services.shared.policy.fault import PackFault

PROGRAMME = """
[[programme]]
id = "aid"
tier = "basic"
entity = "shop"
conditions = ["a.one"]
decision_level = "county"
zh = "助"
en = "aid"
"""


def value(policy, rule, row):
    evaluation = Evaluation(policy, row)
    return evaluation.value(rule, evaluation.root)


def test_rules_are_computed_after_those_they_use(policy_of, rule, shop):
    policy = policy_of(rule("a.last", "shop", "bool", "not a.first") + rule("a.first", "shop", "bool", "shop.open"))
    assert value(policy, "a.last", shop(is_open=True)) is False


def test_a_rule_may_use_a_total_of_rules_that_use_a_total(policy_of, rule, shop):
    policy = policy_of(
        rule("a.total", "shop", "money", "sum(person.wage for person in people)")
        + rule("a.rest", "person", "money", "a.total - person.wage")
        + rule("a.all", "shop", "money", "sum(a.rest for person in people)")
        + rule("b.boxes", "person", "money", "sum(box.worth for box in boxes)")
        + rule("b.share", "person", "bool", "b.boxes * 2 > a.all")
        + rule("b.any", "shop", "bool", "any(b.share for person in people)")
        + rule("b.box", "box", "bool", "b.share and box.worth < a.total")
        + rule("b.count", "shop", "int", "sum(count(b.box for box in boxes) for person in people)")
    )
    people = tuple((19900101, wage, "hand", 1, ((True, wage * 2),), True) for wage in (10, 20, 30))
    row = shop(people=people)
    assert value(policy, "a.all", row) == 120
    assert value(policy, "b.any", row) is False
    more = (*people, (19900101, 0, "hand", 1, ((True, 200), (False, 50)), True))
    assert value(policy, "b.any", shop(people=more)) is True
    assert value(policy, "b.count", shop(people=more)) == 1


def test_what_was_gathered_for_a_row_is_still_there_in_a_later_loop(policy_of, rule, shop):
    policy = policy_of(
        rule("a.total", "shop", "money", "sum(sum(box.worth for box in boxes) for person in people)")
        + rule("a.most", "person", "bool", "sum(box.worth for box in boxes) * 2 > a.total")
        + rule("a.count", "shop", "int", "count(a.most for person in people)")
        + rule("a.first", "person", "money", "sum(box.worth for box in boxes if box.full)")
        + rule("a.later", "person", "bool", "a.first * 2 > a.total and count(box.full for box in boxes) == 1")
        + rule("a.laters", "shop", "int", "count(a.later for person in people)")
    )
    boxes = [((True, 10),), ((True, 70),), ((False, 5),)]
    row = shop(people=tuple((19900101, 0, "hand", 1, own, True) for own in boxes))
    assert value(policy, "a.count", row) == 1
    assert value(policy, "a.laters", row) == 1


@pytest.mark.parametrize(
    "rules",
    [
        [("a.one", "a.one")],
        [("a.one", "not a.two"), ("a.two", "a.one")],
        [("a.one", "any(a.two for person in people)"), ("a.two", "a.one")],
    ],
)
def test_a_circle_is_refused_and_shown(policy_of, rule, rules):
    entities = {"a.two": "person" if len(rules) == 2 and "any(" in rules[0][1] else "shop"}
    text = "".join(rule(name, entities.get(name, "shop"), "bool", expression) for name, expression in rules)
    with pytest.raises(PackFault, match=r"circle: .*a\.one"):
        policy_of(text)


def test_a_local_rule_replaces_the_national_one_of_its_name(schema, pack_of, rule, shop):
    nation = pack_of(rule("a.one", "shop", "bool", "shop.open") + rule("a.two", "shop", "bool", "not a.one"))
    city = pack_of(rule("a.one", "shop", "bool", "not shop.open"), place="420100")
    packs = PackSet(schema, [nation, city])
    assert value(packs.prepare("420100", date(2025, 1, 1)), "a.two", shop()) is True
    assert value(packs.prepare("420200", date(2025, 1, 1)), "a.two", shop()) is False


def test_a_place_that_is_no_more_has_the_packs_of_its_successor_from_that_day(schema, pack_of, rule, shop):
    """220381 of Siping became 220184 of Changchun, 220100: the table of 2020-12-31 is the first to show it."""
    nation = pack_of(rule("a.one", "shop", "bool", "shop.open"))
    changchun = pack_of(rule("a.one", "shop", "bool", "not shop.open"), place="220100")
    packs = PackSet(schema, [nation, changchun])
    assert value(packs.prepare("220381", date(2020, 12, 30)), "a.one", shop()) is True
    assert value(packs.prepare("220381", date(2020, 12, 31)), "a.one", shop()) is False


def test_a_pack_for_the_code_itself_goes_on_being_used(schema, pack_of, rule, shop):
    nation = pack_of(rule("a.one", "shop", "bool", "shop.open"))
    old = pack_of(rule("a.one", "shop", "bool", "not shop.open"), place="500105")
    new = pack_of(rule("a.one", "shop", "bool", "shop.open"), place="500157")
    on = date(2026, 1, 1)
    assert value(PackSet(schema, [nation, old, new]).prepare("500105", on), "a.one", shop()) is False
    assert value(PackSet(schema, [nation, new]).prepare("500105", on), "a.one", shop()) is True


def test_a_new_version_takes_over_on_its_day(policy_of, rule, shop):
    text = rule("a.one", "shop", "bool", "shop.open", "until = 2025-07-01")
    text += rule("a.one", "shop", "bool", "not shop.open", "from = 2025-07-01")
    assert value(policy_of(text, on=date(2025, 6, 30)), "a.one", shop()) is True
    assert value(policy_of(text, on=date(2025, 7, 1)), "a.one", shop()) is False


def test_two_versions_on_one_day_are_refused(policy_of, rule):
    text = rule("a.one", "shop", "bool", "shop.open", "until = 2025-09-01")
    with pytest.raises(PackFault, match="two versions"):
        policy_of(text + rule("a.one", "shop", "bool", "not shop.open", "from = 2025-07-01"))


PRESUMED = '[[presumption]]\nentity = "shop"\nkey = "open"\nvalue = {}\nzh = "推定"\nen = "presumed"\n'


def test_a_local_presumption_replaces_the_national_one(schema, pack_of):
    packs = PackSet(
        schema,
        [pack_of("", head=PRESUMED.format("true")), pack_of("", head=PRESUMED.format("false"), place="420100")],
    )
    presumed = {
        place: [item.value for item in packs.prepare(place, date(2025, 1, 1)).book.presumptions]
        for place in ("420100", "420200")
    }
    assert presumed == {"420100": [False], "420200": [True]}


EXCEPTION = """
[[exception]]
id = "a.unless"
overrides = "a.one"
entity = "shop"
when = "shop.area == 'village'"
value = "True"
"""


def test_an_exception_decides_while_its_condition_holds(policy_of, rule, shop):
    policy = policy_of(rule("a.one", "shop", "bool", "shop.open") + EXCEPTION)
    assert value(policy, "a.one", shop("village", is_open=False)) is True
    assert value(policy, "a.one", shop("town", is_open=False)) is False


def test_an_exception_to_nothing_is_refused(policy_of):
    with pytest.raises(PackFault, match=r"no rule a\.one"):
        policy_of(EXCEPTION)


CITED = """
citations = [
  { instrument = "act", article = "1", until = 2025-07-01 },
  { instrument = "new", article = "2", from = 2025-01-01 },
]
"""
NEW_ACT = """
[[instrument]]
id = "new"
title = "新法"
title_en = "New Act"
in_force_from = 2025-07-01
confidence = "verified"
"""


def test_a_citation_is_of_what_is_in_force(schema, pack_of, rule):
    packs = PackSet(schema, [pack_of(rule("a.one", "shop", "bool", "shop.open", CITED), head=NEW_ACT)])
    cited = {
        day: packs.prepare("110000", date.fromisoformat(day)).book.rules["a.one"].citation.article
        for day in ("2025-06-30", "2025-07-01")
    }
    assert cited == {"2025-06-30": "1", "2025-07-01": "2"}


def test_a_citation_of_an_unlisted_instrument_is_refused(policy_of, rule):
    with pytest.raises(PackFault, match="lists the instrument new"):
        policy_of(rule("a.one", "shop", "bool", "shop.open", CITED.replace('"act"', '"new"')))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (PROGRAMME, "no rule a.one"),
        ('[[exclusion]]\nwinner = "x"\nloser = "aid"\nwhen = "a.two"\n' + PROGRAMME, "a.two does not exist"),
    ],
)
def test_a_programme_names_rules_that_exist(policy_of, rule, text, problem):
    with pytest.raises(PackFault, match=problem):
        policy_of(text + (rule("a.one", "shop", "bool", "shop.open") if "a.two" in text else ""))


def test_what_is_paid_to_the_root_comes_off_a_top_up_only_by_a_share(policy_of, rule, programme):
    rules = rule("a.one", "shop", "bool", "shop.open") + rule("a.part", "person", "money", "person.wage")
    top_up = programme("a.one", name="more", more='set_off = ["aid"]')
    with pytest.raises(PackFault, match="aid comes off it and has no share"):
        policy_of(rules + top_up + programme("a.one"))
    policy_of(rules + top_up + programme("a.one", more='share = "a.part"'))
    with pytest.raises(PackFault, match=r"no rule a\.parts"):
        policy_of(rules + programme("a.one", more='share = "a.parts"'))


@pytest.mark.parametrize("name", ["shop.rule", "a-b", "a.1", "1a"])
def test_a_rule_may_not_look_like_a_fact_or_break_a_name(policy_of, rule, name):
    with pytest.raises(PackFault, match="look like a fact"):
        policy_of(rule(name, "shop", "bool", "True"))


def test_a_rule_for_an_unknown_entity_is_refused(policy_of, rule):
    with pytest.raises(PackFault, match="no entity ship"):
        policy_of(rule("a.one", "ship", "bool", "True"))


def test_the_nation_is_needed_and_one_pack_a_place(schema, pack_of):
    with pytest.raises(PackFault, match="nation"):
        PackSet(schema, [pack_of("", place="420000")]).prepare("420000", date(2025, 1, 1))
    with pytest.raises(PackFault, match="one place"):
        PackSet(schema, [pack_of(""), pack_of("")])


@pytest.mark.parametrize(
    "sentences",
    [
        'holds = { zh = "{x}", en = "x" }',
        'holds = { zh = "x", en = "{" }',
        'holds = { zh = "{}", en = "x" }',
        'holds = { zh = "{m.n}", en = "x" }\nvalues = { m = "shop.money" }',
        'fails = { zh = "{gap}", en = "x" }\nvalues = { m = "shop.money" }',
        'holds = { zh = "{gap}", en = "x" }\nvalues = { m = "shop.money", n = "shop.money" }\ngap = ["m", "n"]',
        'gap = ["m", "n"]\nvalues = { m = "shop.money" }',
        'fails = { zh = "x", en = "x" }\nat_the_line = { zh = "x", en = "x" }',
        'fails = { zh = "x", en = "x" }\nat_the_line = { zh = "{gap}", en = "x" }\n'
        'values = { m = "shop.money", n = "shop.money" }\ngap = ["m", "n"]',
    ],
)
def test_a_sentence_may_say_only_what_is_shown(policy_of, rule, sentences):
    with pytest.raises(PackFault, match=r"rule a\.one"):
        policy_of(rule("a.one", "shop", "bool", "shop.open", sentences))


def test_a_sentence_that_says_what_is_shown_is_taken(policy_of, rule):
    more = 'holds = { zh = "{m}", en = "x" }\nfails = { zh = "{gap}", en = "{n}" }\n'
    more += 'values = { m = "shop.money", n = "shop.money" }\ngap = ["m", "n"]'
    assert policy_of(rule("a.one", "shop", "bool", "shop.open", more))


def test_rules_that_say_the_same_share_their_value(policy_of, rule, shop):
    text = rule("a.one", "shop", "bool", "shop.open") + rule("a.two", "shop", "bool", "shop.open")
    text += rule("a.three", "shop", "bool", "a.two")
    policy = policy_of(text)
    assert [value(policy, name, shop(is_open=False)) for name in ("a.one", "a.two", "a.three")] == [False] * 3
    assert policy.program.source.count("e_shop[2]") == 1
