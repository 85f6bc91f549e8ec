"""The basic layer for persons: children without parents' care, and destitute persons."""

from datetime import date
from fractions import Fraction

from tests.eligibility.reference.home import Finding, Findings, Home, found
from tests.eligibility.reference.means import ALWAYS_COUNTED, income_counted
from tests.eligibility.reference.people import Body, Person, fen, half_up, months, parents_at_home

HALF_A_YEAR = 6
SETTLES_IT = {"seriously_ill", "severely_disabled", "guardianship_revoked", "deported", "compulsory_rehabilitation"}
TOPPED_UP = ("dibao", "dibao_single", "tekun", "disability_living_subsidy")
"""What an unsupported child may have in payment already, so that the difference is paid."""
SCHOOLS_TO_SENIOR = ("primary", "junior", "senior", "vocational")


# --- children --------------------------------------------------------------------------------------------------------


def orphans(home: Home) -> dict[str, Finding]:
    """国办发〔2010〕54号: minors both of whose parents are dead, declared missing or unknown."""
    return {who.id: _orphan(who, home) for who in home.people}


def _orphan(who: Person, home: Home) -> Finding:
    if not _is_child_here(who) or not all(gone for gone, _ in _parents(who, home)):
        return Finding(False)
    kind = "institution" if who.told["care_arrangement"] == "institution" else "scattered"
    return found(True, home.figures[f"orphan_standard_{kind}", home.area])


def unsupported_children(home: Home, orphan: Findings) -> dict[str, Finding]:
    """民发〔2019〕62号, 〔2020〕125号: all parents are gone or unable, not all gone; what is drawn comes off."""
    return {who.id: _unsupported(who, home, takes_orphan(who, home, orphan)) for who in home.people}


def _unsupported(who: Person, home: Home, is_supported_as_orphan: bool) -> Finding:
    if not _is_child_here(who):
        return Finding(False)
    parents = _parents(who, home)
    is_one = all(unable for _, unable in parents) and not all(gone for gone, _ in parents)
    standard, drawn = home.figures["orphan_standard_scattered", home.area], who.drawn(*TOPPED_UP)
    left = standard - drawn
    return found(is_one and (left > 0 or drawn == 0), left, orphan_allowance=is_supported_as_orphan)


def _is_child_here(who: Person) -> bool:
    return who.age < 18 and not who.is_any("missing", "deceased")


def _parents(child: Person, home: Home) -> list[tuple[bool, bool]]:
    """Of each parent: gone for good, and unable to care (which who is gone is too)."""
    told = child.told.get("parents")
    at_home = [_state_at_home(each) for each in parents_at_home(child, home.people)]
    if told is None:
        assert len(at_home) == 2, "both parents must be known"
        return at_home
    stated = [_state_told(each, home.on) for each in told]
    # Where one parent was told of, the one at home is the other.
    return stated + at_home if len(told) == 1 else stated


def _state_told(parent: Body, on: date) -> tuple[bool, bool]:
    state = parent["state"]
    if state in ("dead", "missing"):
        return True, True
    if state == "lost_contact":
        return False, months(date.fromisoformat(parent["since"]), on) >= HALF_A_YEAR
    if state == "imprisoned":
        # The term counts: what was served of it, or what it comes to in all.
        ends = max(on, date.fromisoformat(parent["until"]))
        return False, months(date.fromisoformat(parent["since"]), ends) >= HALF_A_YEAR
    return False, state in SETTLES_IT


def _state_at_home(parent: Person) -> tuple[bool, bool]:
    gone = parent.is_any("deceased", "missing")
    disabled = parent.grade in (1, 2) or parent.has_grade("intellectual", 3, 4) or parent.has_grade("mental", 3, 4)
    held = parent.is_any("imprisoned", "compulsory_rehabilitation")
    return gone, gone or disabled or held or parent.told["serious_illness"]


def takes_orphan(who: Person, home: Home, orphan: Findings) -> bool:
    """Draws the allowance, or is granted it where it was asked for."""
    return who.draws("orphan_allowance") or (home.asks("orphan_allowance") and orphan[who.id].passes)


def takes_unsupported(who: Person, home: Home, unsupported: Findings) -> bool:
    """Draws the allowance, or is granted it where it was asked for."""
    granted = home.asks("unsupported_child_allowance") and unsupported[who.id].passes
    return who.draws("unsupported_child_allowance") or granted


