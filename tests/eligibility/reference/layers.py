"""The layers of households, dibao, margin and rigid expenditure; dibao for one person; and the status that each has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tests.eligibility.reference import basic
from tests.eligibility.reference.home import Finding, Findings, Home, found
from tests.eligibility.reference.means import income_counted, savings_limit
from tests.eligibility.reference.people import Person, fen, half_up

RIGID_SINCE = date(2025, 1, 1)
JOBLESS_APPLY_ALONE_SINCE = date(2022, 10, 20)
YUAN = 100


@dataclass(frozen=True)
class Layers:
    """What the basic and status layers find, and whom they leave to count as the household."""

    orphan: Findings
    unsupported: Findings
    tekun: Findings
    dibao: Finding
    margin: Finding
    rigid: Finding
    single: Findings
    takes_orphan: Mapping[str, bool]
    takes_unsupported: Mapping[str, bool]
    takes_tekun: Mapping[str, bool]
    counted: frozenset[str]
    income: Mapping[str, int]
    total: int


def layers_of(home: Home) -> Layers:
    """Persons are found first, as who is supported apart is taken out of the household; then its layers, downwards."""
    orphan = basic.orphans(home)
    unsupported = basic.unsupported_children(home, orphan)
    tekun = basic.destitute(home, orphan, unsupported)
    by_orphan = {who.id: basic.takes_orphan(who, home, orphan) for who in home.people}
    by_unsupported = {who.id: basic.takes_unsupported(who, home, unsupported) for who in home.people}
    by_tekun = {
        who.id: basic.takes_tekun(who, home, tekun, basic.chooses_child_programme(who, home, orphan, unsupported))
        for who in home.people
    }
    apart = {who.id for who in home.family if by_orphan[who.id] or by_tekun[who.id]}
    all_apart = bool(home.family) and len(apart) == len(home.family)
    counted = [who for who in home.family if all_apart or who.id not in apart]
    income = {who.id: income_counted(who, home.maintenance[who.id], home.area, home.figures) for who in home.people}
    total = sum(income[who.id] for who in counted)
    served_apart = {
        "tekun": all_apart and any(by_tekun[who.id] for who in home.family),
        "orphan_allowance": all_apart and any(by_orphan[who.id] for who in home.family),
    }
    dibao = _dibao(home, counted, total, served_apart)
    margin = _margin(home, len(counted), total, served_apart)
    rigid = _rigid(home, len(counted), total, dibao.passes or margin.passes or served_apart["tekun"])
    on_dibao = home.recognised == "dibao" or (home.asks("dibao") and dibao.passes)
    single = {
        who.id: _single(home, who, who in counted, income[who.id], margin.passes).but(
            dibao=on_dibao, tekun=by_tekun[who.id], orphan_allowance=by_orphan[who.id]
        )
        for who in home.people
    }
    return Layers(
        orphan,
        unsupported,
        tekun,
        dibao,
        margin,
        rigid,
        single,
        by_orphan,
        by_unsupported,
        by_tekun,
        frozenset(who.id for who in counted),
        income,
        total,
    )


# --- dibao -----------------------------------------------------------------------------------------------------------


def _dibao(home: Home, counted: list[Person], total: int, served_apart: Mapping[str, bool]) -> Finding:
    """Law Art. 18, 649 Art. 9: income below the standard, by totals, and property within the limits."""
    is_poor = home.recognised == "dibao" or total < home.standard * len(counted)
    return found(
        bool(counted) and is_poor and home.property_fits,
        _dibao_amount(home, counted, total),
        dibao_margin=home.recognised == "dibao_margin",
        rigid_expenditure=home.recognised == "rigid_expenditure",
        **served_apart,
    )


def _dibao_amount(home: Home, counted: list[Person], total: int) -> int:
    """The gap or the tier, rounded as the place does, and more for the old, the young, the ill and the disabled."""
    figures = home.figures
    each = _tier(home, len(counted), total) * len(counted) if figures["dibao_method"] == "tier" else None
    paid = _gap(home, counted, total) if each is None else each
    if figures["dibao_rounding"] == "yuan_up":
        paid = -(-paid // YUAN) * YUAN
    elif figures["dibao_rounding"] == "yuan_half_up":
        paid = half_up(Fraction(paid, YUAN)) * YUAN
    return paid + sum(figures["dibao_supplement", home.area, _class_of(who)] for who in counted)


def _gap(home: Home, counted: list[Person], total: int) -> int:
    standards = [
        home.figures["dibao_standard_child", home.area] if who.age < home.figures["dibao_child_age"] else home.standard
        for who in counted
    ]
    least = half_up(home.standard * home.figures["dibao_minimum_share"]) * len(counted)
    return max(sum(standards) - total, least)


def _tier(home: Home, heads: int, total: int) -> int:
    tiers = [tier for tier in ("a", "b") if total < home.figures[f"dibao_tier_{tier}_below"] * heads]
    return int(home.figures["dibao_tier_amount", home.area, [*tiers, "c"][0]])


def _class_of(who: Person) -> str:
    """Law Art. 20 names them; who is of several has the supplement of who needs most."""
    classes = {
        "severely_disabled": who.grade in (1, 2),
        "ill": who.told["serious_illness"],
        "elderly": who.age >= 60,
        "minor": who.age < 18,
    }
    return next((name for name, belongs in classes.items() if belongs), "none")


# --- the layers above ------------------------------------------------------------------------------------------------


def _margin(home: Home, heads: int, total: int, served_apart: Mapping[str, bool]) -> Finding:
    """57号 Art. 8, Law Art. 21: from the standard up to the line, property within the limits."""
    line = half_up(home.standard * home.figures["margin_multiplier"])
    is_between = home.standard * heads <= total < line * heads
    return found(
        heads > 0 and (home.recognised == "dibao_margin" or is_between) and home.property_fits,
        dibao=home.recognised == "dibao",
        rigid_expenditure=home.recognised == "rigid_expenditure",
        **served_apart,
    )


def _rigid(home: Home, heads: int, total: int, is_of_a_higher_layer: bool) -> Finding:
    """The measures of 2024 Art. 4: of no higher layer, income below the average, spending a large share of it."""
    if home.on < RIGID_SINCE or heads == 0:
        return Finding(False)
    if home.recognised == "rigid_expenditure":
        return Finding(True)
    spending, income = _spending(home, heads), total * 12
    ratio = home.figures["rigid_ratio"]
    spends_much = spending >= income * ratio if home.figures["rigid_comparator"] == ">=" else spending > income * ratio
    return found(
        not is_of_a_higher_layer
        and income < home.last_years_income * heads
        and _property_of_spenders_fits(home)
        and spending > 0
        and (income == 0 or spends_much),
        dibao=home.recognised == "dibao",
        dibao_margin=home.recognised == "dibao_margin",
    )


def _spending(home: Home, heads: int) -> int:
    """A year's; living costs as far as necessary, which is at most the dibao standard."""
    told = {kind: fen(amount) for kind, amount in home.told["spending_last_12_months"].items()}
    living = min(told.pop("living"), home.standard * 12 * heads)
    return sum(told.values()) + (living if home.figures["rigid_includes_living"] else 0)


