"""A wrong body of a determination gets all its errors at once, with their places, in zh and en, and nothing back."""

import json

import pytest

from services.eligibility.api.household_body import MAX_ID_LENGTH, MAX_MEMBERS

CANARY = "canary-7f3a"
ID_NUMBER = "990100198001150010"
PATHS = ("/determinations", "/simulations")
HEAD = "/household/members/0"


@pytest.fixture
def refused(eligibility):
    """Sends a body, sees that it is refused whole and says nothing of what was sent; gives (pointer, code)s."""

    def send(body, status=400, path="/determinations", **options):
        before = eligibility.counts()
        answer = eligibility.post(path, body, **options)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
        assert eligibility.counts() == before
        problem = answer.json()
        assert problem["text"]["zh"] and problem["text"]["en"] and problem["request_id"]
        assert CANARY not in answer.text and ID_NUMBER not in answer.text and "Traceback" not in answer.text
        errors = problem.get("errors", [])
        assert all(error["text"]["zh"] and error["text"]["en"] for error in errors)
        assert not any(error["text"]["zh"].isascii() for error in errors)
        return [(error["pointer"], error["code"]) for error in errors]

    return send


@pytest.fixture
def body(eligibility):
    return eligibility.household()


def member(body, number=0):
    return body["household"]["members"][number]


@pytest.mark.parametrize("path", PATHS)
def test_every_error_is_told_at_once(refused, body, path):
    body["surprise"] = CANARY
    body["region"] = "990100"
    body["programmes"] = ["dibao", CANARY]
    body["household"]["area_type"] = CANARY
    body["household"]["assets"]["financial"] = 7380.5
    body["household"]["assets"]["homes"] = "1"
    member(body)["income"][0] = {"kind": CANARY, "monthly": 1800, "since": CANARY}
    member(body, 1)["id"] = "m1"
    member(body, 1)["relation"] = "head"
    member(body, 2)["birth_date"] = "2031-01-01"
    del member(body, 2)["id"]
    assert sorted(refused(body, path=path)) == [
        ("/household/area_type", "unknown_code"),
        ("/household/assets/financial", "money_is_a_number"),
        ("/household/assets/homes", "not_an_integer"),
        ("/household/members/0/income/0/kind", "unknown_code"),
        ("/household/members/0/income/0/monthly", "money_is_a_number"),
        ("/household/members/0/income/0/since", "unknown_key"),
        ("/household/members/1/id", "duplicate_member"),
        ("/household/members/1/relation", "two_heads"),
        ("/household/members/2/birth_date", "date_after_as_of"),
        ("/household/members/2/id", "missing"),
        ("/programmes/1", "unknown_code"),
        ("/region", "region_unknown_province"),
        ("/surprise", "unknown_key"),
    ]


@pytest.mark.parametrize(
    ("money", "code"),
    [
        (1800, "money_is_a_number"),
        (1800.0, "money_is_a_number"),
        (True, "money_is_a_number"),
        (None, "not_money"),
        (["1.00"], "not_money"),
        ("1800", "not_money"),
        ("1800.0", "not_money"),
        ("1,800.00", "not_money"),
        ("1.8e3", "not_money"),
        (" 1.00", "not_money"),
        ("１.00", "not_money"),
        (CANARY, "not_money"),
        ("-0.01", "money_is_negative"),
        ("1000000000000.00", "money_too_large"),
    ],
)
def test_money_is_a_decimal_string(refused, body, money, code):
    body["household"]["assets"]["financial"] = money
    assert refused(body) == [("/household/assets/financial", code)]


@pytest.mark.parametrize("money", ["0.00", "999999999999.99"])
def test_the_bounds_of_money_are_taken(eligibility, body, money):
    body["household"]["assets"]["financial"] = money
    assert eligibility.post("/determinations", body).status_code == 201


@pytest.mark.parametrize(
    ("region", "code"),
    [
        ("990100", "region_unknown_province"),
        ("000000", "region_unknown_province"),
        ("42010", "region_not_six_digits"),
        ("4201000", "region_not_six_digits"),
        ("４２０１００", "region_not_six_digits"),
        (420100, "region_not_six_digits"),
        (CANARY, "region_not_six_digits"),
        (None, "region_not_six_digits"),
    ],
)
def test_a_region_has_six_digits_and_a_province(refused, body, region, code):
    body["region"] = region
    assert refused(body) == [("/region", code)]


