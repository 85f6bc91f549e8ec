"""Each reason names where the facts come from that its rule reads itself; nothing changes for who sends no origins."""

import copy
import json

import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import render_answer
from services.eligibility.domain.determination import evaluate
from services.eligibility.domain.facts import SCHEMA, read_facts
from services.eligibility.domain.origins import origins_of
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.evaluation import Evaluation
from services.shared.policy.schema import BOOL
from services.shared.policy.tree import FactRef

PACKS = pack_set_of(read_packs())
FAMILY = {
    "as_of": "2023-08-01",
    "region": "420100",
    "programmes": ["dibao", "tekun"],
    "events": [{"kind": "fire", "on": "2023-07-01"}],
    "household": {
        "area_type": "urban",
        "members": [
            {
                "id": "a",
                "relation": "head",
                "birth_date": "1950-01-01",
                "income": [{"kind": "wage", "monthly": "9000.00"}],
                "supporters": [{"per_capita_income": "100.00"}],
            },
            {"id": "b", "relation": "spouse", "birth_date": "1952-01-01", "student": None},
        ],
        "assets": {"financial": "0.00", "vehicles": [{"kind": "car"}], "homes": 1, "businesses": [{}]},
        "spending_last_12_months": {"medical": "1.00"},
        "medical_bill": {"member": "a", "in_policy_cost": "1.00"},
    },
}


def asked(*pointers, **more):
    body = {**copy.deepcopy(FAMILY), "origins": [{"pointer": pointer, **more} for pointer in pointers]}
    return parse_request(json.dumps(body).encode())


def found(pointer, entity, name, *indices):
    request = asked(pointer)
    policy = PACKS.prepare(request.region, request.as_of)
    evaluation = Evaluation(policy, read_facts(request, policy.book.presumptions))
    row = evaluation.root
    for step, index in zip(SCHEMA.lineage(entity)[1:], indices, strict=True):
        row = evaluation.rows(step, row)[index]
    return bool(origins_of(request)(FactRef(entity, name, SCHEMA.by_name[entity].position[name], BOOL), row))


@pytest.mark.parametrize(
    ("pointer", "entity", "name", "indices"),
    [
        ("/household/area_type", "household", "area_type", ()),
        ("/household/assets/financial", "household", "financial", ()),
        ("/household/assets", "household", "homes", ()),
        ("/household/spending_last_12_months/medical", "household", "spending_medical", ()),
        ("/household/members/0/income/0/monthly", "member", "income_wage", (0,)),
        ("/household/members/0/income", "member", "income_other", (0,)),
        ("/household/members/1/disability/grade", "member", "grade_visual", (1,)),
        ("/household/members/1/disability", "member", "disability_grade", (1,)),
        ("/household/members/1/benefits", "member", "draws_dibao", (1,)),
        ("/household/members/1/benefits/0", "member", "drawn_dibao", (1,)),
        ("/household/members/1/student", "member", "student_full_time", (1,)),
        ("/household/members/1/circumstances", "member", "imprisoned", (1,)),
        ("/household/medical_bill/in_policy_cost", "member", "bill_cost", (0,)),
        ("/household/members/0/supporters/0/per_capita_income", "supporter", "per_capita_income", (0, 0)),
        ("/household/members/1/birth_date", "supporter", "birth_date", (0, 1)),
        ("/household/assets/vehicles/0", "vehicle", "kind", (0,)),
        ("/household/assets/businesses/0/registered_capital", "business", "registered_capital", (0,)),
        ("/events/0/on", "event", "on", (0,)),
    ],
)
def test_an_origin_is_found_at_the_place_of_its_fact(pointer, entity, name, indices):
    assert found(pointer, entity, name, *indices)


@pytest.mark.parametrize(
    ("pointer", "entity", "name", "indices"),
    [
        ("/household/members/1/income", "member", "income_wage", (0,)),
        ("/household/members/0/birth_date", "member", "income_wage", (0,)),
        ("/household/members/0/birth_date", "supporter", "birth_date", (0, 0)),
        ("/household/assets/homes", "household", "financial", ()),
        ("/household", "household", "asked_dibao", ()),
        ("/events/1", "event", "on", (0,)),
        ("", "household", "area_type", ()),
    ],
)
def test_an_origin_of_something_else_is_not(pointer, entity, name, indices):
    assert not found(pointer, entity, name, *indices)


def test_reasons_name_the_origins_as_they_were_given():
    given = {"as_of": "2023-07-31", "source": "税务", "assurance": "verified"}
    request = asked("/household/members/0/income/0", **given)
    answer = evaluate(PACKS.prepare(request.region, request.as_of), request)
    wages = [reason for reason in _all(answer.result("dibao").reasons) if reason.rule == "income.wage"]
    assert wages[0].facts == ({"pointer": "/household/members/0/income/0", **given},)
    # It reads no wage itself: that is said beneath it.
    assert all(reason.facts == () for reason in answer.result("dibao").reasons if reason.rule == "dibao.income_test")


def test_origins_add_the_facts_and_change_nothing_else():
    request = asked("/household/members/0/income", "/household/assets", "/household/members/0/birth_date")
    policy = PACKS.prepare(request.region, request.as_of)
    with_origins = json.loads(render_answer(evaluate(policy, request)))
    without = json.loads(render_answer(evaluate(policy, parse_request(json.dumps(FAMILY).encode()))))
    assert with_origins != without
    assert _without_facts(with_origins) == without


def _all(reasons):
    for reason in reasons:
        yield reason
        yield from _all(reason.children)


def _without_facts(value):
    if isinstance(value, dict):
        return {key: _without_facts(item) for key, item in value.items() if key != "facts"}
    return [_without_facts(item) for item in value] if isinstance(value, list) else value
