"""Households of which every fact is told, made to stand at the thresholds of the figures that they are measured by."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from random import Random
from typing import Any

from services.eligibility.domain.request import PROGRAMMES
from tests.eligibility.reference.figures import Figures

REGION = "420100"
DATES = (
    "2021-07-01",
    "2022-10-19",
    "2022-10-20",
    "2024-02-29",
    "2024-12-31",
    "2025-01-01",
    "2025-12-31",
    "2026-01-01",
    "2026-01-28",
    "2026-01-29",
    "2026-06-30",
    "2026-07-01",
)
"""Both sides of each day on which a rule changes."""
AGES = (0, 5, 6, 7, 15, 16, 17, 18, 30, 45, 59, 60, 69, 70, 79, 80, 90, 100)
FAMILIES = (
    ("head",),
    ("head",),
    ("head",),
    ("head", "spouse"),
    ("head", "child"),
    ("head", "spouse", "child"),
    ("head", "spouse", "child", "child"),
    ("head", "parent"),
    ("head", "spouse", "parent", "parent", "child"),
    ("head", "child", "grandchild"),
    ("head", "sibling", "parent"),
    ("head", "parent", "grandparent"),
    ("head", "other"),
)
CIRCUMSTANCES = ("imprisoned", "compulsory_rehabilitation", "missing", "clergy_apart", "deceased")
CATEGORIES = ("visual", "hearing", "speech", "physical", "intellectual", "mental")
COUNTED_KINDS = ("wage", "business", "property", "pension", "unemployment_benefit", "maintenance", "transfer", "other")
OTHER_KINDS = (
    "base_pension",
    "old_age_allowance",
    "special_care",
    "scholarship",
    "disability_subsidy",
    "social_assistance",
    "childcare_subsidy",
)
DRAWN = (
    "dibao",
    "dibao_single",
    "tekun",
    "orphan_allowance",
    "unsupported_child_allowance",
    "disability_living_subsidy",
    "disability_care_subsidy",
    "elderly_care_subsidy",
    "old_age_allowance",
)
LEVELS = (
    "kindergarten",
    "primary",
    "junior",
    "senior",
    "vocational",
    "junior_college",
    "undergraduate",
    "postgraduate",
)
STATES = (
    "able",
    "dead",
    "dead",
    "missing",
    "imprisoned",
    "severely_disabled",
    "seriously_ill",
    "lost_contact",
    "guardianship_revoked",
    "deported",
    "compulsory_rehabilitation",
)
EVENTS = ("fire", "traffic_accident", "sudden_illness", "disaster", "medical_spending", "education_spending", "other")
CALM = 0.2
"""How much of what is unusual is left in a calm household."""
HOUSEHOLD_STATUSES = ("dibao", "dibao_margin", "rigid_expenditure")

Body = dict[str, Any]


def household(chance: Random, on: str, figures: Figures) -> Body:
    """The body of a request; whatever is random comes from `chance`."""
    return _Maker(chance, date.fromisoformat(on), figures).body()


class _Maker:
    def __init__(self, chance: Random, on: date, figures: Figures) -> None:
        self.chance, self.on, self.figures = chance, on, figures
        self.area = chance.choice(("urban", "rural"))
        self.family: tuple[str, ...] = chance.choice(FAMILIES)
        # In calm households little is unusual, so that a single test decides.
        self.calm = chance.random() < 0.6

    def one(self, choices: Sequence[Any]) -> Any:
        return self.chance.choice(choices)

    def often(self, share: float) -> bool:
        return self.chance.random() < share

    def seldom(self, share: float) -> bool:
        return self.often(share * CALM if self.calm else share)

    def yuan(self, amount: int | Fraction, near: bool = True) -> str:
        """The amount, or a fen to either side."""
        value = max(int(amount) + (self.one((-1, 0, 1)) if near else 0), 0)
        return f"{value // 100}.{value % 100:02d}"

    # --- the whole ---------------------------------------------------------------------------------------------------

    def body(self) -> Body:
        household: Body = {
            "area_type": self.area,
            "members": self.members(),
            "assets": self.assets(),
            "spending_last_12_months": self.spending(),
            "medical_bill": self.bill(),
        }
        statuses = (*HOUSEHOLD_STATUSES, "tekun") if len(self.family) == 1 else HOUSEHOLD_STATUSES
        if self.seldom(0.2):
            household["recognised_as"] = self.one(statuses)
        body = {
            "as_of": self.on.isoformat(),
            "region": REGION,
            "household": household,
            "events": [self.event() for _ in range(self.one((0, 0, 1, 1, 2)))],
        }
        if self.seldom(0.25):
            asked = [code for code in PROGRAMMES if self.often(0.5)]
            body["programmes"] = asked or ["dibao"]
        return body

    def members(self) -> list[Body]:
        grandchildren_known = self.family.count("child") == 1 or "grandchild" not in self.family
        assert grandchildren_known, "whose child a grandchild is must be known"
        members = [self.member(index, relation) for index, relation in enumerate(self.family)]
        for member in members:
            self.tell_parents(member)
        self.meet_a_limit(members)
        return members

    # --- people ------------------------------------------------------------------------------------------------------

    def born(self, ages: Sequence[int] = AGES) -> str:
        """At one of the ages, or a day short of it."""
        age = self.one(ages)
        if self.on.month == 2 and self.on.day == 29:
            birthday = date(self.on.year - age, 2, 28) if self.often(0.5) else date(self.on.year - age, 3, 1)
        else:
            birthday = self.on.replace(year=self.on.year - age)
        return min(birthday + timedelta(days=self.one((-1, 0, 0, 1))), self.on).isoformat()

    def ages_of(self, relation: str) -> Sequence[int]:
        if relation == "child":
            return (*AGES[:8], *AGES[:8], 20, 30)
        if relation == "grandchild":
            return AGES[:9]
        return AGES[7:] if relation in ("parent", "grandparent") else AGES

    def disability(self) -> Body | None:
        if self.often(0.55):
            return None
        if self.often(0.8):
            return {"category": self.one(CATEGORIES), "grade": self.chance.randint(1, 4)}
        parts = [{"category": self.one(CATEGORIES), "grade": self.chance.randint(1, 4)} for _ in range(2)]
        return {"category": "multiple", "grade": min(part["grade"] for part in parts), "components": parts}

    def member(self, index: int, relation: str) -> Body:
        student = None if self.often(0.7) else {"level": self.one(LEVELS), "full_time": self.often(0.7)}
        member = {
            "id": f"m{index}",
            "relation": relation,
            "birth_date": self.born(self.ages_of(relation)),
            "sex": self.one(("male", "female")),
            "disability": self.disability(),
            "serious_illness": self.seldom(0.25),
            "employment": self.one(("employed", "employed", "self_employed", "unemployed", "not_in_labour_force")),
            "student": student,
            "self_care_failures": self.one((0, 0, 1, 3, 4, 6)),
            "care_arrangement": self.one(("home", "home", "institution")),
            "needs_long_term_care": self.often(0.5),
            "work_injury_care_fee": self.seldom(0.2),
            "ability_level": self.one(("intact", "mild", "moderate", "severe", "total")),
            "income": [self.income() for _ in range(self.one((0, 0, 1, 2)))] if self.seldom(1) else [],
            "benefits": self.benefits(0.25),
            "supporters": [self.supporter() for _ in range(self.one((0, 0, 0, 1, 1, 2, 3)))],
        }
        if self.seldom(0.25):
            member["circumstances"] = [self.one(CIRCUMSTANCES)]
        if self.seldom(0.2):
            member["work_ability"] = self.one(("able", "partial", "none"))
        if self.often(0.1):
            self.make_a_destitute_pupil(member)
        return member

    def make_a_destitute_pupil(self, member: Body) -> None:
        member["birth_date"] = self.born((15, 16, 17, 18, 20))
        member["student"] = {"level": self.one(LEVELS), "full_time": self.often(0.8)}
        member["benefits"] = [{"programme": "tekun", "monthly": "900.00"}] if self.often(0.9) else []
        member["disability"] = None

    def income(self) -> Body:
        kind = self.one(COUNTED_KINDS) if self.often(0.6) else self.one(OTHER_KINDS)
        amounts = (0, self.standard, self.standard // 3, self.figures["minimum_wage"], 30_000)
        return {"kind": kind, "monthly": self.yuan(self.one(amounts))}

    def benefits(self, share: float) -> list[Body]:
        if not self.seldom(share):
            return []
        amounts = (
            5_000,
            10_000,
            self.figures["orphan_standard_scattered", self.area],
            self.figures["disability_care_rate_1"],
        )
        programmes = self.chance.sample(DRAWN, self.one((1, 1, 2)))
        return [{"programme": code, "monthly": self.yuan(self.one(amounts))} for code in programmes]

    def supporter(self) -> Body:
        """Able to give support, but for one or two things."""
        able: Body = {
            "relation": "child",
            "birth_date": self.born((30,)),
            "disability": None,
            "employment": "employed",
            "per_capita_income": self.yuan(self.average),
            "property_ok": True,
            "benefits": [],
        }
        changes = (self.of_another_age, self.poor, self.disabled, self.destitute, self.on_dibao, self.absent, self.kin)
        for change in self.chance.sample(changes, self.one((0, 1, 1, 2, 2, 3))):
            change(able)
        return able

    def of_another_age(self, supporter: Body) -> None:
        supporter["birth_date"] = self.born((16, 17, 18, 59, 60, 65, 66, 69, 70, 71))

    def poor(self, supporter: Body) -> None:
        line = self.standard * self.figures["imputed_maintenance_line"]
        supporter["per_capita_income"] = self.yuan(self.one((0, line, line + 100_000, self.average // 12)))
        supporter["property_ok"] = self.often(0.8)

    def disabled(self, supporter: Body) -> None:
        supporter["disability"] = {"category": self.one(CATEGORIES), "grade": self.chance.randint(1, 4)}
        if self.often(0.7):
            supporter["per_capita_income"] = "0.00"

    def destitute(self, supporter: Body) -> None:
        supporter["benefits"] = [{"programme": "tekun", "monthly": "900.00"}]
        if self.often(0.7):
            supporter["disability"] = {"category": self.one(CATEGORIES), "grade": self.chance.randint(1, 4)}

    def on_dibao(self, supporter: Body) -> None:
        supporter["benefits"] = [{"programme": self.one(("dibao", "dibao_single")), "monthly": "100.00"}]
        supporter["birth_date"] = self.born((59, 60, 61))

    def absent(self, supporter: Body) -> None:
        if self.often(0.5):
            supporter["circumstances"] = [self.one(CIRCUMSTANCES)]
        else:
            supporter["legal_capacity"] = self.often(0.3)

    def kin(self, supporter: Body) -> None:
        supporter["relation"] = self.one(("parent", "sibling", "sibling", "spouse"))

    def tell_parents(self, member: Body) -> None:
        relations = {
            "child": ("head", "spouse"),
            "head": ("parent",),
            "sibling": ("parent",),
            "parent": ("grandparent",),
        }
        at_home = sum(other in relations.get(member["relation"], ()) for other in self.family)
        if at_home == 2 and self.often(0.5):
            return
        # One who is told of beside two at home leaves open which of them is the other.
        numbers = (0, 2, 2, 2) if at_home == 2 or at_home == 0 else (0, 1, 1, 2, 2)
        number = self.one(numbers if at_home != 0 else (0, 1, 2, 2, 2))
        member["parents"] = [self.parent() for _ in range(number)]

    def parent(self) -> Body:
        since = self.on - timedelta(days=self.one((30, 179, 180, 181, 182, 183, 184, 185, 400)))
        ends = since + timedelta(days=self.one((100, 180, 182, 184, 186, 900)))
        return {"state": self.one(STATES), "since": since.isoformat(), "until": ends.isoformat()}

    # --- means, near a limit -----------------------------------------------------------------------------------------

    @property
    def standard(self) -> int:
        return int(self.figures["dibao_standard", self.area])

    @property
    def average(self) -> int:
        series = self.figures.get("income_reference_series")
        return int(self.figures["per_capita_disposable_income", "urban" if series == "urban" else self.area])

    def meet_a_limit(self, members: list[Body]) -> None:
        """Brings what is told of income up to a limit of the household, or of one person, and a fen to either side."""
        if self.often(0.3):
            return
        line = int(self.standard * self.figures["margin_multiplier"] + Fraction(1, 2))
        tiers = [self.figures[f"dibao_tier_{tier}_below"] for tier in ("a", "b")]
        share = int(self.standard * (1 - self.figures["dibao_minimum_share"]))
        limit = self.one((self.standard, self.standard, line, line, line, *tiers, share, self.average // 12))
        heads = self.one((len(members), len(members), len(members) - 1 or 1, 1))
        told = sum(_fen(each["monthly"]) for member in members for each in member["income"])
        if self.often(0.6):
            for member in members:
                member["income"] = []
            told = 0
        kind = self.one(("other", "wage", "pension"))
        cost = self.figures["work_cost_deduction", self.area] if kind == "wage" and self.often(0.5) else 0
        missing = limit * heads - told + cost
        self.one(members)["income"].append({"kind": kind, "monthly": self.yuan(missing)})

    def assets(self) -> Body:
        heads = len(self.family)
        limits = [
            0,
            self.figures.get("financial_asset_limit", 0) * heads,
            self.standard * self.figures.get("financial_asset_months", 0) * heads,
            self.standard * self.figures.get("rigid_asset_months", 0) * heads,
            self.figures.get("tekun_financial_asset_limit", 0) * heads,
            self.standard,
        ]
        rare: Callable[[], bool] = lambda: self.seldom(0.15)  # noqa: E731
        return {
            "financial": "0.00" if self.often(0.5) else self.yuan(self.one(limits)),
            "vehicles": [{"kind": self.one(("car", "motorcycle", "disability_mobility", "farm"))}] if rare() else [],
            "homes": self.one((0, 0, self.figures["homes_max"], self.figures["homes_max"] + 1))
            if self.often(0.3)
            else 1,
            "non_residential": self.one((1, 2)) if rare() else 0,
            "businesses": [{"registered_capital": self.yuan(self.figures["business_capital_max"])}] if rare() else [],
        }

    def spending(self) -> Body:
        yearly = self.standard * 12 * len(self.family)
        kinds = ("medical", "education", "rehabilitation", "living")
        if self.often(0.15):
            return {**dict.fromkeys(kinds, "0.00"), self.one(kinds): self.one(("0.00", "0.01"))}
        ratio = self.figures["rigid_ratio"]
        at_ratio = self.average * len(self.family) * ratio
        amounts = (0, 0, yearly * ratio, at_ratio, yearly * self.figures["margin_multiplier"] * ratio, 500_000)
        return {kind: self.yuan(self.one((yearly, 0) if kind == "living" else amounts)) for kind in kinds}

    def bill(self) -> Body:
        statuses = ("dibao", "tekun", "dibao_margin", "rigid_expenditure")
        status = self.one(statuses)
        costs = (
            0,
            self.figures["medical_aid_deductible", status],
            self.average * self.figures["medical_aid_deductible_share", status],
            2_000_000,
            20_000_000,
            *self.at_cap(status),
        )
        index = self.chance.randrange(len(self.family))
        kind = self.one(("inpatient", "chronic_outpatient", "outpatient"))
        return {"member": f"m{index}", "in_policy_cost": self.yuan(self.one(costs)), "kind": kind}

    def at_cap(self, status: str) -> tuple[Fraction, ...]:
        cap, ratio = self.figures["medical_aid_cap", status, "inpatient"], self.figures["medical_aid_ratio", status]
        return (self.figures["medical_aid_deductible", status] + Fraction(cap) / ratio,)

    def event(self) -> Body:
        kind, severity = self.one(EVENTS), self.one(("light", "serious", "grave"))
        caps = (
            0,
            self.standard,
            self.standard * len(self.family),
            self.figures["temporary_aid_limit", "emergency", severity],
            1_000_000,
        )
        event = {
            "kind": kind,
            "on": (self.on - timedelta(days=3)).isoformat(),
            "requested": self.yuan(self.one(caps)),
            "months": self.chance.randint(1, 8),
            "severity": severity,
        }
        if self.often(0.5):
            event["persons"] = self.chance.randint(1, 4)
        return event


def _fen(text: str) -> int:
    return int(text.replace(".", ""))
