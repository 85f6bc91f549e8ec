"""What an explanation says: what made a rule what it is, both sides' numbers, bounds, laws, figures, origins."""

import orjson
import pytest

from services.shared.policy import explanation
from services.shared.policy.evaluation import Evaluation
from services.shared.policy.explanation import Explanation, TooMuchToSay, bare_reason, reasons_of
from services.shared.policy.open_value import Unknown
from services.shared.policy.text import Text
from services.shared.policy.wire import wire_bytes

NOT_TOLD = Unknown("open")
NO_MONEY = Unknown("money")
WORDS = 'holds = {zh = "是", en = "yes"}\nfails = {zh = "否", en = "no"}\nopen = {zh = "未知", en = "open"}\n'
SAID = 'holds = {zh = "有", en = "there"}\n'


def name_of(entity, indices):
    return entity + "".join(f"-{index}" for index in indices)


def reason(policy, name, row, *indices, origins_of=None):
    evaluation = Evaluation(policy, row)
    at = evaluation.root
    for entity, index in zip(("person", "box"), indices, strict=False):
        at = evaluation.rows(entity, at)[index]
    text = Explanation(evaluation, name_of, origins_of).reason(name, at)
    return reasons_of([text])[0]


def person(wage=0, kind="hand", n=1, boxes=(), complete=True):
    return (19900101, wage, kind, n, boxes, complete)


def told(found):
    return [child.rule for child in found.children]


# --- what is beneath --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_open", "money", "expected"),
    [(True, 5, ["a.open", "a.rich"]), (False, 5, ["a.open"]), (True, 0, ["a.rich"]), (False, 0, ["a.open", "a.rich"])],
)
def test_a_false_conjunction_shows_its_false_parts_alone(policy_of, rule, shop, is_open, money, expected):
    policy = policy_of(
        rule("a.open", "shop", "bool", "shop.open", WORDS)
        + rule("a.rich", "shop", "bool", 'shop.money > yuan("0.01")', WORDS)
        + rule("a.both", "shop", "bool", "a.open and a.rich", WORDS)
    )
    assert told(reason(policy, "a.both", shop(is_open=is_open, money=money))) == expected


@pytest.mark.parametrize(
    ("is_open", "money", "expected"), [(NOT_TOLD, 5, ["a.open"]), (NOT_TOLD, 0, ["a.rich"]), (NOT_TOLD, NO_MONEY, None)]
)
def test_an_open_conjunction_shows_its_open_parts(policy_of, rule, shop, is_open, money, expected):
    policy = policy_of(
        rule("a.open", "shop", "bool", "shop.open", WORDS)
        + rule("a.rich", "shop", "bool", 'shop.money > yuan("0.01")', WORDS)
        + rule("a.both", "shop", "bool", "a.open and a.rich", WORDS)
    )
    found = reason(policy, "a.both", shop(is_open=is_open, money=money))
    assert told(found) == (expected or ["a.open", "a.rich"])
    assert found.holds is (False if expected == ["a.rich"] else None)


@pytest.mark.parametrize(
    ("is_open", "expected"),
    [(True, ["a.open", "a.one"]), (False, ["a.open", "a.two"]), (NOT_TOLD, ["a.open", "a.one", "a.two"])],
)
def test_a_choice_shows_its_condition_and_the_branch_taken(policy_of, rule, shop, is_open, expected):
    policy = policy_of(
        rule("a.open", "shop", "bool", "shop.open", WORDS)
        + rule("a.one", "shop", "int", "1", SAID)
        + rule("a.two", "shop", "int", "2", SAID)
        + rule("a.chosen", "shop", "int", "a.one if a.open else a.two", SAID)
    )
    assert told(reason(policy, "a.chosen", shop(is_open=is_open))) == expected


@pytest.mark.parametrize(
    ("is_open", "expected"), [(True, ["a.spared"]), (False, ["a.rich"]), (NOT_TOLD, ["a.spared", "a.rich"])]
)
def test_an_exception_is_shown_where_it_applies_or_may(policy_of, rule, shop, is_open, expected):
    policy = policy_of(
        rule("a.rich", "shop", "bool", 'shop.money > yuan("0.01")', WORDS)
        + rule("a.refused", "shop", "bool", "a.rich", WORDS)
        + '[[exception]]\nid = "a.spared"\noverrides = "a.refused"\nentity = "shop"\nwhen = "shop.open"\n'
        + f'value = "False"\n{WORDS}'
    )
    assert told(reason(policy, "a.refused", shop(is_open=is_open, money=5))) == expected


