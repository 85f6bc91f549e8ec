"""The due day comes from the pack and the calendar, and from nothing else."""

import re
from datetime import date

import pytest

from services.payments.domain.due_day import DueRule, DueRuleMissing, DueTerms, due_on
from services.payments.gateways.holiday_notice import read_holiday_notice
from services.payments.gateways.policy_pack import PaymentPackInvalid, read_payment_pack
from services.shared.vocabulary.calendar import CalendarYearMissing, WorkingDays

PACK = read_payment_pack()
DAYS = WorkingDays.of(map(read_holiday_notice, range(2023, 2027)))


@pytest.mark.parametrize("programme", ["dibao", "dibao_single", "tekun"])
def test_monthly_aid_is_paid_by_the_last_working_day_up_to_the_tenth(programme: str) -> None:
    assert due_on(PACK.due_rule(programme), date(2023, 9, 1), DAYS) == date(2023, 9, 8)
    assert due_on(PACK.due_rule(programme), date(2026, 5, 1), DAYS) == date(2026, 5, 9)


def test_an_advance_is_due_at_once_even_on_a_sunday() -> None:
    assert due_on(PACK.due_rule("small_advance"), date(2026, 3, 1), DAYS) == date(2026, 3, 1)


def test_an_advance_needs_no_calendar() -> None:
    assert due_on(PACK.due_rule("small_advance"), date(2027, 3, 1), DAYS) == date(2027, 3, 1)


def test_a_month_of_a_year_without_notice_has_no_due_day() -> None:
    with pytest.raises(CalendarYearMissing):
        due_on(PACK.due_rule("dibao"), date(2027, 1, 1), DAYS)


def test_every_rule_is_cited() -> None:
    assert all(rule.instrument and rule.article for rule in PACK.due_rules.values())


def test_a_programme_without_rule_is_not_scheduled() -> None:
    with pytest.raises(DueRuleMissing):
        PACK.due_rule("price_subsidy")
    with pytest.raises(DueRuleMissing):
        PACK.programme_number("price_subsidy")


@pytest.mark.parametrize("day", [0, 29, None])
def test_a_day_that_some_month_lacks_is_refused(day: int | None) -> None:
    with pytest.raises(ValueError, match="due"):
        DueRule("dibao", DueTerms.LAST_WORKING_DAY_UNTIL, day, "x", "y")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("due_days.toml", "[[due]]\nprogrammes = ['dibao']\nterms = 'some_day'\ninstrument='x'\narticle='y'"),
        ("due_days.toml", "[[due]]\nprogrammes = ['dibao', 'dibao']\nterms = 'at_once'\ninstrument='x'\narticle='y'"),
        ("due_days.toml", "not toml"),
        ("holds.toml", "[hold]\nanswer_within_working_days = 0\nanswered_by = 'x'"),
        ("holds.toml", "[hold]\nanswer_within_working_days = 'five'\nanswered_by = 'x'"),
        ("holds.toml", ""),
        ("programmes.toml", "[numbers]\na = 1\nb = 1"),
    ],
)
def test_a_broken_pack_is_refused(tmp_path, name: str, text: str) -> None:  # type: ignore[no-untyped-def]
    good = {
        "due_days.toml": "",
        "holds.toml": "[hold]\nanswer_within_working_days = 1\nanswered_by = 'x'",
        "programmes.toml": "",
    }
    for file, content in {**good, name: text}.items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(PaymentPackInvalid) as refused:
        read_payment_pack(tmp_path)
    zh, _, en = str(refused.value).partition(" / ")
    assert zh.startswith(f"{name}：") and "请" in zh and re.fullmatch(r"[ -~]*;[ -~]*", en)