def chooses_child_programme(who: Person, home: Home, orphan: Findings, unsupported: Findings) -> bool:
    """43号 Art. 9: who takes a child programme is no destitute person; an unsupported child who is one is topped up."""
    by_top_up = who.draws("tekun")
    return takes_orphan(who, home, orphan) or (takes_unsupported(who, home, unsupported) and not by_top_up)


# --- destitute persons -----------------------------------------------------------------------------------------------


def destitute(home: Home, orphan: Findings, unsupported: Findings) -> dict[str, Finding]:
    """43号 Art. 4 to 9: no ability to work, no means, no supporter who is able."""
    findings = {}
    for who in home.people:
        by_orphan = takes_orphan(who, home, orphan)
        by_unsupported = takes_unsupported(who, home, unsupported) and not who.draws("tekun")
        findings[who.id] = found(
            _is_destitute(who, home),
            _support(who, home),
            orphan_allowance=by_orphan,
            unsupported_child_allowance=by_unsupported,
        )
    return findings


def _is_destitute(who: Person, home: Home) -> bool:
    if who.is_any("imprisoned", "missing", "deceased"):
        return False
    if home.recognised == "tekun":
        return True
    # 43号 Art. 6 leaves out base pension, special care and old-age allowance, and knows no work costs.
    income = who.income("wage", *ALWAYS_COUNTED)
    return (
        lacks_work_ability(who, home)
        and income < home.standard
        and _property_of_destitute_fits(home)
        and not any(_is_able_supporter(each, home) for each in home.supporters[who.id])
    )


def lacks_work_ability(who: Person, home: Home) -> bool:
    """43号 Art. 5; who came in as a minor stays until 18, and beyond while at school (Art. 24, Law Art. 16)."""
    stays = who.draws("tekun") and who.age >= 16 and (who.age < 18 or _is_pupil(who))
    return home.recognised == "tekun" or stays or who.cannot_work


def _is_pupil(who: Person) -> bool:
    student = who.told.get("student") or {}
    return student.get("level") in SCHOOLS_TO_SENIOR and bool(student["full_time"])


def _property_of_destitute_fits(home: Home) -> bool:
    if "tekun_financial_asset_limit" in home.figures:
        limit = home.figures["tekun_financial_asset_limit"] * home.heads
        return home.recognised != "none" or home.property.fits(limit)
    return home.property_fits


def _is_able_supporter(supporter: Person, home: Home) -> bool:
    """43号 Art. 8 turned round: of age, alive, and none of its cases."""
    if supporter.age < 18 or supporter.is_any("deceased"):
        return False
    # Nobody who can work is a destitute person, whatever is said to be drawn, but who stays as a pupil.
    if supporter.draws("tekun") and (supporter.cannot_work or _is_pupil(supporter)):
        return False
    on_dibao = supporter.draws("dibao") or (supporter.is_member and home.recognised == "dibao")
    if supporter.age >= 60 and on_dibao:
        return False
    excused = (supporter.age >= 70 or supporter.is_severe) and _has_low_income(supporter, home)
    incapable = not supporter.told.get("legal_capacity", True) or supporter.is_any("missing", "imprisoned")
    property_fits = home.property_fits if supporter.is_member else supporter.told["property_ok"]
    return not ((excused or incapable) and property_fits)


def _has_low_income(supporter: Person, home: Home) -> bool:
    a_month = _income_a_head(home) if supporter.is_member else fen(supporter.told["per_capita_income"])
    return a_month * 12 < home.last_years_income


def _income_a_head(home: Home) -> int:
    total = sum(income_counted(who, home.maintenance[who.id], home.area, home.figures) for who in home.family)
    return half_up(Fraction(total, home.heads))


def _support(who: Person, home: Home) -> int:
    """Basic living and care (Art. 21, 22): of six things, none failed is self-care, up to three partial, more full."""
    failures = who.told["self_care_failures"]
    degree = "self" if failures == 0 else "half" if failures <= 3 else "full"
    care = home.figures[f"tekun_care_{degree}", home.area, who.told["care_arrangement"]]
    return int(home.figures["tekun_basic_standard", home.area, degree] + care)


def takes_tekun(who: Person, home: Home, tekun: Findings, chooses_child: bool) -> bool:
    """Is confirmed, draws, or is granted the support; not who chose a child programme instead."""
    granted = home.asks("tekun") and tekun[who.id].passes
    return (home.recognised == "tekun" or who.draws("tekun") or granted) and not chooses_child