@pytest.mark.parametrize("money", [4, NO_MONEY])
@pytest.mark.parametrize(("is_open", "zh"), [(True, "已经认定"), (False, "4 分")])
def test_where_an_exception_decides_its_sentence_is_what_is_said(policy_of, rule, shop, is_open, zh, money):
    """The rule's own sentence compares what decides nothing then, and may be wrong of it."""
    own = (
        'values = { has = "shop.money" }\nholds = { zh = "低于 {has}", en = "x" }\nfails = { zh = "4 分", en = "x" }\n'
    )
    policy = policy_of(
        rule("a.poor", "shop", "bool", 'shop.money < yuan("0.04")', own)
        + '[[exception]]\nid = "a.known"\noverrides = "a.poor"\nentity = "shop"\nwhen = "shop.open"\n'
        + 'value = "True"\nholds = { zh = "已经认定", en = "x" }\n'
    )
    found = reason(policy, "a.poor", shop(is_open=is_open, money=money))
    if is_open or money is not NO_MONEY:
        assert (found.holds, found.text.zh) == (is_open, zh)
    assert "has" in found.values


def test_what_is_gathered_is_shown_row_by_row_where_it_was_taken(policy_of, rule, shop):
    policy = policy_of(
        rule("b.is_hand", "person", "bool", 'person.kind == "hand"', WORDS)
        + rule("b.pay", "person", "money", "person.wage", SAID)
        + rule("b.all", "shop", "money", "sum(b.pay for person in people if b.is_hand)", SAID)
    )
    found = reason(policy, "b.all", shop(people=(person(1), person(2, "boss"), person(3))))
    assert [(child.rule, child.subject) for child in found.children] == [
        ("b.pay", "person-0"),
        ("b.is_hand", "person-1"),
        ("b.pay", "person-2"),
    ]


def test_a_row_names_itself_only_where_it_is_not_the_row_of_the_reason(policy_of, rule, shop):
    policy = policy_of(
        rule("b.full", "box", "bool", "box.full", WORDS)
        + rule("b.own", "person", "bool", "person.n > 0", WORDS)
        + rule("b.good", "person", "bool", "b.own and all(b.full for box in boxes)", WORDS)
        + rule("b.any", "shop", "bool", "any(b.good for person in people)")
        + rule("b.again", "person", "bool", "b.any and b.good", WORDS)
    )
    row = shop(people=(person(boxes=((True, 0),)), person()))
    found = reason(policy, "b.again", row, 1)
    assert [(child.rule, child.subject) for child in found.children] == [("b.good", "person-0"), ("b.good", None)]
    first = found.children[0]
    assert [(child.rule, child.subject) for child in first.children] == [("b.own", None), ("b.full", "box-0-0")]


def test_a_rule_without_a_sentence_hands_on_what_is_beneath_it_once(policy_of, rule, shop):
    policy = policy_of(
        rule("a.open", "shop", "bool", "shop.open", WORDS)
        + rule("a.silent", "shop", "bool", "a.open")
        + rule("a.second", "shop", "bool", "not a.silent")
        + rule("a.both", "shop", "bool", "a.open and a.silent and not a.second", WORDS)
    )
    assert told(reason(policy, "a.both", shop())) == ["a.open"]


@pytest.mark.parametrize("more", ["", WORDS])
def test_a_long_chain_of_rules_is_gone_down_to_its_end(policy_of, rule, shop, more):
    links = [rule(f"a.r{link}", "shop", "bool", f"a.r{link - 1}", more) for link in range(1, 200)]
    policy = policy_of(rule("a.r0", "shop", "bool", "shop.open", WORDS) + "".join(links))
    found, depth = reason(policy, "a.r199", shop()), 0
    while found.children:
        found, depth = found.children[0], depth + 1
    assert (found.rule, depth) == ("a.r0", 199 if more else 1)


