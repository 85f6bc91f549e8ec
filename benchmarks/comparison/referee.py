"""The policy by hand in plain Python: what the engines' answers are held to, and a floor for their time."""

from typing import NamedTuple

from benchmarks.comparison.figures import Figures
from benchmarks.comparison.household import Household, Member

RATE = 10_000
YUAN, JIAO = 100, 10


class Outputs(NamedTuple):
    """The eleven outputs; money in fen, a truth value as 0 or 1."""

    household_income: int
    income_per_head: int
    assets_ok: int
    tekun: int
    dibao: int
    supplement: int
    margin: int
    single: int
    rigid: int
    emergency: int
    monthly_total: int


def determine(household: Household, figures: Figures) -> Outputs:
    """The outputs for a household. The numbers are those of the rules in README.md."""
    members, standard = household.members, figures.standard
    people = len(members)
    severe = [is_severe(member) for member in members]
    counted = [counted_income(member, is_hard, figures) for member, is_hard in zip(members, severe, strict=True)]

    # 7: assets
    months = figures.asset_months_small if people <= 2 else figures.asset_months
    limit = standard * people * months
    spare_car = 1 if any(severe) else 0
    homes_allowed = 2 if people >= 5 else 1
    no_large_company = household.company_capital <= figures.company_capital_max
    assets_ok = (
        household.financial <= limit
        and household.cars <= spare_car
        and household.homes <= homes_allowed
        and no_large_company
    )
    wider_assets_ok = (
        household.financial <= limit * figures.margin_asset_multiplier // RATE
        and household.cars <= 1 + spare_car
        and household.homes <= homes_allowed + 1
        and no_large_company
    )

    # 8: tekun
    tekun, rest = 0, []
    for member, is_hard, own in zip(members, severe, counted, strict=True):
        unable = member.age >= 60 or member.age < 16 or is_hard or member.work_ability == "none"
        if household.no_supporter and assets_ok and unable and own < standard:
            tekun += up(standard * figures.tekun_multiplier, RATE * YUAN) * YUAN
            tekun += up(figures.minimum_wage * care_share(member, figures), RATE * YUAN) * YUAN
        else:
            rest.append((member, is_hard, own))

    # 6: income of those who remain
    remaining = len(rest)
    income = sum(own for _, _, own in rest)
    per_head = income // remaining if remaining else 0

    # 9 and 10: dibao and its supplement
    gap = standard * remaining - income
    has_dibao = remaining > 0 and assets_ok and gap > 0
    dibao = max(up(gap, JIAO) * JIAO, figures.dibao_floor) if has_dibao else 0
    each = (2 * standard * figures.supplement_share + RATE) // (2 * RATE)
    entitled = sum(1 for member, is_hard, _ in rest if member.age >= 70 or member.age < 18 or is_hard)
    supplement = each * entitled if has_dibao else 0

    # 11 and 12: margin, and single persons in it
    line = standard * figures.margin_multiplier // RATE
    margin = remaining > 0 and not has_dibao and per_head < line and wider_assets_ok
    single = sum(up(max(standard - own, 0), JIAO) * JIAO for _, is_hard, own in rest if is_hard) if margin else 0

    # 13: rigid expenditure
    spending = household.medical + household.education
    rigid = (
        remaining > 0
        and not has_dibao
        and not margin
        and per_head < figures.median_income
        and wider_assets_ok
        and spending > 0
        and spending * RATE >= income * 12 * figures.rigid_ratio
    )

    # 14: emergency aid
    emergency = 0
    if per_head < figures.median_income:
        asked = standard * people * emergency_months(household.emergency, figures)
        emergency = (2 * min(asked, figures.emergency_cap) + YUAN) // (2 * YUAN) * YUAN

    return Outputs(
        income,
        per_head,
        int(assets_ok),
        tekun,
        dibao,
        supplement,
        int(margin),
        single,
        int(rigid),
        emergency,
        tekun + dibao + supplement + single,
    )


def is_severe(member: Member) -> bool:
    """Grade 1 or 2 of any disability; grade 3 too where it is intellectual or mental."""
    return 1 <= member.grade <= (3 if member.disability in ("intellectual", "mental") else 2)


def counted_income(member: Member, is_hard: bool, figures: Figures) -> int:
    """Rules 1 to 5: what counts of a person's income."""
    work_cost = min(member.wage * figures.work_cost_rate // RATE, figures.standard)
    is_protected = member.age >= 60 or is_hard
    protected = figures.minimum_wage * figures.protected_wage_share // RATE if is_protected else 0
    wage = max(member.wage - work_cost - protected, 0)
    business = (2 * member.business * figures.business_share + RATE) // (2 * RATE)
    transfer = max(member.transfer - member.exempt, 0)
    is_idle = (
        member.work_ability == "able"
        and 18 <= member.age < 60
        and not member.student
        and not is_hard
        and member.wage == 0
        and member.business == 0
    )
    imputed = figures.minimum_wage * figures.imputed_share // (RATE * YUAN) * YUAN if is_idle else 0
    return wage + business + member.property + transfer + imputed


def care_share(member: Member, figures: Figures) -> int:
    """The share of the minimum wage that the care level gets: four failures and more, one and more, none."""
    if member.self_care_failures >= 4:
        return figures.care_share_full
    return figures.care_share_half if member.self_care_failures >= 1 else figures.care_share_self


def emergency_months(kind: str, figures: Figures) -> int:
    """For how many months of the standard an emergency is aided."""
    if kind in ("fire", "disaster"):
        return figures.emergency_months
    return 1 if kind in ("traffic_accident", "sudden_illness") else 0


def up(amount: int, unit: int) -> int:
    """A whole number of units, rounded up."""
    return -(-amount // unit)
