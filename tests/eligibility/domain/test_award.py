"""What a result of a determination grants: its amount, months, place and law, and whom it may name."""

from datetime import date

import pytest

from services.eligibility.domain.award import (
    MAX_AWARD_MONTHS,
    MONTHLY,
    ONE_OFF,
    AwardMonthsWrong,
    NothingToAward,
    PeopleDoNotMatch,
    Person,
    add_months,
    check_people,
    month_of,
    places_of,
    terms_of,
)

LAW = {"instrument": "一部法", "article": "第九条", "in_force_from": "2020-01-01"}


def reason(rule, holds=True, citation=LAW, **values):
    return {"rule": rule, "holds": holds, "values": values, "citation": citation}


def result(*reasons, **changes):
    granted = {"programme": "dibao", "subject": "household", "outcome": "eligible", "monthly": "1020.00"}
    return {**granted, "from": "2023-09", "reasons": list(reasons) or [reason("dibao.income_test")], **changes}


def answer(*results):
    packs = [{"id": "cn", "version": "1", "sha256": "0" * 64}]
    return {"region": "420100", "packs": packs, "results": list(results) or [result()]}


def terms(*results, programme="dibao", subject="household", until=None):
    return terms_of(answer(*results), programme, subject, until)


def test_a_monthly_result_gives_a_year_from_its_first_month():
    found = terms()
    assert (found.kind, found.amount_fen) == (MONTHLY, 102_000)
    assert (found.first_month, found.until_month) == (date(2023, 9, 1), date(2024, 9, 1))
    assert found.region == "420100"


def test_aid_paid_once_has_no_months_and_the_place_of_the_emergency():
    once = result(programme="small_advance", one_off="744.00", region="530113")
    del once["monthly"], once["from"]
    found = terms(once, programme="small_advance")
    assert (found.kind, found.amount_fen, found.region) == (ONE_OFF, 74_400, "530113")
    assert (found.first_month, found.until_month) == (None, None)
    with pytest.raises(AwardMonthsWrong):
        terms(once, programme="small_advance", until=date(2024, 1, 1))


def test_a_top_up_is_paid_as_it_is_beside_what_is_granted_with_it():
    child = result(programme="unsupported_child_allowance", monthly="1370.00", monthly_together="1020.00")
    assert terms(child, programme="unsupported_child_allowance").amount_fen == 102_000


def test_a_top_up_beside_which_nothing_is_left_to_pay_is_not_awarded():
    child = result(programme="unsupported_child_allowance", monthly="1370.00", monthly_together="0.00")
    with pytest.raises(NothingToAward):
        terms(child, programme="unsupported_child_allowance")


@pytest.mark.parametrize("until", [date(2023, 10, 1), add_months(date(2023, 9, 1), MAX_AWARD_MONTHS)])
def test_an_award_ends_within_its_bounds(until):
    assert terms(until=until).until_month == until


@pytest.mark.parametrize(
    "until", [date(2023, 8, 1), date(2023, 9, 1), add_months(date(2023, 9, 1), MAX_AWARD_MONTHS + 1), date(9999, 12, 1)]
)
def test_an_award_does_not_end_outside_them(until):
    with pytest.raises(AwardMonthsWrong):
        terms(until=until)


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "ineligible"},
        {"outcome": "undetermined"},
        {"programme": "dibao_margin"},
        {"subject": "m1"},
        {"monthly": None},
    ],
)
def test_what_is_not_granted_is_not_awarded(changes):
    changed = result(**changes)
    if changes.get("monthly", "") is None:
        del changed["monthly"]
    with pytest.raises(NothingToAward):
        terms(changed)


def test_the_result_of_the_subject_is_taken():
    two = [result(programme="tekun", subject=name, monthly=amount) for name, amount in (("m1", "1.00"), ("m2", "2.00"))]
    assert terms(*two, programme="tekun", subject="m2").amount_fen == 200