def test_a_rule_of_the_household_is_said_once_however_many_rows_rest_on_it(policy_of, rule, shop):
    policy = policy_of(
        rule("a.open", "shop", "bool", "shop.open", WORDS)
        + rule("b.paid", "person", "bool", "a.open and person.n > 0")
        + rule("b.all", "shop", "bool", "all(b.paid for person in people)", WORDS)
    )
    assert told(reason(policy, "b.all", shop(people=(person(), person(), person())))) == ["a.open"]


def test_a_rule_of_the_household_is_said_once_when_each_row_names_it_itself(policy_of, rule, shop):
    policy = policy_of(
        rule("a.open", "shop", "bool", "shop.open", WORDS)
        + rule("b.all", "shop", "bool", "all(a.open and person.n > 0 for person in people)", WORDS)
    )
    assert told(reason(policy, "b.all", shop(people=(person(), person())))) == ["a.open"]


def test_one_row_is_named_beneath_the_household_and_not_beneath_itself(policy_of, rule, shop):
    policy = policy_of(
        rule("b.own", "person", "bool", "person.n > 0", WORDS)
        + rule("b.good", "person", "bool", "b.own", WORDS)
        + rule("b.all", "shop", "bool", "all(b.good for person in people)", WORDS)
    )
    evaluation = Evaluation(policy, shop(people=(person(),)))
    row = evaluation.rows("person", evaluation.root)[0]
    explanation = Explanation(evaluation, name_of)
    whole, own = (reasons_of([explanation.reason(*asked)])[0] for asked in (("b.all", row), ("b.good", row)))
    assert (whole.children[0].subject, own.subject, told(own)) == ("person-0", None, ["b.own"])


@pytest.mark.parametrize(("money", "expected"), [(1, ["a.pay"]), (0, []), (NO_MONEY, ["a.pay"])])
def test_a_sentence_is_shown_when_its_pack_says_so_or_it_is_open(policy_of, rule, shop, money, expected):
    policy = policy_of(
        rule("a.pay", "shop", "money", "shop.money", SAID + 'show_when = "shop.money > 0"')
        + rule("a.twice", "shop", "money", "a.pay + a.pay", SAID)
    )
    assert told(reason(policy, "a.twice", shop(money=money))) == expected


@pytest.mark.parametrize(("is_open", "expected"), [(True, []), (False, ["a.open"]), (NOT_TOLD, [])])
def test_a_case_that_no_sentence_was_written_for_is_not_said(policy_of, rule, shop, is_open, expected):
    policy = policy_of(
        rule("a.open", "shop", "bool", "shop.open", 'fails = {zh = "否", en = "no"}')
        + rule("a.shut", "shop", "bool", "not a.open", WORDS)
    )
    assert told(reason(policy, "a.shut", shop(is_open=is_open))) == expected


def test_what_is_settled_shows_what_settled_it(policy_of, rule, shop):
    policy = policy_of(
        rule("a.open", "shop", "bool", "shop.open", WORDS)
        + rule("a.sure", "shop", "bool", "settled(a.open) or shop.money > 0", WORDS)
    )
    assert told(reason(policy, "a.sure", shop(is_open=True))) == ["a.open"]
    assert told(reason(policy, "a.sure", shop(is_open=NOT_TOLD, money=1))) == []
    assert told(reason(policy, "a.sure", shop(is_open=NOT_TOLD, money=0))) == []


# --- what is said -----------------------------------------------------------------------------------------------------

LIMIT = """values = { has = "shop.money", limit = 'yuan("5.00")' }
gap = ["has", "limit"]
holds = { zh = "{has} 元，不超过 {limit} 元", en = "{has}, at most {limit}" }
fails = { zh = "{has} 元，高出 {gap} 元", en = "{has}: {gap} above" }
open = { zh = "{has} 元？高出 {gap} 元", en = "{has}? {gap}" }
"""


@pytest.mark.parametrize(
    ("money", "holds", "zh", "gap"),
    [
        (499, True, "4.99 元，不超过 5.00 元", None),
        (500, True, "5.00 元，不超过 5.00 元", None),
        (501, False, "5.01 元，高出 0.01 元", "0.01"),
        (NO_MONEY, None, "（未知） 元？高出 （未知） 元", None),
    ],
)
def test_both_sides_and_the_gap_on_each_side_of_a_limit(policy_of, rule, shop, money, holds, zh, gap):
    policy = policy_of(rule("a.poor", "shop", "bool", 'shop.money <= yuan("5.00")', LIMIT))
    found = reason(policy, "a.poor", shop(money=money))
    assert (found.holds, found.text.zh, found.values.get("gap")) == (holds, zh, gap)
    assert ("gap" in found.values) is (holds is not True)


