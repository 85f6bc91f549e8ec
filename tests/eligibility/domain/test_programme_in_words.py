"""A programme in words: what the rules of a place and day say to someone who reads no code."""

import re
from datetime import date

import pytest

from services.eligibility.domain.programme_in_words import programme_in_words
from services.eligibility.domain.rule_in_force import InForce
from services.eligibility.domain.rule_in_words import Wording
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.expression import read_value
from services.shared.policy.unparsing import written

PACKS = pack_set_of(read_packs())
WUHAN = PACKS.prepare("420100", date(2023, 8, 15)).book
LATER = PACKS.prepare("420100", date(2026, 8, 15)).book
CODE = re.compile(r"[a-z]_[a-z]|\b[a-z]+\.[a-z]+")


def words(expression, entity="member", book=WUHAN):
    clause = Wording(book).clause(read_value(expression, entity, book.names, "cn", "test"))
    return lines(clause, "zh"), lines(clause, "en")


def lines(clause, language):
    return [getattr(clause.text, language), *(lines(part, language) for part in clause.parts)]


@pytest.mark.parametrize(
    ("expression", "zh", "en"),
    [
        ("member.imprisoned", ["正在服刑"], ["is in prison"]),
        ("not member.imprisoned", ["不符合：正在服刑"], ["not so: is in prison"]),
        ('member.sex == "female"', ["性别是女"], ["sex is female"]),
        ('not member.sex == "female"', ["性别不是女"], ["sex is not female"]),
        (
            'member.relation in ("head", "spouse", "child")',
            ["与户主的关系是户主、配偶或子女"],
            ["the relation to the head is head, spouse or child"],
        ),
        ("member.disability_grade not in (1, 2)", ["残疾等级不是1或2"], ["the grade of disability is not 1 or 2"]),
        ("member.income_wage > 0", ["工资收入超过 0 元"], ["income from wages is above 0 yuan"]),
        (
            'member.income_wage >= yuan("10.50")',
            ["工资收入不低于 10.50 元"],
            ["income from wages is at least 10.50 yuan"],
        ),
        (
            "member.missing or (member.deceased or membership.age < 16)",
            ["以下至少一项符合", ["失踪"], ["已死亡"], ["年龄低于 16"]],
            ["at least one of these holds", ["is missing"], ["has died"], ["age is below 16"]],
        ),
        (
            "not (member.missing or member.deceased)",
            ["以下都不符合", ["失踪"], ["已死亡"]],
            ["none of these holds", ["is missing"], ["has died"]],
        ),
        (
            "any(supporter.legal_capacity and supporter.in_household for supporter in supporters)",
            ["至少一名赡养、抚养、扶养人：以下各项都符合", ["有民事行为能力"], ["与本人共同生活"]],
            ["at least one supporter: all of these hold", ["has legal capacity"], ["lives in the household"]],
        ),
    ],
)
def test_a_condition_reads_as_a_sentence_or_a_list(expression, zh, en):
    assert words(expression) == (zh, en)


@pytest.mark.parametrize(
    ("expression", "zh", "en"),
    [
        (
            "max(dibao_standard * membership.count - income.household, 0)",
            "最低生活保障标准 × 计入的人数 − 家庭每月计入的收入（最低为零）",
            "dibao standard x the number counted - the household's income counted a month (at least nothing)",
        ),
        (
            "sum(income.counted for member in members if membership.counted)",
            "每名计入家庭人口的家庭成员的本人计入的收入之和",
            "the sum of own income counted over every member who counts as a member of the household",
        ),
        (
            'sum(event.requested for event in events if event.kind == "fire")',
            "每个“事件类别是火灾”的急难事件的申请的金额之和",
            "the sum of the amount asked for over every emergency where the kind of emergency is fire",
        ),
        (
            "income.household if base_pension_counted else 0",
            "如果基础养老金计入收入，为家庭每月计入的收入；否则为 0 元",
            "the household's income counted a month if the base pension counts as income, else 0 yuan",
        ),
        (
            'ceil_to(dibao_standard * rate("0.3"), yuan)',
            "最低生活保障标准 × 0.3（不足一元的进为一元）",
            "dibao standard x 0.3 (rounded up to a yuan)",
        ),
        (
            "min(income.household, margin.line)",
            "家庭每月计入的收入、低保边缘线中较低的",
            "the lower of the household's income",
        ),
        (
            'max(income.household - margin.line, 0) * rate("0.5")',
            "（家庭每月计入的收入 − 低保边缘线（最低为零）） × 0.5",
            "(the household's income counted a month - the margin line",
        ),
        (
            'min(income.household, margin.line) * rate("0.5")',
            "（家庭每月计入的收入、低保边缘线中较低的） × 0.5",
            "(the lower of the household's income",
        ),
        (
            "dibao_standard * max(membership.count, 1)",
            "最低生活保障标准 × 计入的人数（最低为 1）",
            "dibao standard x the number counted (at least 1)",
        ),
        (
            "max(business.registered_capital for business in businesses)",
            "每个企业的认缴注册资本中最高的",
            "the highest of the subscribed capital over every business",
        ),
    ],
)
def test_an_amount_reads_as_a_phrase(expression, zh, en):
    phrase = Wording(WUHAN).phrase(read_value(expression, "household", WUHAN.names, "cn", "test"))
    assert phrase.zh == zh
    assert phrase.en.startswith(en)


