"""Special aid, which a status opens, and emergency aid, which an event does."""

from datetime import date

from tests.eligibility.reference.basic import lacks_work_ability
from tests.eligibility.reference.home import Finding, Home, found
from tests.eligibility.reference.layers import Layers, status_of, status_of_household
from tests.eligibility.reference.people import Body, Person, fen, half_up

QUICK_AID_SINCE = date(2026, 1, 29)
SPENDING = ("medical_spending", "education_spending")
FAMILY_STATUSES = ("dibao", "dibao_margin", "rigid_expenditure")


# --- for members -----------------------------------------------------------------------------------------------------


def medical_aid(who: Person, home: Home, layers: Layers) -> Finding:
    """Of a bill after insurance: what is above the deductible by the ratio, up to the cap; then a second round."""
    status, bill = status_of(who, home, layers), home.told["medical_bill"]
    cost = fen(bill["in_policy_cost"]) if bill.get("member", who.id) == who.id else 0
    is_aided = bill["kind"] != "outpatient" or home.figures["outpatient_aided"]
    if cost == 0 or not is_aided or status == "none":
        return Finding(False)
    deductible = _deductible(status, home)
    first = cost
    if home.figures["medical_aid_rule", status] != "whole_cost":
        by_ratio = half_up(max(cost - deductible, 0) * home.figures["medical_aid_ratio", status])
        first = min(by_ratio, home.figures["medical_aid_cap", status, bill["kind"]])
    return found(cost > deductible, first + _second_round(status, cost - first, home))


def _deductible(status: str, home: Home) -> int:
    rule = home.figures["medical_aid_rule", status]
    if rule == "above_amount":
        return int(home.figures["medical_aid_deductible", status])
    share = home.figures["medical_aid_deductible_share", status]
    return half_up(home.last_years_income * share) if rule == "above_income_share" else 0


def _second_round(status: str, left: int, home: Home) -> int:
    figures = home.figures
    if figures["medical_reaid_rule", status] == "none" or left <= 0:
        return 0
    above = max(left - figures["medical_reaid_threshold", status], 0)
    return min(half_up(above * figures["medical_reaid_ratio", status]), int(figures["medical_reaid_cap", status]))


def premium_aid(who: Person, home: Home, layers: Layers) -> Finding:
    """The premium in full for destitute persons, a fixed amount for the others (Law Art. 24)."""
    status = status_of(who, home, layers)
    premium = home.figures["medical_insurance_premium"]
    return found(
        who.is_present and status != "none",
        premium if status == "tekun" else home.figures["premium_aid_amount", status],
    )


def education_aid(who: Person, home: Home, layers: Layers) -> Finding:
    """Who is at kindergarten, school or university, or a disabled child of school age (Law Art. 25)."""
    is_taught = who.told["student"] is not None or (6 <= who.age < 16 and who.grade > 0)
    return found(is_taught and who.is_present and status_of(who, home, layers) != "none")


def employment_aid(who: Person, home: Home, layers: Layers) -> Finding:
    """Who is able to work and jobless, of a dibao, margin or rigid-expenditure household (Law Art. 27)."""
    is_at_school = (who.told["student"] or {}).get("full_time", False)
    is_jobless = who.told["employment"] == "unemployed" and not is_at_school
    is_able = who.is_present and not lacks_work_ability(who, home)
    return found(is_jobless and is_able and status_of(who, home, layers) in FAMILY_STATUSES)


def child_rehabilitation(who: Person, home: Home, layers: Layers) -> Finding:
    """国发〔2018〕20号: young disabled children, destitute, on dibao, orphans, or whom places add."""
    is_young = who.age <= home.figures["child_rehabilitation_age_max"]
    is_orphan = who.draws("orphan_allowance") or layers.orphan[who.id].passes
    is_open = home.figures["child_rehabilitation_open", status_of(who, home, layers)]
    return found(is_young and who.is_present and who.grade > 0 and (is_orphan or is_open))


def homeless_aid(who: Person, home: Home, layers: Layers) -> Finding:
    """Law Art. 31, Decree 381: nowhere to live, nothing to live on, no kin to turn to, and no other aid."""
    assets = home.told["assets"]
    is_aided = home.recognised in ("dibao", "tekun") or who.draws("dibao", "dibao_single", "tekun")
    kin = [each for each in home.supporters[who.id] if not each.is_member]
    has_kin = any(not each.is_any("deceased", "missing", "imprisoned") for each in kin)
    means = layers.income[who.id] + fen(assets["financial"])
    return found(
        who.is_present
        and assets["homes"] == assets["non_residential"] == 0
        and not is_aided
        and not has_kin
        and (means == 0 or means < home.standard)
    )