@pytest.mark.parametrize(("money", "zh"), [(499, "超过"), (500, "正好 5.00 元"), (501, "高出 0.01 元")])
def test_where_both_sides_are_the_same_that_is_said_instead_of_the_gap(policy_of, rule, shop, money, zh):
    sentences = LIMIT.replace("不超过", "低于") + 'at_the_line = { zh = "正好 {limit} 元", en = "just {limit}" }\n'
    policy = policy_of(rule("a.poor", "shop", "bool", 'shop.money < yuan("5.00")', sentences))
    found = reason(policy, "a.poor", shop(money=money))
    assert zh.replace("超过", "低于 5.00 元") in found.text.zh
    assert found.values.get("gap") == {499: None, 500: "0.00", 501: "0.01"}[money]


def test_a_gap_is_never_less_than_nothing(policy_of, rule, shop):
    policy = policy_of(rule("a.poor", "shop", "bool", 'shop.open and shop.money <= yuan("5.00")', LIMIT))
    assert reason(policy, "a.poor", shop(is_open=False, money=1)).values["gap"] == "0.00"


def test_bounds_are_said_in_words_and_shown_as_bounds(policy_of, rule, shop):
    wages = 'values = { all = "b.all" }\nfails = { zh = "{all} 元", en = "{all}" }\n'
    policy = policy_of(
        rule("b.all", "shop", "money", "sum(min(person.wage, yuan('9.00')) for person in people)")
        + rule("b.poor", "shop", "bool", 'b.all < yuan("5.00")', wages)
    )
    found = reason(policy, "b.poor", shop(people=(person(700), person(Unknown("w")))))
    assert found.values["all"] == {"at_least": "7.00", "at_most": "16.00"}
    assert (found.text.zh, found.text.en) == ("7.00 至 16.00 元", "7.00 to 16.00")


def test_a_limit_that_is_only_the_largest_amount_there_can_be_is_no_bound(policy_of, rule, shop):
    figures = '[parameter.fee]\ntype = "money"\nper = "month"\nzh = "费"\nen = "fee"\n'
    shown = 'values = { fee = "fee", all = "fee * 3" }\nopen = { zh = "{fee}", en = "{fee}" }\n'
    policy = policy_of(figures + rule("a.poor", "shop", "bool", "shop.money < fee", shown))
    found = reason(policy, "a.poor", shop(money=1))
    assert (found.values, found.text.en) == ({"fee": None, "all": None}, "(unknown)")
    assert found.figures == {}


def test_every_kind_of_value_is_spelt_as_it_is_read(policy_of, rule, shop):
    named = "born = 'person.born', kind = 'person.kind', n = 'person.n', wage = 'person.wage', boss = 'person.n > 9'"
    shown = f"values = {{ {named} }}"
    shown += """
holds = { zh = "{born} {kind} {n} {wage} {boss}", en = "{n}" }
"""
    policy = policy_of(rule("b.all", "person", "int", "person.n", shown))
    known = reason(policy, "b.all", shop(people=(person(wage=123456, n=7),)), 0)
    assert known.values == {"born": "1990-01-01", "kind": "hand", "n": 7, "wage": "1234.56", "boss": False}
    assert known.text.zh == "1990-01-01 hand 7 1234.56 False"
    hidden = Unknown("x")
    opened = reason(policy, "b.all", shop(people=((hidden, hidden, hidden, hidden, (), True),)), 0)
    assert opened.values == dict.fromkeys(("born", "kind", "n", "wage", "boss")) | {"n": opened.values["n"]}


ROW = "fee,{area},{value},yuan/month,2025-07-01,,,act,第一条,http://x,verified,\n"
FEES = '[parameter.fee]\ntype = "money"\nper = "month"\nkeys = { area = "shop.area" }\nzh = "费"\nen = "fee"\n'
FEE_RULE = """values = { fee = "fee" }
holds = { zh = "{fee}", en = "{fee}" }
citations = [{ instrument = "act", article = "第九条" }]
"""


