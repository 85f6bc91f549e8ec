"""An award: what one result of a determination grants, to whom and for which months, once two persons agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.shared.vocabulary.money import fen_of

MONTHLY = "monthly"
ONE_OFF = "one_off"
HOUSEHOLD = "household"
PROPOSED, CONFIRMED, REFUSED = "PROPOSED", "CONFIRMED", "REFUSED"
REVIEW_MONTHS = 12
"""Without another review date an award runs to the yearly review (民发〔2021〕57号 Art. 31)."""
MAX_AWARD_MONTHS = 36
INCOME_TEST = ".income_test"


class NothingToAward(Exception):
    """The determination does not find this programme eligible for this subject, with an amount."""


class AwardMonthsWrong(Exception):
    """The award's end is not after its beginning, is too far away, or is given for aid that is paid once."""


class PeopleDoNotMatch(Exception):
    """The people named are not exactly the members that the award is for, or the payee is none of them."""


class AlreadyProposed(Exception):
    """This result has been proposed for an award before."""


class AlreadyDecided(Exception):
    """The award was confirmed or refused before."""


class SecondPersonNeeded(Exception):
    """Who proposed an award may not decide on it."""


class DemoPersonRefused(Exception):
    """A demo person (prefix 99) can belong to nobody, and is refused in production."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the place `region` awards: `amount_fen` a month in [first_month, until_month), once where both are None."""

    programme: str
    subject: str
    region: str
    kind: str
    amount_fen: int
    first_month: date | None
    until_month: date | None
    basis: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """A member whom an award names; `card_number` is set for the payee alone."""

    member: str
    name: str
    id_number: str
    card_number: str | None = None


def terms_of(answer: Mapping[str, Any], programme: str, subject: str, until_month: date | None) -> Terms:
    """The terms that a determination's `answer` gives `subject` under `programme`.

    Raises NothingToAward unless that result is eligible with an amount and cites its law, AwardMonthsWrong for a bad
    end.
    """
    result = _eligible_result(answer, programme, subject)
    basis, region = _basis_of(result, answer), result.get("region", answer["region"])
    if "one_off" in result:
        if until_month is not None:
            raise AwardMonthsWrong
        return Terms(programme, subject, region, ONE_OFF, fen_of(result["one_off"]), None, None, basis)
    first = month_of(result["from"])
    until = until_month or add_months(first, REVIEW_MONTHS)
    if not first < until <= add_months(first, MAX_AWARD_MONTHS):
        raise AwardMonthsWrong
    return Terms(programme, subject, region, MONTHLY, _monthly_fen(result), first, until, basis)


def check_people(members: tuple[str, ...], subject: str, people: tuple[Person, ...]) -> None:
    """Raise PeopleDoNotMatch unless `people` are exactly who the award is for, and one of them is the payee."""
    expected = sorted(members) if subject == HOUSEHOLD else [subject]
    named = sorted(person.member for person in people)
    payees = [person for person in people if person.card_number is not None]
    if named != expected or len(payees) != 1 or len({person.id_number for person in people}) != len(people):
        raise PeopleDoNotMatch


def places_of(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The places that a determination concerns: its region, and each other place that decides one of its results."""
    return tuple(dict.fromkeys((answer["region"], *(r["region"] for r in answer["results"] if "region" in r))))


def month_of(text: str) -> date:
    """The first day of "2023-09"."""
    return date(int(text[:4]), int(text[5:7]), 1)


def add_months(month: date, count: int) -> date:
    """The first day of the month `count` months after that of `month`."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def _eligible_result(answer: Mapping[str, Any], programme: str, subject: str) -> Mapping[str, Any]:
    for result in answer["results"]:
        found = result["programme"] == programme and result["subject"] == subject
        if found and result["outcome"] == "eligible" and ("monthly" in result or "one_off" in result):
            return result
    raise NothingToAward


def _monthly_fen(result: Mapping[str, Any]) -> int:
    # Of a top-up what is left beside the aid granted with it: the full amount would be paid twice over.
    fen = fen_of(result.get("monthly_together", result["monthly"]))
    if fen == 0:
        raise NothingToAward
    return fen


def _basis_of(result: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    reason = _deciding_reason(result)
    citation = reason["citation"]
    return {
        "rule": reason["rule"],
        "instrument": citation["instrument"],
        "article": citation["article"],
        "packs": answer["packs"],
    }


def _deciding_reason(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cited reason that gives the amount, else the income test, else the first: what a payment rests on in law."""
    amount = result.get("monthly", result.get("one_off"))
    cited = [reason for reason in result["reasons"] if reason["citation"] is not None]
    # A condition holds or does not; a rule that gives a value does neither.
    amounts = [reason for reason in cited if reason["holds"] is None and reason["values"].get("amount") == amount]
    tests = [reason for reason in cited if reason["rule"].endswith(INCOME_TEST)]
    for reason in (*amounts, *tests, *cited):
        return reason
    raise NothingToAward