@pytest.mark.parametrize(
    ("expression", "rest"),
    [
        ('dibao_method == "gap" and household.homes > 1', "household.homes > 1"),
        ('dibao_method == "tier" and household.homes > 1', "False"),
        ("held(dibao_standard) or household.homes > 1", "True"),
        ('3 if dibao_method == "tier" else household.homes', "household.homes"),
        ("income.household + dibao.supplements", "income.household"),
        ("sum(income.imputed for member in members) + margin.line", "margin.line"),
        ("dibao.amount", "dibao.gap"),
        ('min(income.household, yuan("10000000.00"))', "income.household"),
        ('min(income.household, yuan("9999999.99"))', 'min(income.household, yuan("9999999.99"))'),
        ("known(income.household) and settled(household.homes > 1)", "household.homes > 1"),
        ("max(dibao.gap, 0)", "dibao.gap"),
        ("dibao_standard", "dibao_standard"),
    ],
)
def test_what_the_figures_of_a_place_decide_is_left_out(expression, rest):
    assert written(InForce(WUHAN).node(read_value(expression, "household", WUHAN.names, "cn", "test"))) == rest


@pytest.mark.parametrize("programme", LATER.programmes)
def test_every_programme_is_told_in_plain_words(programme):
    """No rule's id, no code of a fact; each condition has its name and its law."""
    told = programme_in_words(LATER, LATER.programmes[programme])
    assert told.conditions
    rules = (*told.conditions, *told.amounts, *told.terms)
    for rule in rules:
        said = [rule.term, *texts(rule.says), *(text for clause in rule.exceptions for text in texts(clause))]
        assert not [text for text in said if CODE.search(text.en) or CODE.search(text.zh)], rule.rule
        assert not [text for text in said if "“" in text.zh and re.search("“[a-z_]+”", text.zh)], rule.rule
    assert all(rule.term.zh != "（规则）" for rule in rules)
    assert all(rule.law is not None for rule in told.conditions)


def texts(clause):
    yield clause.text
    for part in clause.parts:
        yield from texts(part)


def test_dibao_in_wuhan():
    told = programme_in_words(WUHAN, WUHAN.programmes["dibao"])
    assert [rule.term.zh for rule in told.conditions] == [
        "有共同生活的成员",
        "人均收入低于低保标准",
        "家庭财产符合规定",
    ]
    income = told.conditions[1]
    assert income.says.text.zh == "家庭每月计入的收入低于（最低生活保障标准 × 计入的人数）"
    assert [clause.text.zh for clause in income.exceptions] == ["已认定为低保家庭的，视为符合"]
    assert (income.law.title.zh[:4], income.law.article) == ("社会救助", "第九条")
    assert told.amounts[0].says.text.zh == "收入与标准的差额"
    assert (told.starts.en, told.decided_by.en) == (
        "from the month after the decision",
        "the county civil affairs department",
    )
    standards = [figure for figure in told.figures if figure.parameter == "dibao_standard"]
    assert [(item.of.zh, item.value.zh, item.since, item.confidence) for item in standards] == [
        ("城镇", "940.00 元/月", "2023-04-01", "verified_2nd"),
        ("农村", "820.00 元/月", "2023-04-01", "verified_2nd"),
    ]
    unknown = [(item.parameter, item.of) for item in told.figures if item.value is None]
    assert ("financial_asset_limit", None) in unknown


def test_an_amount_that_depends_on_the_case_is_a_list():
    told = programme_in_words(WUHAN, WUHAN.programmes["tekun"])
    [care] = [rule for rule in told.terms if rule.rule == "tekun.care"]
    assert lines(care.says, "zh") == [
        "按以下第一种符合的情形",
        ["自理能力是能自理：全自理照料护理标准"],
        ["自理能力是部分不能自理：半护理照料护理标准"],
        ["其他情形：全护理照料护理标准"],
    ]


def test_what_is_known_for_some_alone_is_told_so():
    book = PACKS.prepare("530100", date(2024, 8, 15)).book
    told = programme_in_words(book, book.programmes["tekun"])
    half = [(item.of.en, item.value and item.value.en) for item in told.figures if item.parameter == "tekun_care_half"]
    assert ("institution", "498.00 yuan a month") in half
    assert {of for of, value in half if value is None} == {"urban, home", "rural, home"}


def test_the_law_of_the_day_is_named():
    laws = [rule.law.title.en for rule in programme_in_words(LATER, LATER.programmes["dibao"]).conditions]
    assert "Social Assistance Law of the People's Republic of China" in laws


def test_a_yearly_figure_shows_what_was_published():
    book = PACKS.prepare("530113", date(2025, 8, 15)).book
    told = programme_in_words(book, book.programmes["dibao"])
    [rural] = [item for item in told.figures if item.parameter == "dibao_standard" and item.of.en == "rural"]
    assert (rural.value.en, rural.published.en) == ("560.00 yuan a month", "6720.00 yuan a year")
