"""People as a request tells of them: how old, how disabled, what they draw, and who owes whom support."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

Body = Mapping[str, Any]
Figures = Mapping[Any, Any]
"""Figures of a place and day: by name, or by name and keys. Money in fen, rates as fractions; absent is not held."""

NOT_OF_THE_FAMILY = {"sibling", "other"}
AWAY = {"imprisoned", "compulsory_rehabilitation", "missing", "clergy_apart", "deceased"}
PARENT_AWAY = {
    "dead",
    "missing",
    "imprisoned",
    "lost_contact",
    "guardianship_revoked",
    "deported",
    "compulsory_rehabilitation",
}


def fen(text: str) -> int:
    """ "738.00" as 73800."""
    return int(text.replace(".", ""))


def half_up(amount: Fraction | int) -> int:
    """Rounded to a whole number, a half upwards; amounts here are never negative."""
    return int(amount + Fraction(1, 2))


def years(since: date, until: date) -> int:
    """Full years: one more on each anniversary, on 1 March for 29 February."""
    return until.year - since.year - ((until.month, until.day) < (since.month, since.day))


def months(since: date, until: date) -> int:
    """Full months, one more on the same day of the next."""
    return (until.year - since.year) * 12 + until.month - since.month - (until.day < since.day)


@dataclass(frozen=True)
class Person:
    """A member or a supporter; `grades` by kind of disability, `grade` the worst of them, 0 where there is none."""

    told: Body
    age: int
    grade: int
    grades: Mapping[str, int]
    is_member: bool

    @property
    def id(self) -> str:
        return str(self.told["id"])

    @property
    def relation(self) -> str:
        return str(self.told.get("relation", "head"))

    def is_any(self, *circumstances: str) -> bool:
        return any(name in self.told.get("circumstances", ()) for name in circumstances)

    def draws(self, *programmes: str) -> bool:
        return any(benefit["programme"] in programmes for benefit in self.told["benefits"])

    def drawn(self, *programmes: str) -> int:
        return sum(fen(each["monthly"]) for each in self.told["benefits"] if each["programme"] in programmes)

    def income(self, *kinds: str) -> int:
        return sum(fen(each["monthly"]) for each in self.told["income"] if each["kind"] in kinds)

    def has_grade(self, category: str, *grades: int) -> bool:
        return self.grades.get(category) in grades

    @property
    def is_of_the_family(self) -> bool:
        """57号 Art. 7: siblings are not, nor is who serves a sentence, is held for drugs, missing, or clergy apart."""
        return self.relation not in NOT_OF_THE_FAMILY and not self.is_any(*AWAY)

    @property
    def is_present(self) -> bool:
        return not self.is_any("imprisoned", "compulsory_rehabilitation", "missing", "deceased")

    @property
    def is_severe(self) -> bool:
        """Grades 1 and 2, or intellectual or mental 3 (57号 Art. 8, 43号 Art. 8)."""
        return self.grade in (1, 2) or self.has_grade("intellectual", 3) or self.has_grade("mental", 3)

    @property
    def cannot_work(self) -> bool:
        """43号 Art. 5; an assessment, where there is one, wins over what age and disability imply."""
        assessed = self.told.get("work_ability")
        return assessed == "none" if assessed else self.is_too_young_old_or_disabled_to_work

    @property
    def is_too_young_old_or_disabled_to_work(self) -> bool:
        return (
            not 16 <= self.age < 60
            or self.has_grade("intellectual", 1, 2, 3)
            or self.has_grade("mental", 1, 2, 3)
            or self.has_grade("physical", 1, 2)
            or self.has_grade("visual", 1)
        )

    @property
    def is_jobless_severe_adult(self) -> bool:
        return self.age >= 18 and self.grade in (1, 2) and self.told["employment"] not in ("employed", "self_employed")


def person(told: Body, on: date, *, is_member: bool) -> Person:
    """One person, on a day."""
    age = years(date.fromisoformat(told["birth_date"]), on)
    return Person(told, age, *_disability(told["disability"]), is_member)


def _disability(told: Body | None) -> tuple[int, dict[str, int]]:
    if told is None:
        return 0, {}
    grades: dict[str, int] = {}
    for part in told["components"] if told["category"] == "multiple" else [told]:
        grades[part["category"]] = min(part["grade"], grades.get(part["category"], 4))
    return told["grade"], grades


def owing_support(who: Person, people: Sequence[Person], on: date) -> list[Person]:
    """Who owes `who` support: those told of outside the household, and spouses, parents and children inside."""
    outside = [person(each, on, is_member=False) for each in who.told["supporters"]]
    return outside + [other for other in people if other is not who and _are_close(who, other, people)]


# Spouses, and parents with their children, by their relations to the head. The head's parents are a couple and have
# the head and the siblings for children; so are the grandparents.
_CLOSE = {
    frozenset(pair)
    for pair in [
        ("head", "spouse"),
        ("head", "parent"),
        ("parent",),
        ("parent", "sibling"),
        ("parent", "grandparent"),
        ("grandparent",),
    ]
}


def _are_close(one: Person, other: Person, people: Sequence[Person]) -> bool:
    pair = {one.relation, other.relation}
    if pair in ({"child", "head"}, {"child", "spouse"}):
        child = one if one.relation == "child" else other
        states = {parent["state"] for parent in child.told.get("parents", ())}
        return not states or bool(states - PARENT_AWAY)
    if pair == {"child", "grandchild"}:
        assert sum(each.relation == "child" for each in people) == 1, "whose child the grandchild is must be known"
        return True
    return pair in _CLOSE


def parents_at_home(child: Person, people: Iterable[Person]) -> list[Person]:
    """The members who are the child's parents."""
    kinds = {"child": ("head", "spouse"), "head": ("parent",), "sibling": ("parent",), "parent": ("grandparent",)}
    return [each for each in people if each.relation in kinds.get(child.relation, ())]
