"""The household under determination, and what a programme finds for it or for one of its members."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from tests.eligibility.reference.means import Property, maintenance_owed, property_of, savings_limit
from tests.eligibility.reference.people import Body, Figures, Person, owing_support, person


@dataclass(frozen=True)
class Finding:
    """Whether the programme's own tests are passed, with the amount in fen; and who else is served instead.

    `months` of aid that is paid in stages, and the `level` that decides, where that hangs on the amount.
    """

    passes: bool
    amount: int | None = None
    excluded_by: frozenset[str] = frozenset()
    months: int | None = None
    level: str | None = None

    @property
    def is_granted(self) -> bool:
        return self.passes and not self.excluded_by

    def but(self, **excluding: bool) -> "Finding":
        """The same, where these programmes are served instead."""
        return found(self.passes, self.amount, **excluding)


def found(passes: bool, amount: int | None = None, **excluding: bool) -> Finding:
    """A finding; each of `excluding` is a programme, and whether it is served instead."""
    if not passes:
        return Finding(False)
    return Finding(True, amount, frozenset(name for name, excludes in excluding.items() if excludes))


Findings = Mapping[str, Finding]
"""By member."""


@dataclass(frozen=True)
class Home:
    """What a request tells of a household, on its day and with the figures of its place."""

    on: date
    told: Body
    events: Sequence[Body]
    figures: Figures
    asked: Collection[str] | None
    people: Sequence[Person]

    @staticmethod
    def of(body: Body, figures: Figures) -> "Home":
        on, told = date.fromisoformat(body["as_of"]), body["household"]
        people = [person(each, on, is_member=True) for each in told["members"]]
        return Home(on, told, body.get("events", ()), figures, body.get("programmes"), people)

    def asks(self, programme: str) -> bool:
        """What is not asked for excludes nothing."""
        return self.asked is None or programme in self.asked

    @property
    def area(self) -> str:
        return str(self.told["area_type"])

    @property
    def recognised(self) -> str:
        return str(self.told.get("recognised_as", "none"))

    @cached_property
    def standard(self) -> int:
        return int(self.figures["dibao_standard", self.area])

    @cached_property
    def last_years_income(self) -> int:
        """Per-capita disposable income a year of the place, of its towns where it says so."""
        series = self.figures.get("income_reference_series")
        return int(self.figures["per_capita_disposable_income", "urban" if series == "urban" else self.area])

    @cached_property
    def family(self) -> list[Person]:
        """The members by law, before anybody is taken out as supported apart."""
        return [who for who in self.people if who.is_of_the_family]

    @cached_property
    def heads(self) -> int:
        return max(len(self.family), 1)

    @cached_property
    def supporters(self) -> dict[str, list[Person]]:
        return {who.id: owing_support(who, self.people, self.on) for who in self.people}

    @cached_property
    def maintenance(self) -> dict[str, int]:
        return maintenance_owed(self.people, self.supporters, self.on, self.standard, self.figures)

    @cached_property
    def property(self) -> Property:
        return property_of(self.told["assets"], self.figures)

    @cached_property
    def property_fits(self) -> bool:
        """A household whose status is confirmed is not tested again (Law Art. 42)."""
        limit = savings_limit(self.heads, self.standard, self.figures)
        return self.recognised != "none" or self.property.fits(limit)
