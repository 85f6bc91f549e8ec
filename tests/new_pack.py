"""A small policy pack of a place that has none, for tests of publishing: one figure, one golden case."""

from collections.abc import Mapping

from services.shared.policy.pack import fingerprint

PLACE = "659001"
ID = f"cn-{PLACE}"

HEAD = """id = "{id}"
version = "{version}"
jurisdiction = "{place}"
parent = "cn"
title = {{ zh = "示例地", en = "Example place" }}
review = "Invented for a test."

[[instrument]]
id = "example_notice"
title = "示例通知（虚构）"
title_en = "Example notice (invented)"
in_force_from = 2024-01-01
confidence = "design"
"""

FIGURES = (
    "name,area_type,care_arrangement,self_care,value,unit,from,until,rounding,instrument,article,source,confidence,note\n"
    "dibao_standard,urban,,,{standard},yuan/month,2024-07-01,,,example_notice,,https://example.invalid,design,Invented\n"
)

CASES = """[base.alone]
as_of = "2024-08-15"
region = "{place}"
programmes = ["dibao"]

[base.alone.household]
area_type = "urban"
assets = {{ financial = "0.00", vehicles = [], homes = 1, non_residential = 0, businesses = [] }}

[[base.alone.household.members]]
id = "m1"
relation = "head"
birth_date = "1970-05-01"
serious_illness = false
employment = "employed"
income = [{{ kind = "wage", monthly = "500.00" }}]
disability = {{ category = "hearing", grade = 4 }}

[[case]]
name = "the gap to the standard"
base = "alone"
expect = {{ results = [{{ programme = "dibao", outcome = "eligible", monthly = "{monthly}" }}] }}
"""


def pack_files(
    version: str = "1", standard: str = "700.00", monthly: str = "200.00", place: str = PLACE, **changes: str
) -> dict[str, str]:
    """The files of a pack for `place` whose standard leaves one person with 500.00 a gap of `monthly`.

    `changes` replace texts in pack.toml, "old" to "new" by keyword old=, new=.
    """
    head = HEAD.format(id=f"cn-{place}", version=version, place=place)
    return {
        "pack.toml": head.replace(changes["old"], changes["new"]) if changes else head,
        "parameters.csv": FIGURES.format(standard=standard),
        "rules.toml": "# No rule differs from the nation's.\n",
        "cases/standards.toml": CASES.format(place=place, monthly=monthly),
    }


def sha256_of(files: Mapping[str, str]) -> str:
    """The hash that a pack of these files is published under."""
    return fingerprint({name: text.encode() for name, text in files.items()})


def request_body(place: str = PLACE) -> dict[str, object]:
    """The household of the golden case, as a request."""
    return {
        "as_of": "2024-08-15",
        "region": place,
        "programmes": ["dibao"],
        "household": {
            "area_type": "urban",
            "assets": {"financial": "0.00", "vehicles": [], "homes": 1, "non_residential": 0, "businesses": []},
            "members": [
                {
                    "id": "m1",
                    "relation": "head",
                    "birth_date": "1970-05-01",
                    "serious_illness": False,
                    "employment": "employed",
                    "disability": None,
                    "student": None,
                    "income": [{"kind": "wage", "monthly": "500.00"}],
                }
            ],
        },
    }
