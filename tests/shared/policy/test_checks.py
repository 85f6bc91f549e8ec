"""What is found in packs before anyone is judged by them: each mistake planted, named, and gone when it is mended."""

import pytest

from services.shared.policy.checks import check, faults_of, findings_of
from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import PackFault, PackWarning

PARAMETER = '[parameter.{0}]\ntype = "{1}"\nzh = "x"\nen = "x"\n'
LINE = '[parameter.line]\ntype = "money"\nper = "month"\nkeys = { area = "shop.area" }\nzh = "x"\nen = "x"\n'
SAID = """
citations = [{ instrument = "act" }]
holds = { zh = "是", en = "yes" }
fails = { zh = "否", en = "no" }
"""


@pytest.fixture
def findings(schema, pack_of):
    """What is found in the packs, each as one line."""

    def find(*packs, kind=PackFault | PackWarning):
        return [str(found) for found in findings_of(PackSet(schema, packs)) if isinstance(found, kind)]

    return find


@pytest.fixture
def found(findings, pack_of):
    """What is found in a pack of these rules."""
    return lambda rules, kind=PackFault | PackWarning, **more: findings(pack_of(rules, **more), kind=kind)


@pytest.fixture
def used(rule, programme):
    """A rule that a programme uses, and the programme."""

    def write(kind, expression, entity="shop"):
        text = rule("a.it", entity, kind, expression, SAID)
        if kind == "bool" and entity == "shop":
            return text + programme("a.it")
        whole = "any(a.it for person in people)" if kind == "bool" else "sum(a.it for person in people)"
        text += rule("a.all", "shop", kind, whole if entity == "person" else "a.it", SAID)
        if kind == "bool":
            return text + programme("a.all")
        return text + rule("a.yes", "shop", "bool", "shop.open", SAID) + programme("a.yes", more='monthly = "a.all"')

    return write


# --- ranges ----------------------------------------------------------------------------------------------------------

LIMITS = PARAMETER.format("factor", "rate") + PARAMETER.format("limit", "money")


@pytest.mark.parametrize(
    ("kind", "expression", "problem"),
    [
        ("money", "shop.money * 1000000", "64 bits"),
        ("money", "sum(person.wage * 10000 for person in people)", "64 bits"),
        ("money", "half_up_to(shop.money * factor, fen)", "64 bits"),
        ("bool", "shop.money * factor < shop.money", "64 bits"),
        ("money", "floor_to(shop.money / count(person.n > 1 for person in people), fen)", "divide by nothing"),
        ("bool", "shop.money / count(person.n > 1 for person in people) < limit", "divide by nothing"),
        ("money", "floor_to((shop.money - limit) / 2, fen)", "negative"),
        ("money", "shop.money * 1000000 if settled(shop.open) else 0", "64 bits"),
        ("money", "(shop.money if settled(shop.open) else 0) * 1000000", "64 bits"),
    ],
)
def test_a_rule_that_could_go_wrong_for_some_values_is_refused(found, rule, programme, used, kind, expression, problem):
    rules = LIMITS + rule("b.use", "shop", "bool", 'factor > rate("0") and limit > 0', SAID)
    rules += programme("b.use", name="other") + used(kind, expression)
    [fault] = found(rules, PackFault)
    assert "rule a.it" in fault and problem in fault


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("money", "shop.money * 10000"),
        ("money", "half_up_to(limit * factor, fen)"),
        ("money", "floor_to(shop.money / max(count(person.n > 1 for person in people), 1), fen)"),
        ("money", "floor_to(max(shop.money - limit, 0) / 2, fen)"),
        ("money", "shop.money - limit"),
    ],
)
def test_the_same_rule_made_safe_is_sound(found, rule, programme, used, kind, expression):
    rules = LIMITS + rule("b.use", "shop", "bool", 'factor > rate("0") and limit > 0', SAID)
    assert found(rules + programme("b.use", name="other") + used(kind, expression)) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("shop.money >= 0", "shop.money >= 0 is always true"),
        ("shop.open and shop.money < 0", "shop.money < 0 is never true"),
        ("count(person.n > 10000 for person in people) > 1", "person.n > 10000 is never true"),
        ('any(person.kind in ("boss", "hand") for person in people)', 'person.kind in ("boss", "hand") is always true'),
        ("(3 if shop.open else 4) > 4", "(3 if shop.open else 4) > 4 is never true"),
        ("count(person.n > 1 for person in people) <= 20", "in ...) <= 20 is always true"),
    ],
)
def test_a_condition_that_is_the_same_for_all_facts_is_refused(found, used, expression, said):
    [fault] = found(used("bool", expression))
    assert "rule a.it" in fault and said in fault and "另一分支" in fault