def test_figures_say_where_they_were_published_and_rules_their_law(policy_of, rule, shop):
    rows = ROW.format(area="town", value="7.00") + ROW.format(area="village", value="5.00")
    policy = policy_of(FEES + rule("a.fee", "shop", "money", "fee", FEE_RULE), rows)
    for area, fee in (("town", "7.00"), ("village", "5.00"), ("town", "7.00")):
        found = reason(policy, "a.fee", shop(area=area))
        assert found.values == {"fee": fee}
        assert found.figures == {
            "fee": {"pack": "cn", "instrument": "法", "from": "2025-07-01", "confidence": "verified"}
        }
        assert found.citation == {"instrument": "法", "article": "第九条", "in_force_from": "2020-01-01"}
    replaced = policy.with_parameters({"fee": 100})
    assert reason(replaced, "a.fee", shop()).figures == {}
    assert reason(policy, "a.fee", shop(area=NOT_TOLD)).figures == {}


def test_quotes_braces_and_names_stay_text(policy_of, rule, shop):
    words = "holds = { zh = '说“{{\"是\"}}”\\', en = '\"{{yes}}\" {n}' }\nvalues = { n = 'person.n' }"
    policy = policy_of(
        rule("b.one", "person", "bool", "person.n > 0", words)
        + rule("b.all", "shop", "bool", "all(b.one for person in people)", WORDS)
    )
    evaluation = Evaluation(policy, shop(people=(person(),)))
    text = Explanation(evaluation, lambda entity, indices: '"];\n').reason("b.all", evaluation.root)
    found = orjson.loads(wire_bytes(text))["children"][0]
    assert (found["subject"], found["text"]) == ('"];\n', {"zh": '说“{"是"}”\\', "en": '"{yes}" 1'})


def test_the_same_evaluation_is_explained_in_the_same_bytes(policy_of, rule, shop):
    policy = policy_of(rule("a.poor", "shop", "bool", 'shop.money <= yuan("5.00")', LIMIT))
    once, again = (
        Explanation(Evaluation(policy, shop(money=501)), name_of).reason("a.poor", Evaluation(policy, shop()).root)
        for _ in range(2)
    )
    assert once == again


def test_a_reason_that_no_rule_gives_has_the_same_form():
    found = reasons_of([bare_reason("programme.rules_in_force", Text("没有“规则”", 'no "rules"'))])[0]
    assert (found.rule, found.holds, found.text.en, found.children) == (
        "programme.rules_in_force",
        None,
        'no "rules"',
        (),
    )


def test_a_book_of_reasons_is_refused_while_it_is_made(policy_of, rule, shop, monkeypatch):
    policy = policy_of(
        rule("b.one", "person", "bool", "person.n > 0", WORDS)
        + rule("b.all", "shop", "bool", "all(b.one for person in people)", WORDS)
    )
    row = shop(people=tuple(person() for _ in range(20)))
    size = len(Explanation(Evaluation(policy, row), name_of).reason("b.all", Evaluation(policy, row).root))
    monkeypatch.setattr(explanation, "MAX_CHARACTERS", size)
    assert len(reason(policy, "b.all", row).children) == 20
    monkeypatch.setattr(explanation, "MAX_CHARACTERS", size - 1)
    with pytest.raises(TooMuchToSay):
        reason(policy, "b.all", row)


# --- origins of facts -------------------------------------------------------------------------------------------------


def test_a_reason_names_the_origins_of_the_facts_that_its_rule_reads_itself(policy_of, rule, shop):
    policy = policy_of(
        rule("b.pay", "person", "money", "person.wage + person.wage", SAID)
        + rule("b.all", "shop", "bool", "sum(b.pay for person in people) > shop.money", WORDS)
        + rule("b.wages", "shop", "money", "sum(person.wage for person in people)", SAID)
    )

    def origins(fact, row):
        known = {("wage", (0,)): [{"source": "税务"}], ("money", ()): [{"source": "本人"}, {"source": "银行"}]}
        return known.get((fact.name, row.indices), [])

    row = shop(people=(person(1), person(2)))
    found = reason(policy, "b.all", row, origins_of=origins)
    assert found.facts == ({"source": "本人"}, {"source": "银行"})
    assert [child.facts for child in found.children] == [({"source": "税务"},), ()]
    assert reason(policy, "b.wages", row, origins_of=origins).facts == ({"source": "税务"},)
    assert reason(policy, "b.all", row).facts == ()