def _property_of_spenders_fits(home: Home) -> bool:
    if "rigid_asset_months" in home.figures:
        return home.property.fits(home.standard * home.heads * home.figures["rigid_asset_months"])
    return home.property.fits(savings_limit(home.heads, home.standard, home.figures))


# --- one person ------------------------------------------------------------------------------------------------------


def _single(home: Home, who: Person, is_counted: bool, income: int, is_margin_household: bool) -> Finding:
    """57号 Art. 8: the severely disabled and ill of a margin household; clergy and jobless adults alone."""
    is_clergy = who.is_any("clergy_apart") and who.is_present
    is_jobless = home.on >= JOBLESS_APPLY_ALONE_SINCE and who.is_of_the_family and who.is_jobless_severe_adult
    alone = (is_clergy or is_jobless) and income < home.standard and home.property_fits
    gap = max(home.standard - income, 0)
    is_paid_in_full = not alone and home.figures["single_person_amount_rule"] == "full_standard"
    amount = home.standard if is_paid_in_full else gap
    return found(
        (is_counted or is_clergy)
        and (who.is_severe or who.told["serious_illness"] or is_clergy)
        and (is_margin_household or alone)
        and amount > 0,
        amount,
    )


# --- status ----------------------------------------------------------------------------------------------------------


def status_of_household(home: Home, layers: Layers) -> str:
    """What is confirmed (Law Art. 42); else dibao that is drawn; else the first layer whose tests are passed."""
    if home.recognised != "none":
        return home.recognised
    if layers.dibao.passes or any(who.draws("dibao") for who in home.family):
        return "dibao"
    if layers.margin.passes:
        return "dibao_margin"
    return "rigid_expenditure" if layers.rigid.passes else "none"


def status_of(who: Person, home: Home, layers: Layers) -> str:
    """The person's own status, else the household's; beside another confirmed one only what is drawn counts."""
    is_open = home.recognised == "none"
    if home.recognised == "tekun" or who.draws("tekun") or (is_open and layers.tekun[who.id].passes):
        return "tekun"
    if who.draws("dibao", "dibao_single") or (is_open and layers.single[who.id].passes):
        return "dibao"
    return status_of_household(home, layers) if who.is_of_the_family else "none"


def is_on_dibao(who: Person, home: Home, layers: Layers) -> bool:
    """For the subsidies: of a household that is on dibao or would be, or alone; one account is told of one member."""
    household = (
        home.recognised == "dibao"
        or any(each.draws("dibao") for each in home.family)
        or (home.recognised == "none" and layers.dibao.passes)
    )
    alone = home.recognised in ("none", "dibao_margin") and layers.single[who.id].passes
    return (household and who.id in layers.counted) or who.draws("dibao", "dibao_single") or alone


def is_on_margin(who: Person, home: Home, layers: Layers) -> bool:
    """Counts in a household that is in the margin."""
    by_tests = home.recognised == "none" and layers.margin.passes
    return who.id in layers.counted and (home.recognised == "dibao_margin" or by_tests)