@pytest.mark.parametrize(
    "expression",
    [
        "shop.money > 0",
        "count(person.n > 9999 for person in people) > 1",
        "count(person.n > 1 for person in people) <= 19",
        'any(person.kind == "boss" for person in people)',
        "settled(shop.open) or shop.money == 0",
        "(3 if shop.open else 4) > 3",
    ],
)
def test_a_condition_that_can_be_either_stands(found, used, expression):
    assert found(used("bool", expression)) == []


def test_a_condition_on_what_a_place_has_switched_off_stands(findings, pack_of, rule, used):
    nation = pack_of(used("bool", "b.extra > 3") + rule("b.extra", "shop", "int", "7 if shop.open else 2"))
    city = pack_of(rule("b.extra", "shop", "int", "0"), place="420100")
    assert findings(nation, city, kind=PackFault) == []


# --- use -------------------------------------------------------------------------------------------------------------

PAPER = '[[document]]\nid = "paper"\nzh = "纸"\nen = "paper"\n'
ACT_2 = '[[instrument]]\nid = "act2"\ntitle = "法"\ntitle_en = "A"\nin_force_from = 2020-01-01\nconfidence = "design"\n'
EXCLUSION = '[[exclusion]]\nwinner = "x"\nloser = "aid"\nwhen = "{}"\n'


def test_a_parameter_that_no_rule_uses_is_refused(found):
    assert "parameter idle: 没有规则用到它" in found(PARAMETER.format("idle", "money"))[0]


def test_a_parameter_that_only_a_sentence_shows_is_used(found, rule, programme):
    more = SAID.replace("是", "是 {most}") + 'values = { most = "idle" }'
    rules = PARAMETER.format("idle", "money") + rule("a.it", "shop", "bool", "shop.open", more) + programme("a.it")
    assert found(rules) == []


def test_a_rule_that_nothing_uses_is_refused(found, rule, used):
    rules = used("bool", "shop.open") + rule("b.idle", "shop", "bool", "shop.open")
    rules += rule("b.user", "shop", "bool", "b.idle")
    assert [fault.partition(": 没有")[0] for fault in found(rules)] == ["cn: rule b.idle", "cn: rule b.user"]


@pytest.mark.parametrize(
    "more",
    [
        PAPER + 'when = "b.idle"\n[[programme]]\nid = "p"\ntier = "basic"\nentity = "shop"\nconditions = ["a.it"]\n'
        'decision_level = "county"\ndocuments = ["paper"]\nzh = "x"\nen = "x"\n',
        EXCLUSION.format("b.idle"),
        '[[exception]]\nid = "c.x"\noverrides = "a.it"\nentity = "shop"\nwhen = "b.idle"\nvalue = "True"\n',
    ],
)
def test_a_rule_is_used_by_papers_exclusions_and_exceptions(found, rule, used, more):
    assert found(used("bool", "shop.money > 0") + rule("b.idle", "shop", "bool", "shop.open") + more) == []


def test_a_rule_that_only_a_place_below_uses_is_used(findings, pack_of, rule, used):
    nation = pack_of(used("bool", "shop.open") + rule("b.idle", "shop", "bool", "shop.money > 0"))
    city = pack_of(rule("a.it", "shop", "bool", "b.idle", SAID), place="420100")
    assert "rule b.idle" in findings(nation)[0]
    assert findings(nation, city, kind=PackFault) == []


def test_a_paper_that_no_programme_asks_for_is_refused(found, used):
    assert "document paper" in found(used("bool", "shop.open") + PAPER)[0]


def test_an_instrument_that_nothing_rests_on_is_a_warning(found, used):
    assert found(used("bool", "shop.open"), head=ACT_2, kind=PackFault) == []
    [warning] = found(used("bool", "shop.open"), head=ACT_2)
    assert warning.startswith("cn: instrument act2: 没有规则或标准依据这份文件；")