def test_the_place_of_an_emergency_has_a_province_too(refused, eligibility):
    body = eligibility.household("emergency_away_from_home")
    body["events"][0]["region"] = "990100"
    assert refused(body) == [("/events/0/region", "region_unknown_province")]


@pytest.mark.parametrize("day", ["2023-13-01", "2023-02-29", "2023-8-1", "20230801", "2023-08-01T00:00:00", 1690848000])
def test_a_date_is_a_real_day(refused, body, day):
    member(body)["birth_date"] = day
    assert refused(body) == [(f"{HEAD}/birth_date", "not_a_date")]


def test_a_birth_on_the_day_itself_is_taken_and_a_day_later_refused(refused, eligibility, body):
    member(body, 2)["birth_date"] = body["as_of"]
    assert eligibility.post("/determinations", body).status_code == 201
    member(body, 2)["birth_date"] = "2023-08-02"
    assert refused(body) == [("/household/members/2/birth_date", "date_after_as_of")]


def test_an_event_in_the_future_is_refused(refused, eligibility):
    body = eligibility.household("emergency_away_from_home")
    body["events"][0]["on"] = "2099-01-01"
    assert refused(body) == [("/events/0/on", "date_after_as_of")]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (ID_NUMBER, "member_id_is_a_number"),
        (f"m{ID_NUMBER}", "member_id_is_a_number"),
        ("13800138000", "member_id_is_a_number"),
        ("１３８００１３８０００", "member_id_is_a_number"),
        ("", "too_short"),
        ("m" * (MAX_ID_LENGTH + 1), "too_long"),
        (1, "not_a_string"),
    ],
)
def test_a_member_is_not_named_by_a_persons_number(refused, body, name, code):
    member(body)["id"] = name
    assert refused(body) == [(f"{HEAD}/id", code)]


@pytest.mark.parametrize("name", ["1234567890", "m" * MAX_ID_LENGTH, "户主", "a-1380013800"])
def test_other_names_of_members_are_taken(eligibility, body, name):
    member(body)["id"] = name
    assert eligibility.post("/determinations", body).status_code == 201


def test_a_patient_is_not_named_by_a_persons_number_either(refused, body):
    body["household"]["medical_bill"] = {"member": ID_NUMBER, "in_policy_cost": "1.00"}
    assert refused(body) == [("/household/medical_bill/member", "member_id_is_a_number")]


@pytest.mark.parametrize("key", ["source", "pointer"])
@pytest.mark.parametrize("text", [ID_NUMBER, f"身份证{ID_NUMBER}号", "见 ９９０１００１９８００１１５００１０"])
def test_where_a_fact_comes_from_names_no_persons_number(refused, body, key, text):
    body["origins"] = [{key: "房产证"}, {key: text}]
    assert refused(body) == [(f"/origins/1/{key}", "text_holds_an_id_number")]


@pytest.mark.parametrize("text", ["420100202300123456", ID_NUMBER[:-1] + "1", f"1{ID_NUMBER}", "13800138000"])
def test_the_number_of_a_document_is_taken(eligibility, body, text):
    body["origins"] = [{"source": text}]
    assert eligibility.post("/determinations", body).status_code == 201


def test_a_persons_number_as_a_key_is_masked(refused, body):
    body["household"][ID_NUMBER] = 1
    [(pointer, code)] = refused(body)
    assert code == "unknown_key" and pointer.startswith("/household/")


@pytest.mark.parametrize("count", [0, MAX_MEMBERS + 1])
def test_a_household_has_people_and_not_too_many(refused, body, count):
    body["household"]["members"] = [{"id": f"m{number}"} for number in range(count)]
    assert refused(body) == [("/household/members", "too_few" if count == 0 else "too_many")]


def test_the_largest_household_is_answered(eligibility, body):
    children = [{**member(body, 2), "id": f"c{number}"} for number in range(MAX_MEMBERS - 2)]
    body["household"]["members"] = [member(body), member(body, 1), *children]
    assert eligibility.post("/determinations", body).status_code == 201


