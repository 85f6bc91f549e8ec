"""What is linked to disability and old age, and which of it is left where something higher covers it."""

from tests.eligibility.reference.home import Finding, Findings, Home, found
from tests.eligibility.reference.layers import Layers, is_on_dibao, is_on_margin
from tests.eligibility.reference.people import Person

IN_FULL = ("dibao", "dibao_single", "tekun", "disability_living_subsidy")


def living_subsidy(who: Person, home: Home, layers: Layers) -> Finding:
    """国发〔2015〕52号: disabled persons of dibao households, and of margin ones where the place extends it."""
    on_dibao, on_margin = is_on_dibao(who, home, layers), is_on_margin(who, home, layers)
    is_extended = on_margin and home.figures["disability_living_extends_to_margin"]
    status = "dibao" if on_dibao else "dibao_margin" if on_margin else "none"
    is_due = who.grade > 0 and who.is_present and not who.told["work_injury_care_fee"]
    return found(
        is_due and (on_dibao or is_extended or layers.takes_tekun[who.id]),
        home.figures["disability_living_rate", home.area, status, f"grade_{who.grade or 4}"],
        orphan_allowance=layers.takes_orphan[who.id],
        unsupported_child_allowance=layers.takes_unsupported[who.id] and who.drawn(*IN_FULL) == 0,
        tekun=layers.takes_tekun[who.id],
    )


def care_subsidies(home: Home, layers: Layers) -> tuple[Findings, Findings]:
    """For the disabled and for the elderly: of the two the higher, of equal ones the first."""
    disabled, elderly = {}, {}
    for who in home.people:
        by_tekun = layers.takes_tekun[who.id]
        of_disabled, of_elderly = _for_disabled(who, home), _for_elderly(who, home, layers)
        drawn = {name: who.drawn(f"{name}_care_subsidy") for name in ("disability", "elderly")}
        has_disabled = _has(home, of_disabled, "disability_care_subsidy")
        has_elderly = _has(home, of_elderly, "elderly_care_subsidy")
        care = (of_disabled.amount or 0) if has_disabled else drawn["disability"]
        old = (of_elderly.amount or 0) if has_elderly else drawn["elderly"]
        takes_disabled = has_disabled or (who.grade > 0 and who.draws("disability_care_subsidy"))
        takes_elderly = has_elderly or (who.age >= 60 and who.draws("elderly_care_subsidy"))
        disabled[who.id] = of_disabled.but(
            tekun=by_tekun, elderly_care_subsidy=takes_elderly and old > care and not by_tekun
        )
        elderly[who.id] = of_elderly.but(
            tekun=by_tekun, disability_care_subsidy=takes_disabled and care >= old and not by_tekun
        )
    return disabled, elderly


def _has(home: Home, finding: Finding, programme: str) -> bool:
    return finding.passes and home.asks(programme)


def _for_disabled(who: Person, home: Home) -> Finding:
    """Grades 1 and 2, and the intellectual and mental grades that the place adds, who need long-term care."""
    extended_to = {
        "none": (),
        "mental_3_4": (("mental", 3), ("mental", 4)),
        "intellectual_mental_3": (("mental", 3), ("intellectual", 3)),
        "intellectual_mental_3_4": (("mental", 3), ("intellectual", 3), ("mental", 4), ("intellectual", 4)),
    }[home.figures["disability_care_extension"]]
    is_severe = who.grade in (1, 2) or any(who.has_grade(*each) for each in extended_to)
    is_due = who.is_present and who.told["needs_long_term_care"] and not who.told["work_injury_care_fee"]
    rate = who.grade if who.grade in (1, 2) else 3
    return found(is_severe and is_due, home.figures[f"disability_care_rate_{rate}"])


def _for_elderly(who: Person, home: Home, layers: Layers) -> Finding:
    """Poor persons from 60 who are impaired, at what the place pays for the level; a work-injury fee is more."""
    level = who.told["ability_level"]
    rate = home.figures["elderly_care_subsidy_rate", level]
    is_due = who.age >= 60 and who.is_present and level != "intact" and not who.told["work_injury_care_fee"]
    is_poor = is_on_dibao(who, home, layers) or layers.takes_tekun[who.id]
    return found(is_due and is_poor and rate > 0, rate)


def old_age_allowance(who: Person, home: Home) -> Finding:
    """From 80, by band of ten years."""
    band = "from_100" if who.age >= 100 else "from_90" if who.age >= 90 else "from_80"
    return found(who.age >= 80 and who.is_present, home.figures["old_age_allowance_80", band])