# --- sentences and citations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (SAID.replace("holds", "open"), "has no sentence for when it holds or fails"),
        (SAID.replace("fails", "open"), "has no sentence for when it holds or fails"),
        (SAID.replace('citations = [{ instrument = "act" }]', ""), "names no law in force"),
        (SAID.replace('"act" }', '"act", until = 2023-01-01 }'), "on 2023-01-01 the programme aid is in force and"),
        (SAID.replace('"act" }', '"act", from = 2023-01-01 }'), "on 2020-01-01 the programme aid is in force and"),
    ],
)
def test_a_condition_without_words_or_law_is_refused(found, rule, programme, more, problem):
    faults = found(rule("a.it", "shop", "bool", "shop.open", more + "from = 2020-01-01") + programme("a.it"))
    assert [fault for fault in faults if "rule a.it" in fault and problem in fault]


def test_a_programme_that_is_over_needs_no_law(found, rule, programme):
    more = SAID.replace('"act" }', '"act", until = 2023-01-01 }')
    rules = rule("a.it", "shop", "bool", "shop.open", more) + programme("a.it", more="until = 2023-01-01")
    assert found(rules + rule("b.it", "shop", "bool", "a.it", SAID) + programme("b.it", name="b")) == []


def test_an_amount_without_a_sentence_is_refused(found, rule, programme):
    rules = rule("a.it", "shop", "bool", "shop.open", SAID) + rule("a.sum", "shop", "money", "shop.money")
    faults = found(rules + programme("a.it", more='monthly = "a.sum"'))
    assert "rule a.sum: 项目的金额没有说明" in faults[0]
    assert "names no law" in faults[1]


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "more", "problem"),
    [
        ("a.sum", "", "the rule a.sum is money, and bool is needed"),
        ("a.it", 'monthly = "a.it"', "the rule a.it is bool, and money is needed"),
        ("a.one", "", "the rule a.one is for each person, and the programme is for a shop"),
        ("a.it", 'documents = ["paper"]', "there is no document paper"),
    ],
)
def test_a_programme_of_the_wrong_rules_is_refused(found, rule, programme, condition, more, problem):
    rules = rule("a.it", "shop", "bool", "shop.open", SAID) + rule("a.sum", "shop", "money", "shop.money", SAID)
    rules += rule("a.one", "person", "bool", "person.n > 1 and a.it and a.sum > 0", SAID)
    faults = found(rules + programme(condition, more=more), PackFault)
    assert [fault for fault in faults if "cn: programme aid" in fault and problem in fault]


@pytest.mark.parametrize(
    ("more", "where", "problem"),
    [
        (EXCLUSION.format("a.nothing"), "exclusion of aid", "the rule a.nothing does not exist"),
        (EXCLUSION.format("a.sum"), "exclusion of aid", "the rule a.sum is no condition"),
        (PAPER + 'when = "a.nothing"\n', "document paper", "there is no rule a.nothing"),
        (PAPER + 'citations = [{ instrument = "x" }]\n', "document paper", "no pack lists the instrument x"),
    ],
)
def test_a_name_of_nothing_is_refused(found, rule, used, more, where, problem):
    rules = used("bool", "a.sum > 0") + rule("a.sum", "shop", "money", "shop.money")
    faults = found(rules + more, PackFault)
    assert [fault for fault in faults if f"cn: {where}: " in fault and problem in fault]


def test_a_presumption_of_no_entity_and_a_delegation_of_no_programme_are_refused(found, used):
    head = '[delegation]\nfish = "county"\n[[presumption]]\nentity = "ship"\nkey = "x"\nvalue = 1\nzh = "x"\nen = "x"\n'
    faults = "".join(found(used("bool", "shop.open"), head=head))
    assert "presumption ship.x: 没有名为 ship 的对象" in faults
    assert "delegation fish: 没有这个项目" in faults


@pytest.mark.parametrize(
    ("kind", "value", "unit", "problem"),
    [
        ("money", "7", "yuan", "wrong form"),
        ("money", "1000000000.01", "yuan", "larger than any standard"),
        ("rate", "1e3", "rate", "wrong form"),
        ("rate", "0.00001", "rate", "wrong form"),
        ("rate", "1000.0001", "rate", "wrong form"),
        ("int", "-1", "count", "wrong form"),
        ("int", "10001", "count", "out of range"),
        ("int", "1_0", "count", "wrong form"),
        ("months", "12001", "count", "out of range"),
        ("bool", "yes", "yes/no", "not true or false"),
    ],
)
def test_a_cell_that_is_no_figure_is_refused(found, rule, used, kind, value, unit, problem):
    text = used("bool", "held(line)") + PARAMETER.format("line", kind)
    rows = f"line,,{value},{unit},2021-01-01,replaced,,act,,s,verified,\n"
    assert [fault for fault in found(text, rows=rows) if "row 2 (line)" in fault and problem in fault]