def test_an_answer_that_would_fill_a_book_is_refused_before_it_is_written(refused, body):
    """Each member's unknown facts stand in the reasons of each other: it grows with the cube of their number."""
    body["household"]["members"] = [{"id": f"m{number}"} for number in range(MAX_MEMBERS)]
    assert refused(body, status=422) == []


def test_of_some_people_nothing_need_be_known(eligibility, body):
    body["household"]["members"] = [{"id": f"m{number}"} for number in range(8)]
    outcomes = {(r["programme"], r["outcome"]) for r in eligibility.post("/determinations", body).json()["results"]}
    assert ("dibao", "undetermined") in outcomes and ("tekun", "undetermined") in outcomes
    assert "eligible" not in {outcome for _, outcome in outcomes}


def test_a_mark_before_the_body_is_taken_or_refused_but_never_a_fault(eligibility, body):
    answer = eligibility.post("/determinations", b"\xef\xbb\xbf" + json.dumps(body).encode())
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"{",
        b'{"as_of": "2023-08-01",}',
        b"as_of=2023-08-01",
        b"\xff\xfe{\x00}\x00",
        b'{"as_of": "' + CANARY.encode(),
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
    ids=["empty", "blank", "cut", "comma", "form", "utf-16", "canary", "deep list", "deep object"],
)
def test_what_is_not_json_is_said_to_be_not_json(refused, raw):
    found = refused(raw)
    assert found and {pointer for pointer, _ in found} == {""}
    assert {code for _, code in found} <= {"not_json", "too_deep"}


def test_a_reference_to_itself_is_only_an_unknown_key(refused):
    found = refused({"$ref": "#"})
    assert ("/$ref", "unknown_key") in found
    assert {(f"/{key}", "missing") for key in ("as_of", "region", "household")} <= set(found)


def test_deep_nesting_inside_a_known_key_is_refused(refused, body):
    raw = json.dumps(body).encode().replace(b'"homes": 1', b'"homes": ' + b"[" * 50_000 + b"]" * 50_000)
    assert refused(raw)


@pytest.mark.parametrize("sent", [[], "text", 1, None, True])
def test_a_body_is_an_object(refused, sent):
    assert refused(json.dumps(sent).encode()) == [("", "not_an_object")]


def test_text_that_is_no_unicode_is_refused(refused, body):
    raw = json.dumps(body).encode().replace(b'"m1"', b'"\\ud800"')
    assert refused(raw)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [1_000_001, 5_000_000])
def test_too_much_is_refused_before_it_is_read(refused, body, path, size):
    body["origins"] = [{"source": CANARY}]
    raw = json.dumps(body).encode()
    assert refused(raw + b" " * (size - len(raw)), status=413, path=path) == []


def test_the_largest_body_is_taken(eligibility, body):
    raw = json.dumps(body).encode()
    assert eligibility.post("/determinations", raw + b" " * (1_000_000 - len(raw))).status_code == 201


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
@pytest.mark.parametrize("path", PATHS)
def test_a_body_of_another_type_is_refused(refused, body, media_type, path):
    headers = {"Content-Type": media_type}
    assert refused(json.dumps(body).encode(), status=415, path=path, headers=headers) == []


def test_the_type_may_name_its_characters(eligibility, body):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert eligibility.post("/determinations", json.dumps(body).encode(), headers=headers).status_code == 201


def test_many_errors_are_bounded(refused, body):
    body["household"]["members"] = [{"id": f"m{n}", **{f"k{k}": 1 for k in range(20)}} for n in range(MAX_MEMBERS)]
    assert len(refused(body)) == 100


@pytest.mark.parametrize("key", ["k" * 201, ""])
def test_a_key_that_is_too_long_or_empty_is_refused(refused, eligibility, body, key):
    assert refused(body, headers={"Idempotency-Key": key}) == []


@pytest.mark.parametrize("name", ["dibao_standard", "minimum_wage"])
def test_a_simulated_figure_is_money_too(refused, body, name):
    body["parameters"] = {name: 940, "surprise": CANARY}
    found = refused(body, path="/simulations")
    assert (f"/parameters/{name}", "money_is_a_number") in found and len(found) == 2