def test_origins_are_named_of_an_open_rule_too(policy_of, rule, shop):
    policy = policy_of(rule("a.poor", "shop", "bool", "shop.open and shop.money <= yuan('5.00')", LIMIT))
    found = reason(policy, "a.poor", shop(money=NO_MONEY), origins_of=lambda fact, row: [{"source": fact.name}])
    assert found.facts == ({"source": "open"}, {"source": "money"})


# --- programmes -------------------------------------------------------------------------------------------------------

PROGRAMME = """
[[programme]]
id = "aid"
tier = "basic"
entity = "person"
conditions = ["aid.young"]
decision_level = "county"
zh = "补助"
en = "aid"
"""


@pytest.mark.parametrize(
    ("n", "zh", "holds"),
    [
        (1, "符合“补助”的条件", True),
        (9, "不符合“补助”的条件", False),
        (Unknown("n"), "尚不能判断是否符合“补助”的条件", None),
    ],
)
def test_what_is_beneath_another_programme_is_left_to_its_own_result(policy_of, rule, shop, n, zh, holds):
    policy = policy_of(
        rule("aid.young", "person", "bool", "person.n < 5", WORDS)
        + PROGRAMME
        + rule("b.draws", "person", "bool", "aid.eligible", WORDS)
    )
    evaluation = Evaluation(policy, shop(people=(person(n=n),)))
    row = evaluation.rows("person", evaluation.root)[0]
    whole, brief = (
        reasons_of([Explanation(evaluation, name_of, answered=answered).reason("b.draws", row)])[0].children[0]
        for answered in ((), {"aid"})
    )
    assert (whole.rule, whole.text.zh, whole.holds, whole.programme) == ("aid.eligible", zh, holds, None)
    assert told(whole) == ["aid.young"]
    assert (brief.text, brief.holds, brief.programme, told(brief)) == (whole.text, holds, "aid", [])
    assert len(reasons_of([Explanation(evaluation, name_of, answered={"aid"}).reason("aid.young", row)])) == 1


def reasons_for(policy, row, *, refused):
    evaluation = Evaluation(policy, row)
    explanation = Explanation(evaluation, name_of)
    at = evaluation.rows("person", evaluation.root)[0]
    programme = policy.book.programmes["aid"]
    return reasons_of((explanation.refused if refused else explanation.granted)(programme, at))


TWO_CONDITIONS = PROGRAMME.replace('["aid.young"]', '["aid.young", "aid.poor"]\nmonthly = "aid.amount"')


@pytest.mark.parametrize(
    ("n", "wage", "refused", "expected"),
    [
        (1, 0, False, ["aid.young", "aid.poor", "aid.amount"]),
        (1, NO_MONEY, False, ["aid.young", "aid.poor", "aid.amount"]),
        (9, 9, True, ["aid.young", "aid.poor"]),
        (9, 0, True, ["aid.young"]),
        (1, 9, True, ["aid.poor"]),
    ],
)
def test_a_grant_shows_all_and_a_refusal_what_refuses(policy_of, rule, shop, n, wage, refused, expected):
    policy = policy_of(
        rule("aid.young", "person", "bool", "person.n < 5", WORDS)
        + rule("aid.poor", "person", "bool", 'person.wage < yuan("0.05")', WORDS)
        + rule("aid.amount", "person", "money", "person.wage", SAID)
        + TWO_CONDITIONS
    )
    found = reasons_for(policy, shop(people=(person(wage=wage, n=n),)), refused=refused)
    assert [item.rule for item in found] == expected


@pytest.mark.parametrize(("n", "expected"), [(1, ["aid.poor"]), (9, ["aid.young"])])
def test_behind_a_plain_refusal_what_is_open_is_not_looked_into(policy_of, rule, shop, n, expected):
    # The wage is unknown, and yet surely too high with the rest, as only ranges can tell.
    policy = policy_of(
        rule("aid.young", "person", "bool", "person.n < 5", WORDS)
        + rule("aid.poor", "person", "bool", 'person.wage + yuan("1.00") < yuan("0.05")', WORDS)
        + rule("aid.amount", "person", "money", "person.wage", SAID)
        + TWO_CONDITIONS
    )
    found = reasons_for(policy, shop(people=(person(wage=NO_MONEY, n=n),)), refused=True)
    assert [item.rule for item in found] == expected