# --- for the household -----------------------------------------------------------------------------------------------


def has_any_status(home: Home, layers: Layers) -> bool:
    """The household, or somebody in it, is of one of the four groups (Law Art. 13)."""
    of_household = status_of_household(home, layers) != "none"
    return of_household or any(status_of(who, home, layers) != "none" for who in home.people)


def referrals(home: Home, layers: Layers) -> dict[str, Finding]:
    """Aid that others decide, by status and by what happened."""
    opens = has_any_status(home, layers)
    bill = fen(home.told["medical_bill"]["in_policy_cost"])
    cannot_pay = opens or fen(home.told["assets"]["financial"]) < bill
    urgent = [each for each in home.events if each["kind"] in ("sudden_illness", "traffic_accident")]
    return {
        "housing_aid": found(any(_may_be_housed(who, home, layers) for who in home.people)),
        "disaster_relief": found(any(each["kind"] == "disaster" for each in home.events)),
        "emergency_medical_aid": found(cannot_pay and any(each["severity"] != "light" for each in urgent)),
        "legal_aid": found(opens),
        "judicial_aid": found(opens),
        "heating_aid": found(opens),
        "funeral_aid": found(opens and any(who.is_any("deceased") for who in home.people)),
    }


def _may_be_housed(who: Person, home: Home, layers: Layers) -> bool:
    status = status_of(who, home, layers)
    return status in FAMILY_STATUSES or (status == "tekun" and who.told["care_arrangement"] == "home")


def small_advance(home: Home) -> Finding:
    """Paid before the paperwork: a place's cap, and since 2026 a month's standard for each person affected."""
    urgent = [each for each in home.events if each["kind"] not in SPENDING]
    requested = sum(fen(each["requested"]) for each in urgent)
    if requested == 0 or not _somebody_lives(home):
        return Finding(False)
    if home.on < QUICK_AID_SINCE or "small_advance_cap" in home.figures:
        cap = home.figures["small_advance_cap"]
    else:
        cap = home.standard * home.figures["small_advance_months"] * max(_persons(each, home) for each in urgent)
    return found(True, min(requested, cap))


def temporary_aid(home: Home, layers: Layers, advance: Finding) -> Finding:
    """民发〔2018〕23号 and the opinions of 2026: emergencies without a means test, spending with one; less advances."""
    status = status_of_household(home, layers)
    heads = len(layers.counted)
    is_poor = layers.total * 12 < home.last_years_income * heads and home.property_fits
    has_means_test_passed = status != "none" or is_poor
    aided = [each for each in home.events if each["kind"] not in SPENDING or has_means_test_passed]
    total = sum(min(fen(each["requested"]), _limit(each, home)) for each in aided)
    advanced = (advance.amount or 0) if home.asks("small_advance") else 0
    is_staged = home.on >= QUICK_AID_SINCE and status in ("dibao_margin", "rigid_expenditure")
    stages = max((_months(each, home) for each in home.events if each["kind"] in SPENDING), default=0)
    amount = max(total - advanced, 0)
    return Finding(
        _somebody_lives(home)
        and any(fen(each["requested"]) > 0 for each in aided)
        and (advanced == 0 or total > advanced),
        amount,
        months=stages if is_staged and stages else None,
        level=_level(amount, home),
    )


def _somebody_lives(home: Home) -> bool:
    return any(not who.is_any("deceased") for who in home.people)


def _level(amount: int, home: Home) -> str:
    """Small amounts are the township's to decide, where the place hands it any."""
    limits = [home.figures["township_limit"]] if "township_limit" in home.figures else []
    if "township_limit_months" in home.figures:
        limits.append(home.standard * home.figures["township_limit_months"])
    return "township" if any(amount <= limit for limit in limits) else "county"


def _limit(event: Body, home: Home) -> int:
    key = ("spending" if event["kind"] in SPENDING else "emergency", event["severity"])
    rule, persons = home.figures["temporary_aid_rule", *key], _persons(event, home)
    if rule == "by_month":
        return home.standard * persons * _months(event, home)
    if rule == "fixed_limit":
        return int(home.figures["temporary_aid_limit", *key])
    if rule == "case_conference":
        return int(home.figures["temporary_aid_conference_amount"])
    each = half_up(home.standard * home.figures["temporary_aid_multiple", *key])
    return each if rule == "multiple" else each * persons


def _persons(event: Body, home: Home) -> int:
    return int(event.get("persons", len(home.people)))


def _months(event: Body, home: Home) -> int:
    return min(event["months"], home.figures.get("temporary_aid_months_max", event["months"]))
