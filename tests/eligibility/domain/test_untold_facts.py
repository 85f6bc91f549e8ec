"""What a body leaves out is unknown by its path wherever it is read; what one body tells, no other does."""

from datetime import date

import pytest

from services.eligibility.domain.facts import SCHEMA, read_facts
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import Presumption
from services.shared.policy.text import Text

MEMBERS = len(SCHEMA.by_name["household"].facts)
SUPPORTERS = len(SCHEMA.by_name["member"].facts)
"""Where rows have the rows below them: after their facts."""

TOLD = {
    "birth_date": (19800115, ["birth_date"]),
    "disability": (None, ["disability_grade", "grade_mental"]),
    "employment": ("employed", ["employment"]),
    "benefits": ([], ["draws_dibao", "draws_tekun"]),
    "circumstances": ([], ["missing", "deceased"]),
    "relation": ("spouse", ["relation"]),
}
OF_MEMBERS = {
    "sex": ("female", ["sex"]),
    "serious_illness": (False, ["serious_illness"]),
    "student": (None, ["student_level", "student_full_time"]),
    "self_care_failures": (0, ["self_care_failures"]),
    "care_arrangement": ("home", ["care_arrangement"]),
    "needs_long_term_care": (False, ["needs_long_term_care"]),
    "work_injury_care_fee": (False, ["work_injury_care_fee"]),
    "ability_level": ("intact", ["ability_level"]),
    "income": ([], ["income_wage", "income_other"]),
}
OF_SUPPORTERS = {
    "per_capita_income": (0, ["per_capita_income"]),
    "property_ok": (True, ["property_ok"]),
    "legal_capacity": (True, ["legal_capacity"]),
}
MEMBER, SUPPORTER = {**TOLD, **OF_MEMBERS}, {**TOLD, **OF_SUPPORTERS}


def told(keys, *without):
    return {key: value for key, (value, _) in keys.items() if key not in without}


def rows(member, presumptions=()):
    """The rows of a member beside a head, and of the first supporter listed with him."""
    household = {"members": [{"id": "a", "relation": "head"}, {"id": "b", **member}], "medical_bill": {"member": "a"}}
    request = DeterminationRequest(date(2026, 3, 1), "420100", household, None, None, {})
    row = read_facts(request, presumptions)[MEMBERS][1]
    return row, row[SUPPORTERS][0] if row[SUPPORTERS] else None


def unknown(entity, row):
    """The path of each unknown fact of a row."""
    facts = zip(SCHEMA.by_name[entity].facts, row, strict=False)
    return {fact.name: value.path for fact, value in facts if isinstance(value, Unknown)}


@pytest.mark.parametrize("key", MEMBER)
def test_a_key_of_a_member_that_is_left_out_is_unknown_wherever_it_is_read(key):
    assert unknown("member", rows(told(MEMBER))[0]) == {}
    found = unknown("member", rows(told(MEMBER, key))[0])
    assert set(found.values()) == {f"household.members[b].{key}"}
    assert found.keys() >= set(MEMBER[key][1])


@pytest.mark.parametrize("key", SUPPORTER)
def test_a_key_of_a_supporter_that_is_left_out_is_unknown_wherever_it_is_read(key):
    def supporter(*without):
        return unknown("supporter", rows({**told(MEMBER), "supporters": [told(SUPPORTER, *without)]})[1])

    assert supporter() == {}
    assert set(supporter(key).values()) == {f"household.members[b].supporters[0].{key}"}
    assert supporter(key).keys() >= set(SUPPORTER[key][1])


def test_what_one_household_tells_is_unknown_of_the_next_that_names_a_member_alike():
    before = unknown("member", rows({})[0])
    known, _ = rows({**told(MEMBER), "income": [{"kind": "wage", "monthly": 500}], "supporters": [told(SUPPORTER)]})
    assert known[SCHEMA.by_name["member"].position["income_wage"]] == 500
    assert unknown("member", rows({})[0]) == before
    assert unknown("supporter", rows({"supporters": [{}]})[1]).keys() == set().union(
        *(n for _, n in SUPPORTER.values())
    ) | {
        "grade_visual",
        "grade_hearing",
        "grade_speech",
        "grade_physical",
        "grade_intellectual",
        "draws_dibao_single",
        "imprisoned",
        "compulsory_rehabilitation",
        "clergy_apart",
    }


@pytest.mark.parametrize(("entity", "number"), [("member", 0), ("supporter", 1)])
def test_a_presumption_stands_in_for_circumstances_that_are_left_out_alone(entity, number):
    presumption = Presumption(entity, "circumstances", [], Text("推定", "presumed"))
    member = {**told(MEMBER, "circumstances"), "supporters": [told(SUPPORTER, "circumstances")]}
    place = SCHEMA.by_name[entity].position["missing"]
    assert isinstance(rows(member)[number][place], Unknown)
    assert rows(member, (presumption,))[number][place] is False
    said = {**member, "circumstances": ["missing"], "supporters": [{**told(SUPPORTER), "circumstances": ["missing"]}]}
    assert rows(said, (presumption,))[number][place] is True