def test_the_basis_is_the_rule_that_gives_the_amount():
    basis = terms(
        result(
            reason("dibao.household_of_members"),
            reason("dibao.income_test"),
            reason("other.amount", holds=None, amount="7.00"),
            reason("dibao.amount", holds=None, amount="1020.00", citation={**LAW, "article": "第十二条"}),
        )
    ).basis
    assert basis["rule"] == "dibao.amount"
    assert (basis["instrument"], basis["article"]) == ("一部法", "第十二条")
    assert basis["packs"] == answer()["packs"]


@pytest.mark.parametrize(
    ("reasons", "rule"),
    [
        ([reason("a.first"), reason("dibao.income_test")], "dibao.income_test"),
        ([reason("a.first"), reason("b.amount", holds=None, citation=None, amount="1020.00")], "a.first"),
        ([reason("a.uncited", citation=None), reason("b.second")], "b.second"),
    ],
)
def test_without_one_it_is_the_income_test_or_the_first_that_cites_law(reasons, rule):
    assert terms(result(*reasons)).basis["rule"] == rule


def test_what_cites_no_law_is_not_paid():
    with pytest.raises(NothingToAward):
        terms(result(reason("a.uncited", citation=None)))


@pytest.mark.parametrize(
    ("name", "programme", "subject", "rule", "instrument", "article"),
    [
        ("wuhan_family", "dibao", "household", "dibao.amount", "社会救助暂行办法", "第十二条"),
        ("dongchuan_man", "tekun", "m1", "tekun.amount", "社会救助暂行办法", "第十五条"),
        ("emergency_away_from_home", "small_advance", "household", "small_advance.amount", "临时救助制度", ""),
        ("guangzhou_margin_family", "dibao_single", "m3", "single.amount", "最低生活保障审核确认办法", "第八条"),
    ],
)
def test_the_basis_of_real_answers(real_answer, name, programme, subject, rule, instrument, article):
    basis = terms_of(real_answer(name), programme, subject, None).basis
    assert (basis["rule"], basis["article"]) == (rule, article)
    assert instrument in basis["instrument"]
    assert basis["packs"][0]["id"] == "cn"


def test_the_places_of_an_answer_are_its_own_and_those_that_decide():
    assert places_of(answer()) == ("420100",)
    assert places_of(answer(result(), result(region="530113"), result(region="530113"))) == ("420100", "530113")
    assert places_of(answer(result(region="420100"))) == ("420100",)


FAMILY = ("m1", "m2", "m3")


def person(member, number=0, card=None):
    return Person(member, "演示", f"99{number}{member}", card)


def test_a_household_award_names_everybody_and_one_payee():
    check_people(FAMILY, "household", (person("m2"), person("m3"), person("m1", card="9")))


def test_a_members_award_names_the_member_alone():
    check_people(FAMILY, "m2", (person("m2", card="9"),))


@pytest.mark.parametrize(
    ("subject", "people"),
    [
        ("household", (person("m1", card="9"), person("m2"))),
        ("household", (person("m1", card="9"), person("m2"), person("m3"), person("m4"))),
        ("household", (person("m1", card="9"), person("m2"), person("m2", 1))),
        ("household", (person("m1", card="9"), person("m2", card="9"), person("m3"))),
        ("household", (person("m1"), person("m2"), person("m3"))),
        ("m2", (person("m2"),)),
        ("m2", (person("m1", card="9"),)),
        ("m2", (person("m2"), person("m1", card="9"))),
        ("household", (Person("m1", "甲", "99", "9"), Person("m2", "乙", "99"), Person("m3", "丙", "98"))),
    ],
    ids=[
        "one left out",
        "a stranger",
        "one twice",
        "two payees",
        "no payee",
        "no card",
        "another",
        "two",
        "one number",
    ],
)
def test_other_people_are_refused(subject, people):
    with pytest.raises(PeopleDoNotMatch):
        check_people(FAMILY, subject, people)


@pytest.mark.parametrize(
    ("month", "count", "then"), [("2023-09", 12, "2024-09"), ("2023-12", 1, "2024-01"), ("2023-01", 11, "2023-12")]
)
def test_months_are_added_over_the_end_of_the_year(month, count, then):
    assert add_months(month_of(month), count) == month_of(then)
