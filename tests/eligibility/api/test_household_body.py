"""The body: every error at once, each with its place, code and both languages, and nothing of it repeated."""

import copy
import json

import pytest

from services.eligibility.api.household_body import MAX_BODY_BYTES, MAX_MEMBERS, body_schema, parse_request
from services.shared.vocabulary.invalid_body import InvalidBody

BODY = {
    "as_of": "2025-08-01",
    "region": "530113",
    "household": {"members": [{"id": "m1", "income": [{"kind": "wage", "monthly": "1.00"}]}], "assets": {}},
}


def errors_in(body):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidBody) as refused:
        parse_request(raw)
    for error in refused.value.errors:
        assert error.zh and error.en
    return {error.pointer: error.code for error in refused.value.errors}


def changed(path, value):
    body = copy.deepcopy(BODY)
    holder = body
    *above, last = path
    for key in above:
        holder = holder[key]
    if value is None:
        holder.pop(last)
    else:
        holder[last] = value
    return body


def test_the_least_body_is_read():
    request = parse_request(b'{"as_of":"2025-08-01","region":"530113","household":{"members":[{"id":"m1"}]}}')
    assert (request.as_of.isoformat(), request.region, request.programmes) == ("2025-08-01", "530113", None)
    assert not request.simulation


def test_a_parsed_object_is_read_as_its_bytes_are():
    assert parse_request(BODY) == parse_request(json.dumps(BODY).encode())


@pytest.mark.parametrize("key", ["as_of", "region", "household"])
def test_what_is_required_is_asked_for(key):
    assert errors_in(changed([key], None)) == {f"/{key}": "missing"}


MONTHLY = ["household", "members", 0, "income", 0, "monthly"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1800, "money_is_a_number"),
        (1800.5, "money_is_a_number"),
        (True, "money_is_a_number"),
        ("-1.00", "money_is_negative"),
        ("1234567890123.00", "money_too_large"),
        ("1800", "not_money"),
        ("1800.0", "not_money"),
        ("1,800.00", "not_money"),
        ("１８００.00", "not_money"),
        (" 1.00", "not_money"),
        ("1e3.00", "not_money"),
        ("", "not_money"),
        (["1.00"], "not_money"),
        ({}, "not_money"),
    ],
)
def test_money_is_a_string_with_two_places(value, code):
    assert errors_in(changed(MONTHLY, value)) == {"/household/members/0/income/0/monthly": code}


@pytest.mark.parametrize("value", ["0.00", "999999999999.99"])
def test_money_from_nothing_to_twelve_digits_is_read(value):
    request = parse_request(changed(MONTHLY, value))
    assert request.household["members"][0]["income"][0]["monthly"] == int(value.replace(".", ""))


@pytest.mark.parametrize(
    ("path", "value", "pointer", "code"),
    [
        (["region"], "53011", "/region", "region_not_six_digits"),
        (["region"], "5301130", "/region", "region_not_six_digits"),
        (["region"], 530113, "/region", "region_not_six_digits"),
        (["region"], "５３０１１３", "/region", "region_not_six_digits"),
        (["region"], "990113", "/region", "region_unknown_province"),
        (["as_of"], "2025-02-30", "/as_of", "not_a_date"),
        (["as_of"], "20250801", "/as_of", "not_a_date"),
        (["as_of"], "2025-08-01T00:00:00", "/as_of", "not_a_date"),
        (["as_of"], 20250801, "/as_of", "not_a_date"),
        (["extra"], 1, "/extra", "unknown_key"),
        (["$ref"], "#/household", "/$ref", "unknown_key"),
        (["household", "colour"], 1, "/household/colour", "unknown_key"),
        (["household", "members"], [], "/household/members", "too_few"),
        (["household", "members"], {}, "/household/members", "not_a_list"),
        (["household", "members"], [{}], "/household/members/0/id", "missing"),
        (["household", "members", 0, "relation"], "cousin", "/household/members/0/relation", "unknown_code"),
        (["household", "members", 0, "sex"], "x", "/household/members/0/sex", "unknown_code"),
        (["household", "members", 0, "serious_illness"], "no", "/household/members/0/serious_illness", "not_a_boolean"),
        (["household", "members", 0, "serious_illness"], 0, "/household/members/0/serious_illness", "not_a_boolean"),
        (["household", "members", 0, "self_care_failures"], 7, "/household/members/0/self_care_failures", "too_large"),
        (
            ["household", "members", 0, "self_care_failures"],
            True,
            "/household/members/0/self_care_failures",
            "not_an_integer",
        ),
        (
            ["household", "members", 0, "income", 0],
            {"kind": "wage"},
            "/household/members/0/income/0/monthly",
            "missing",
        ),
        (["household", "members", 0, "disability"], {"grade": 5}, "/household/members/0/disability/grade", "too_large"),
        (["household", "assets", "homes"], -1, "/household/assets/homes", "too_small"),
        (["programmes"], ["dibao", "lottery"], "/programmes/1", "unknown_code"),
        (["programmes"], [], "/programmes", "too_few"),
        (["parameters"], {"dibao_standard": 600}, "/parameters/dibao_standard", "money_is_a_number"),
        (["parameters"], {"standard": "600.00"}, "/parameters/standard", "unknown_key"),
        (["parameters"], {"margin_multiplier": "1.50001"}, "/parameters/margin_multiplier", "not_a_ratio"),
        (["parameters"], {"margin_multiplier": "-1"}, "/parameters/margin_multiplier", "not_a_ratio"),
        (["parameters"], {"rigid_comparator": "="}, "/parameters/rigid_comparator", "unknown_code"),
        (["events"], [{"on": "2025-08-02"}], "/events/0/on", "date_after_as_of"),
        (["events"], [{"region": "000000"}], "/events/0/region", "region_unknown_province"),
    ],
)
def test_each_error_is_placed_and_named(path, value, pointer, code):
    assert errors_in(changed(path, value)) == {pointer: code}


