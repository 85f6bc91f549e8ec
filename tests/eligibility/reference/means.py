"""What a household has: income that counts, maintenance that is owed from outside, and property."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tests.eligibility.reference.people import Body, Figures, Person, fen, half_up

ALWAYS_COUNTED = (
    "business",
    "property",
    "pension",
    "unemployment_benefit",
    "maintenance",
    "transfer",
    "other",
)
"""57号 Art. 13. Special care, scholarships, assistance, disability and childcare subsidies never count."""
SUPPORT_LEFT_OUT_FROM = date(2022, 10, 20)


def income_counted(who: Person, maintenance: int, area: str, figures: Figures) -> int:
    """A member's income a month that counts for dibao (57号 Art. 13); `maintenance` is what is owed from outside."""
    wage = who.income("wage")
    total = max(wage - _work_cost(who, wage, area, figures), 0) + who.income(*ALWAYS_COUNTED) + maintenance
    for kind in ("base_pension", "old_age_allowance"):
        if who.income(kind) and figures[f"{kind}_counted"]:
            total += who.income(kind)
    return total


def _work_cost(who: Person, wage: int, area: str, figures: Figures) -> int:
    if not wage or who.told["employment"] != "employed":
        return 0
    if figures["work_cost_from_minimum_wage"] and wage < figures["minimum_wage"]:
        return 0
    if figures["work_cost_rule"] == "flat":
        return int(figures["work_cost_deduction", area])
    of = wage if figures["work_cost_rule"] == "share_of_wage" else figures["minimum_wage"]
    return half_up(of * figures["work_cost_share"])


def maintenance_owed(
    people: Sequence[Person], supporters: Mapping[str, Sequence[Person]], on: date, standard: int, figures: Figures
) -> dict[str, int]:
    """What those outside the household owe each member a month, by the place's formula."""
    rule = figures["imputed_maintenance_rule"]
    if rule == "none":
        return {who.id: 0 for who in people}
    paying = {
        who.id: [each for each in supporters[who.id] if not each.is_member and _pays(each, who, on, figures)]
        for who in people
    }
    supported = sum(bool(payers) for payers in paying.values())
    line = half_up(standard * figures["imputed_maintenance_line"])
    owed = {}
    for name, payers in paying.items():
        share = figures["imputed_maintenance_share", "few" if len(payers) <= 2 else "many"]
        excesses = [max(fen(each.told["per_capita_income"]) - line, 0) for each in payers]
        if rule == "share_of_excess":
            owed[name] = sum(half_up(excess * share / supported) for excess in excesses)
        elif rule == "share_of_family_excess":
            owed[name] = sum(half_up(excess * share) * figures["imputed_maintenance_family"] for excess in excesses)
        else:
            owed[name] = sum(half_up(Fraction(excess, len(payers))) for excess in excesses)
    return owed


def _pays(supporter: Person, who: Person, on: date, figures: Figures) -> bool:
    if supporter.age < 18 or supporter.age > figures.get("supporter_age_max", supporter.age):
        return False
    if supporter.is_any("deceased", "missing", "imprisoned"):
        return False
    # Minfa [2022] 83: of a jobless severely disabled adult, support by siblings and the old may be left out.
    may_be_left_out = on >= SUPPORT_LEFT_OUT_FROM and who.is_of_the_family and who.is_jobless_severe_adult
    by_them = supporter.relation == "sibling" or supporter.age >= 60
    return not (may_be_left_out and by_them and figures["disregard_sibling_support"])


@dataclass(frozen=True)
class Property:
    """Whether what the household owns is within the limits: savings apart, as they have several."""

    savings: int
    other_fits: bool

    def fits(self, limit: int) -> bool:
        """With savings of at most `limit`; having none passes any."""
        return self.other_fits and (self.savings == 0 or self.savings <= limit)


def property_of(assets: Body, figures: Figures) -> Property:
    """57号 Art. 14: no car, few homes, no other property unless it is the only dwelling, no large business."""
    homes, other = assets["homes"], assets["non_residential"]
    return Property(
        fen(assets["financial"]),
        not any(vehicle["kind"] == "car" for vehicle in assets["vehicles"])
        and homes <= figures["homes_max"]
        and (other == 0 or (other == 1 and homes == 0))
        and all(fen(each["registered_capital"]) <= figures["business_capital_max"] for each in assets["businesses"]),
    )


def savings_limit(heads: int, standard: int, figures: Figures) -> int:
    """What the household may have in savings: yuan a head, or months of the standard a head."""
    if "financial_asset_limit" in figures:
        return int(figures["financial_asset_limit"]) * heads
    return standard * figures["financial_asset_months"] * heads
