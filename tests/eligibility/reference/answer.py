"""All programmes of the nation for one household: what each gives, what excludes it, and the household's category."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from tests.eligibility.reference import aid, linked
from tests.eligibility.reference.basic import TOPPED_UP
from tests.eligibility.reference.home import Finding, Findings, Home
from tests.eligibility.reference.layers import RIGID_SINCE, Layers, layers_of
from tests.eligibility.reference.people import Body, Figures, Person, half_up

HOUSEHOLD = "household"
CATEGORIES = {
    "tekun": "tekun",
    "orphan": "orphan_allowance",
    "unsupported_child": "unsupported_child_allowance",
    "dibao": "dibao",
    "dibao_margin": "dibao_margin",
    "rigid_expenditure": "rigid_expenditure",
}
"""The highest first, and the programme that grants it."""
UNSUPPORTED = "unsupported_child_allowance"
MONTHLY = (
    "dibao",
    "dibao_single",
    "tekun",
    "orphan_allowance",
    UNSUPPORTED,
    "disability_living_subsidy",
    "disability_care_subsidy",
    "old_age_allowance",
    "elderly_care_subsidy",
)


@dataclass(frozen=True)
class Reading:
    """By programme and subject; the category; and what the household gets a month once all of it is paid."""

    findings: dict[tuple[str, str], Finding]
    category: str
    monthly: int


def read(body: Body, figures: Figures) -> Reading:
    """What the national rules give the household of a request of which every fact is told."""
    home = Home.of(body, figures)
    layers = layers_of(home)
    findings = {
        (programme, subject): finding
        for programme, by_subject in _all(home, layers).items()
        if home.asks(programme)
        for subject, finding in by_subject.items()
    }
    return Reading(findings, _category(home, findings), _monthly(home, layers, findings))


def _all(home: Home, layers: Layers) -> dict[str, Findings]:
    advance = aid.small_advance(home)
    disabled, elderly = linked.care_subsidies(home, layers)
    of_household = {
        "dibao": layers.dibao,
        "dibao_margin": layers.margin,
        **({"rigid_expenditure": layers.rigid} if home.on >= RIGID_SINCE else {}),
        "small_advance": advance,
        "temporary_aid": aid.temporary_aid(home, layers, advance),
        **aid.referrals(home, layers),
    }
    return {
        **{programme: {HOUSEHOLD: finding} for programme, finding in of_household.items()},
        "orphan_allowance": layers.orphan,
        "unsupported_child_allowance": layers.unsupported,
        "tekun": layers.tekun,
        "dibao_single": layers.single,
        "medical_aid": _each(home, lambda who: aid.medical_aid(who, home, layers)),
        "premium_aid": _each(home, lambda who: aid.premium_aid(who, home, layers)),
        "education_aid": _each(home, lambda who: aid.education_aid(who, home, layers)),
        "employment_aid": _each(home, lambda who: aid.employment_aid(who, home, layers)),
        "child_rehabilitation": _each(home, lambda who: aid.child_rehabilitation(who, home, layers)),
        "homeless_aid": _each(home, lambda who: aid.homeless_aid(who, home, layers)),
        "disability_living_subsidy": _each(home, lambda who: linked.living_subsidy(who, home, layers)),
        "disability_care_subsidy": disabled,
        "elderly_care_subsidy": elderly,
        "old_age_allowance": _each(home, lambda who: linked.old_age_allowance(who, home)),
    }


def _monthly(home: Home, layers: Layers, findings: dict[tuple[str, str], Finding]) -> int:
    granted = {key: finding for key, finding in findings.items() if key[0] in MONTHLY and finding.is_granted}
    total = sum(finding.amount or 0 for finding in granted.values())
    for who in home.people:
        if (UNSUPPORTED, who.id) in granted:
            left = home.figures["orphan_standard_scattered", home.area] - _beside(who, home, layers, findings)
            total += max(left, 0) - (granted[UNSUPPORTED, who.id].amount or 0)
    return total


def _beside(who: Person, home: Home, layers: Layers, findings: dict[tuple[str, str], Finding]) -> int:
    """民发〔2019〕62号 三（一）: what comes off the child's: dibao by the head; granted anew or in payment."""
    total = 0
    for programme in TOPPED_UP:
        finding = findings.get((programme, HOUSEHOLD if programme == "dibao" else who.id))
        if finding is None or not finding.passes:
            total += who.drawn(programme)
        elif finding.is_granted and programme == "dibao":
            total += half_up(Fraction(finding.amount or 0, len(layers.counted))) if who.id in layers.counted else 0
        elif finding.is_granted:
            total += finding.amount or 0
    return total


def _each(home: Home, find: Callable[..., Finding]) -> Findings:
    return {who.id: find(who) for who in home.people}


def _category(home: Home, findings: dict[tuple[str, str], Finding]) -> str:
    granted = {programme for (programme, _), finding in findings.items() if finding.is_granted}
    return next(
        (name for name, programme in CATEGORIES.items() if programme in granted or home.recognised == name), "none"
    )