@pytest.mark.parametrize("key", ["relation", "birth_date", "employment", "income", "supporters", "serious_illness"])
def test_null_is_not_allowed_where_it_means_nothing(key):
    body = copy.deepcopy(BODY)
    body["household"]["members"][0][key] = None
    assert list(errors_in(body)) == [f"/household/members/0/{key}"]


def test_null_is_allowed_for_disability_and_student():
    body = copy.deepcopy(BODY)
    body["household"]["members"][0] |= {"disability": None, "student": None}
    assert parse_request(body).household["members"][0]["disability"] is None


def test_contradictions_between_members_are_found():
    members = [
        {"id": "a", "relation": "head", "birth_date": "2025-08-02"},
        {
            "id": "a",
            "relation": "head",
            "supporters": [{"birth_date": "2030-01-01"}],
            "parents": [{"since": "2026-01-01"}],
        },
    ]
    body = changed(["household", "members"], members)
    body["household"]["medical_bill"] = {"member": "z"}
    assert errors_in(body) == {
        "/household/members/0/birth_date": "date_after_as_of",
        "/household/members/1/id": "duplicate_member",
        "/household/members/1/relation": "two_heads",
        "/household/members/1/supporters/0/birth_date": "date_after_as_of",
        "/household/members/1/parents/0/since": "date_after_as_of",
        "/household/medical_bill/member": "no_such_member",
    }


def test_a_birth_on_the_day_itself_is_read():
    assert parse_request(changed(["household", "members"], [{"id": "a", "birth_date": "2025-08-01"}]))


def test_all_errors_come_at_once():
    body = changed(["region"], "1")
    body |= {"colour": 1}
    body["household"]["members"] = [
        {"id": "a", "income": [{"kind": "wage", "monthly": 5}]},
        {"id": "a", "birth_date": "2099-01-01"},
    ]
    assert errors_in(body) == {
        "/region": "region_not_six_digits",
        "/colour": "unknown_key",
        "/household/members/0/income/0/monthly": "money_is_a_number",
        "/household/members/1/id": "duplicate_member",
        "/household/members/1/birth_date": "date_after_as_of",
    }


SECRET = "990101199001011234"


def test_nothing_that_was_sent_is_repeated():
    body = changed(["household", "members", 0, "relation"], SECRET)
    body |= {SECRET: SECRET, "region": SECRET, "as_of": SECRET}
    body["household"]["members"][0]["income"][0]["monthly"] = SECRET
    with pytest.raises(InvalidBody) as refused:
        parse_request(json.dumps(body).encode())
    assert SECRET not in repr(refused.value.errors)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'"x"',
        b"[" * 100_000,
        b'{"as_of":' * 1_000 + b"1" + b"}" * 1_000,
        b"NaN",
    ],
)
def test_what_is_no_object_is_refused_without_a_traceback(raw):
    assert errors_in(raw)


def test_a_body_that_is_too_large_is_refused_unread():
    assert errors_in(b" " * (MAX_BODY_BYTES + 1)) == {"": "body_too_large"}


def test_a_cycle_is_refused():
    body = copy.deepcopy(BODY)
    body["household"]["members"][0]["disability"] = body
    with pytest.raises(InvalidBody):
        parse_request(body)


def test_members_are_bounded():
    members = [{"id": str(number)} for number in range(MAX_MEMBERS + 1)]
    assert errors_in(changed(["household", "members"], members)) == {"/household/members": "too_many"}
    assert parse_request(changed(["household", "members"], members[:-1]))


def test_programmes_are_asked_once():
    assert parse_request(changed(["programmes"], ["tekun", "dibao", "tekun"])).programmes == ("tekun", "dibao")


def test_the_schema_describes_money_as_text():
    assert body_schema()["$defs"]["Income"]["properties"]["monthly"]["type"] == "string"