# --- dates -----------------------------------------------------------------------------------------------------------

ROW = "line,{area},{value}.00,yuan/month,{start},{end},,act,,s,verified,\n"


def rows(*written):
    return "".join(ROW.format(area=area, value=value, start=start, end=end) for area, value, start, end in written)


@pytest.mark.parametrize(
    "written",
    [
        rows(("town", 1, "2021-01-01", "2021-07-01"), ("town", 2, "2021-07-01", "replaced")),
        rows(("town", 1, "2021-01-01", "2021-06-01"), ("town", 2, "2021-07-01", "replaced")),
        rows(("town", 1, "2021", ""), ("town", 2, "2022", "")),
        rows(("town", 1, "2021-01-01", "replaced"), ("town", 2, "2029-07-01", "replaced")),
        rows(("town", 1, "2021-01-01", "replaced"), ("village", 2, "2021-01-01", "replaced")),
        rows(("", 1, "2021-01-01", "replaced"), ("village", 2, "2021-01-01", "replaced")),
    ],
)
def test_figures_that_follow_one_another_stand(found, used, written):
    assert found(LINE + used("money", "line"), rows=written) == []


def test_two_figures_on_one_day_are_refused(found, used):
    written = rows(("town", 1, "2021-01-01", "2021-07-02"), ("town", 2, "2021-07-01", "replaced"))
    [fault] = found(LINE + used("money", "line"), rows=written)
    assert (
        "parameters.csv row 3 (line): 2021-07-01 已有第 2 行的标准有效；给旧的一条写上截止日期 / row 2 is still"
        in fault
    )


def test_a_gap_that_nobody_says_is_meant_is_a_warning(found, used):
    written = rows(("town", 1, "2021-01-01", ""), ("town", 2, "2022-01-02", "replaced"))
    assert found(LINE + used("money", "line"), rows=written, kind=PackFault) == []
    [warning] = found(LINE + used("money", "line"), rows=written)
    assert "row 3 (line)" in warning and "from 2022-01-01 until 2022-01-02; say in until of row 2" in warning


def test_rows_of_which_neither_is_the_more_exact_are_refused(found, rule, used):
    text = LINE.replace("keys = {", 'keys = { kind = "person.kind",').replace("line", "line")
    text += used("money", "line", entity="person")
    header = "name,area,kind,value,unit,from,until,rounding,instrument,article,source,confidence,note\n"
    row = "line,{},{},1.00,yuan/month,2021-01-01,replaced,,act,,s,verified,\n"
    crossing = header + row.format("town", "") + row.format("", "boss")
    apart = header + row.format("town", "hand") + row.format("", "boss")
    assert "neither is the more exact" in found(text, table=crossing)[0]
    assert found(text, table=apart) == []


def test_two_programmes_of_one_name_on_one_day_are_refused(found, used, programme):
    text = used("bool", "shop.open")
    assert "2020-01-01 有两个版本" in found(text + programme("a.it", more="from = 2020-01-01"))[0]
    ended = text.replace('id = "aid"\n', 'id = "aid"\nuntil = 2020-01-01\n')
    assert found(ended + programme("a.it", more="from = 2020-01-01")) == []


@pytest.mark.parametrize("block", [PAPER, EXCLUSION.format("a.it")])
def test_what_is_written_twice_is_refused(found, used, block):
    assert [fault for fault in found(used("bool", "shop.open") + block + block) if "it is written twice" in fault]


def test_a_fault_of_a_later_day_is_found_today(found, rule):
    rules = rule("a.one", "shop", "bool", "True", "until = 2030-01-01")
    rules += rule("a.one", "shop", "bool", "unheard", "from = 2030-01-01")
    assert "unheard" in found(rules)[0]


# --- linked figures --------------------------------------------------------------------------------------------------

LINKED = """
[[linked]]
figure = "half"
of = "line"
at_least = "1.3"
tolerance = "0.01"
citation = { instrument = "act", article = "第一条" }
zh = "一半不低于线的1.3倍"
en = "half is at least 1.3 times the line"
"""
HALF = LINE.replace("parameter.line", "parameter.half")


