"""The policy as a decision of the ZEN engine, and a household as its context; of ours it imports the figures alone.

Money is whole fen. The figures of place and day are handed in with the household, already looked up, and people
are gone through twice with as few fields as are needed: the quickest of the forms that were tried.
"""

import json
from dataclasses import asdict
from typing import Any

from benchmarks.comparison.household import Household

Step = tuple[str, str]

PEOPLE: tuple[Step, ...] = (
    (
        "facts",
        """map(members, {
            severe: #.grade >= 1 and #.grade <= (#.disability in ['intellectual', 'mental'] ? 3 : 2),
            age: #.age, work_ability: #.work_ability, student: #.student, failures: #.self_care_failures,
            wage: #.wage, business: #.business, other: #.property + max([#.transfer - #.exempt, 0])
        })""",
    ),
    (
        "people",
        """map($.facts, {
            severe: #.severe,
            failures: #.failures,
            unable: #.age >= 60 or #.age < 16 or #.severe or #.work_ability == 'none',
            entitled: #.age >= 70 or #.age < 18 or #.severe,
            own: max([#.wage - min([floor(#.wage * f.work_cost_rate / 10000), f.standard])
                    - (#.age >= 60 or #.severe ? floor(f.minimum_wage * f.protected_wage_share / 10000) : 0), 0])
                + floor(#.business * f.business_share / 10000 + 0.5)
                + #.other
                + (#.work_ability == 'able' and #.age >= 18 and #.age < 60 and not #.student
                    and not #.severe and #.wage == 0 and #.business == 0
                    ? floor(f.minimum_wage * f.imputed_share / 1000000) * 100 : 0)
        })""",
    ),
)
ASSETS: tuple[Step, ...] = (
    ("count", "len(members)"),
    ("spare_car", "some($.people, #.severe) ? 1 : 0"),
    ("base", "$.count * ($.count <= 2 ? f.asset_months_small : f.asset_months)"),
    ("homes_allowed", "$.count >= 5 ? 2 : 1"),
    ("company_ok", "company_capital <= f.company_capital_max"),
    (
        "is_within",
        "financial <= f.standard * $.base and cars <= $.spare_car and homes <= $.homes_allowed and $.company_ok",
    ),
    (
        "is_wider",
        """financial <= floor(f.standard * f.margin_asset_multiplier / 10000) * $.base and cars <= 1 + $.spare_car
            and homes <= $.homes_allowed + 1 and $.company_ok""",
    ),
    ("assets_ok", "$.is_within ? 1 : 0"),
)
TEKUN: tuple[Step, ...] = (
    ("has_tekun", "no_supporter and $.is_within"),
    ("destitute", "$.has_tekun ? filter($.people, #.unable and #.own < f.standard) : []"),
    ("rest", "$.has_tekun ? filter($.people, not (#.unable and #.own < f.standard)) : $.people"),
    (
        "tekun",
        """sum(map($.destitute, ceil(f.standard * f.tekun_multiplier / 1000000) * 100
            + ceil(f.minimum_wage * (#.failures >= 4 ? f.care_share_full
                : #.failures >= 1 ? f.care_share_half : f.care_share_self) / 1000000) * 100))""",
    ),
    ("remaining", "len($.rest)"),
    ("household_income", "sum(map($.rest, #.own))"),
    ("income_per_head", "$.remaining > 0 ? floor($.household_income / $.remaining) : 0"),
)
AID: tuple[Step, ...] = (
    ("gap", "f.standard * $.remaining - $.household_income"),
    ("has_dibao", "$.remaining > 0 and $.is_within and $.gap > 0"),
    ("dibao", "$.has_dibao ? max([ceil($.gap / 10) * 10, f.dibao_floor]) : 0"),
    (
        "supplement",
        """$.has_dibao ? floor(f.standard * f.supplement_share / 10000 + 0.5)
            * count($.rest, #.entitled) : 0""",
    ),
    (
        "is_margin",
        """$.remaining > 0 and not $.has_dibao and $.income_per_head < floor(f.standard * f.margin_multiplier / 10000)
            and $.is_wider""",
    ),
    ("margin", "$.is_margin ? 1 : 0"),
    (
        "single",
        """$.is_margin ? sum(map(filter($.rest, #.severe), ceil(max([f.standard - #.own, 0]) / 10) * 10)) : 0""",
    ),
    ("spending", "medical + education"),
    (
        "rigid",
        """$.remaining > 0 and not $.has_dibao and not $.is_margin and $.income_per_head < f.median_income
            and $.is_wider and $.spending > 0 and $.spending * 10000 >= $.household_income * 12 * f.rigid_ratio
            ? 1 : 0""",
    ),
    (
        "months",
        """emergency_kind in ['fire', 'disaster'] ? f.emergency_months
            : emergency_kind in ['traffic_accident', 'sudden_illness'] ? 1 : 0""",
    ),
    (
        "emergency",
        """$.income_per_head < f.median_income
            ? floor(min([f.standard * $.count * $.months, f.emergency_cap]) / 100 + 0.5) * 100 : 0""",
    ),
    ("monthly_total", "$.tekun + $.dibao + $.supplement + $.single"),
)


def decision() -> str:
    """The decision as JSON: what comes in, one node of expressions, what goes out."""
    steps = (*PEOPLE, *ASSETS, *TEKUN, *AID)
    expressions = [{"id": key, "key": key, "value": " ".join(value.split())} for key, value in steps]
    content = {"expressions": expressions, "passThrough": False, "executionMode": "single"}
    nodes = [
        {"id": "request", "name": "request", "type": "inputNode", "content": {"schema": ""}},
        {"id": "policy", "name": "policy", "type": "expressionNode", "content": content},
        {"id": "answer", "name": "answer", "type": "outputNode", "content": {"schema": ""}},
    ]
    edges = [
        {"id": f"{source}-{target}", "sourceId": source, "targetId": target, "type": "edge"}
        for source, target in (("request", "policy"), ("policy", "answer"))
    ]
    return json.dumps({"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges})


def context(household: Household) -> dict[str, Any]:
    """The household and its figures as the decision's input."""
    facts = asdict(household)
    facts["emergency_kind"] = facts.pop("emergency")
    return {**facts, "f": asdict(household.figures)}