def linked_rows(half):
    whole = rows(("town", 100, "2021-01-01", "replaced"))
    return whole + f"half,town,{half},yuan/month,2021-01-01,replaced,,act,,s,verified,\n"


@pytest.mark.parametrize(("half", "is_short"), [("128.69", True), ("128.70", False), ("130.00", False)])
def test_a_figure_below_what_it_is_tied_to_is_a_warning(found, used, half, is_short):
    text = LINE + HALF + used("money", "line + half") + LINKED
    assert found(text, rows=linked_rows(half), kind=PackFault) == []
    warnings = found(text, rows=linked_rows(half))
    assert [
        ("row 3 (half)" in line and "less than 1.3 times cn parameters.csv row 2" in line) for line in warnings
    ] == ([True] if is_short else [])


def test_a_tie_is_a_fault_from_the_day_on_which_it_binds(found, used):
    text = LINE + HALF + used("money", "line + half") + LINKED
    bound = text + "binding_from = 2024-01-01\n"
    ended = linked_rows("101.00").replace("101.00,yuan/month,2021-01-01,replaced", "101.00,yuan/month,2021-01-01,{}")
    over, just_not_over = ended.format("2024-01-01"), ended.format("2024-01-02")
    assert found(bound, rows=over, kind=PackFault) == []
    assert "row 3 (half): 2021-01-01 " in found(bound, rows=over)[0]
    [fault] = found(bound, rows=just_not_over, kind=PackFault)
    assert "row 3 (half): 2024-01-01 " in fault


GUIDE = LINKED.replace("half", "line").replace("1.3", "1").replace('tolerance = "0.01"', 'place = "above"')


@pytest.mark.parametrize(("city", "is_short"), [("99.99", True), ("100.00", False)])
def test_a_city_below_its_province_is_found(findings, pack_of, used, city, is_short):
    nation = pack_of(LINE + used("money", "line") + GUIDE)
    province = pack_of("", rows(("town", 100, "2021-01-01", "replaced")), place="420000")
    row = f"line,town,{city},yuan/month,2021-02-01,replaced,,act,,s,verified,\n"
    below = pack_of("", row, place="420100")
    found = findings(nation, province, below)
    assert [line for line in found if "cn-420100: parameters.csv row 2" in line and "cn-420000" in line] == found
    assert bool(found) is is_short


def test_a_city_that_its_province_overtakes_is_found_on_the_day_of_that(findings, pack_of, used):
    nation = pack_of(LINE + used("money", "line") + GUIDE + "binding_from = 2026-07-01\n")
    steps = rows(("town", 90, "2021-01-01", "2023-01-01"), ("town", 110, "2023-01-01", "replaced"))
    below = pack_of("", rows(("town", 100, "2021-02-01", "replaced")), place="420100")
    warning, fault = findings(nation, pack_of("", steps, place="420000"), below)
    assert "cn-420100: parameters.csv row 2 (line): 2023-01-01 " in warning
    assert "cn-420100: parameters.csv row 2 (line): 2026-07-01 " in fault


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('of = "line"', 'of = "nothing"'), "not declared"),
        (('of = "line"', 'of = "factor"'), "do not fit"),
        (('"act"', '"nothing"'), "no pack lists the instrument nothing"),
    ],
)
def test_a_tie_to_what_does_not_fit_is_refused(found, used, change, problem):
    text = LINE + HALF + PARAMETER.format("factor", "rate") + used("money", "half_up_to((line + half) * factor, jiao)")
    faults = found(text + LINKED.replace(*change), PackFault)
    assert [fault for fault in faults if "linked half" in fault and problem in fault]


# --- all --------------


def test_a_parent_must_lie_above(schema, pack_of):
    packs = PackSet(schema, [pack_of(""), pack_of("", head='parent = "cn-360000"\n', place="420100")])
    assert "parent" in str(next(faults_of(packs)))


def test_check_raises_the_first_fault_and_lets_warnings_be(schema, pack_of, used):
    check(PackSet(schema, [pack_of(used("bool", "shop.open"), head=ACT_2)]))
    with pytest.raises(PackFault, match="idle"):
        check(PackSet(schema, [pack_of(PARAMETER.format("idle", "money"))]))
