"""Awards over HTTP: one person proposes, another decides; whom they name lies sealed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from services.eligibility.api.awards import MAX_PEOPLE
from services.shared.vocabulary.identifiers import id_number_with_check_character

CANARY_NAME, CANARY_CARD = "司马金丝雀", "9777777777777777"
CANARY_ID = id_number_with_check_character("99010019770707777")


@pytest.fixture
def found(eligibility):
    """A recorded determination for the family in Wuhan."""
    return eligibility.determined()


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def pointers(answer):
    assert answer.status_code == 400, answer.text
    return {(error["pointer"], error["code"]) for error in answer.json()["errors"]}


def test_a_proposal_is_recorded_and_pays_nothing(eligibility, found, new_proposal):
    before = eligibility.counts()
    answer = eligibility.propose(found["id"], new_proposal(until="2023-10"))
    assert answer.status_code == 201
    told = answer.json()
    assert told == {"id": told["id"], "state": "PROPOSED", "amount": "1020.00", "kind": "monthly"}
    after = eligibility.counts()
    added = {name.partition(".")[2]: after[name] - before[name] for name in after if after[name] != before[name]}
    assert added == {"awards": 1, "award_people": 3, "audit_events": 1, "idempotency_keys": 1}


def test_an_award_shows_its_terms_and_its_law_and_nobodys_data(eligibility, found, new_proposal):
    proposal = new_proposal(until="2023-10")
    award = eligibility.propose(found["id"], proposal).json()["id"]
    answer = eligibility.get(f"/awards/{award}")
    shown = answer.json()
    assert {key: shown[key] for key in ("determination_id", "programme", "subject", "region")} == {
        "determination_id": found["id"],
        "programme": "dibao",
        "subject": "household",
        "region": "420100",
    }
    assert (shown["kind"], shown["amount"], shown["from"], shown["until"]) == (
        "monthly",
        "1020.00",
        "2023-09",
        "2023-10",
    )
    assert (shown["state"], shown["proposed_by"], shown["decided_by"]) == ("PROPOSED", "development/caseworker-1", None)
    assert (shown["basis"]["rule"], shown["basis"]["article"]) == ("dibao.amount", "第十二条")
    assert shown["basis"]["packs"] == found["packs"]
    told = [
        person[key] for person in proposal["people"] for key in ("name", "id_number", "card_number") if key in person
    ]
    assert len(told) == 7 and not any(text in answer.text for text in told)


def test_a_second_person_confirms_and_payments_are_to_be_told(eligibility):
    award = eligibility.proposed()
    answer = eligibility.decide(award, body={"reason": "入户核实属实"})
    assert (answer.status_code, answer.json()) == (200, {"id": award, "state": "CONFIRMED"})
    shown = eligibility.get(f"/awards/{award}").json()
    assert (shown["state"], shown["decided_by"]) == ("CONFIRMED", "development/confirmer-1")
    [message] = eligibility.rows("select * from eligibility.outbox_messages where entity_id = :id", id=award)
    holds = {**message._mapping}
    assert (holds.pop("kind"), holds.pop("entity_id"), holds.pop("delivered_at")) == ("award_confirmed", award, None)
    assert holds.pop("id").startswith("message_") and holds.pop("created_at")
    assert holds == {"parked_at": None, "tries": 0, "last_failure": None}, "the message holds nothing of the award"


def test_a_refused_award_is_told_to_nobody(eligibility):
    award = eligibility.proposed()
    answer = eligibility.decide(award, "refuse", body={"reason": "材料不全"})
    assert (answer.status_code, answer.json()["state"]) == (200, "REFUSED")
    assert eligibility.get(f"/awards/{award}").json()["state"] == "REFUSED"
    assert not eligibility.rows("select 1 from eligibility.outbox_messages where entity_id = :id", id=award)


@pytest.mark.parametrize("decision", ["confirm", "refuse"])
def test_who_proposed_does_not_decide(eligibility, decision):
    award = eligibility.proposed()
    before = eligibility.counts()
    assert code_of(eligibility.decide(award, decision, "caseworker")) == (409, "second_person_needed")
    assert eligibility.counts() == before, "nothing of the refused decision stays, its key neither"
    assert eligibility.get(f"/awards/{award}").json()["state"] == "PROPOSED"
    assert eligibility.decide(award, decision, "caseworker:2").status_code == 200


@pytest.mark.parametrize("first", ["confirm", "refuse"])
@pytest.mark.parametrize("second", ["confirm", "refuse"])
def test_an_award_is_decided_once(eligibility, first, second):
    award = eligibility.proposed()
    assert eligibility.decide(award, first).is_success
    assert code_of(eligibility.decide(award, second, "caseworker:3")) == (409, "not_allowed_in_this_state")
    assert len(eligibility.rows("select 1 from eligibility.award_decisions where award = :id", id=award)) == 1


def test_of_deciders_at_one_time_one_is_heard(eligibility):
    award = eligibility.proposed()
    ways = [("confirm" if number % 2 else "refuse", f"confirmer:{number}") for number in range(2, 10)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda way: eligibility.decide(award, *way), ways))
    assert [answer.status_code for answer in answers].count(200) == 1
    refusals = {answer.json()["code"] for answer in answers if answer.status_code != 200}
    assert refusals <= {"already_decided", "not_allowed_in_this_state"}
    confirmed = eligibility.get(f"/awards/{award}").json()["state"] == "CONFIRMED"
    messages = eligibility.rows("select 1 from eligibility.outbox_messages where entity_id = :id", id=award)
    assert len(messages) == int(confirmed)


def test_a_decision_sent_again_is_one_decision(eligibility):
    award = eligibility.proposed()
    first, again = (eligibility.decide(award, key=f"decide-{award}") for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotent-replay"] == "true"
    other = eligibility.decide(award, body={"reason": "other"}, key=f"decide-{award}")
    assert code_of(other) == (409, "idempotency_key_reused")
    assert code_of(eligibility.decide(award, "refuse", key=f"decide-{award}")) == (409, "idempotency_key_reused")


def test_a_result_is_proposed_once(eligibility, found, new_proposal):
    assert eligibility.propose(found["id"], new_proposal()).status_code == 201
    before = eligibility.counts()
    for role in ("caseworker", "caseworker:2"):
        assert code_of(eligibility.propose(found["id"], new_proposal(), role=role)) == (409, "already_proposed")
    assert eligibility.counts() == before


def test_of_proposers_at_one_time_one_is_heard(eligibility, found, new_proposal):
    bodies = [new_proposal() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda body: eligibility.propose(found["id"], body), bodies))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]


def test_a_proposal_needs_a_key(eligibility, found, new_proposal):
    path = f"/determinations/{found['id']}/awards"
    answer = eligibility.call("POST", path, "caseworker", json=new_proposal())
    assert code_of(answer) == (400, "idempotency_key_missing")
    award = eligibility.proposed()
    answer = eligibility.call("POST", f"/awards/{award}/confirm", "confirmer", json={})
    assert code_of(answer) == (400, "idempotency_key_missing")


@pytest.mark.parametrize(
    "changes",
    [
        {"programme": "tekun", "subject": "m1"},
        {"programme": "dibao_margin"},
        {"programme": "small_advance"},
        {"programme": "dibao", "subject": "m1"},
        {"programme": "none"},
    ],
)
def test_only_what_was_granted_is_proposed(eligibility, found, new_proposal, changes):
    before = eligibility.counts()
    assert code_of(eligibility.propose(found["id"], new_proposal(**changes))) == (422, "nothing_to_award")
    assert eligibility.counts() == before


@pytest.mark.parametrize(
    ("until", "status"),
    [("2023-09", 422), ("2023-10", 201), ("2026-09", 201), ("2026-10", 422), ("1999-01", 422), (None, 201)],
)
def test_an_award_ends_within_three_years(eligibility, found, new_proposal, until, status):
    answer = eligibility.propose(found["id"], new_proposal(until=until))
    assert answer.status_code == status
    if status == 201:
        assert eligibility.get(f"/awards/{answer.json()['id']}").json()["until"] == (until or "2024-09")
    else:
        assert answer.json()["code"] == "award_months_wrong"


@pytest.mark.parametrize("until", ["2023-13", "2023-1", "0000-01", "２０２３-10", "2023-10-01", 202310, "soon"])
def test_the_end_is_a_month(eligibility, found, new_proposal, until):
    assert {pointer for pointer, _ in pointers(eligibility.propose(found["id"], new_proposal(until=until)))} == {
        "/until"
    }


def test_aid_paid_once_has_no_end(eligibility):
    body = eligibility.household("emergency_away_from_home")
    found = eligibility.determined(body)
    proposal = {"programme": "small_advance", "subject": "household", "people": eligibility.people_of(body)}
    answer = eligibility.propose(found["id"], {**proposal, "until": "2026-04"})
    assert code_of(answer) == (422, "award_months_wrong")
    answer = eligibility.propose(found["id"], proposal)
    assert (answer.json()["kind"], answer.json()["amount"]) == ("one_off", "744.00")
    shown = eligibility.get(f"/awards/{answer.json()['id']}").json()
    assert (shown["from"], shown["until"], shown["region"]) == (None, None, "530113")


def without(people, *members):
    return [person for person in people if person["member"] not in members]


CHANGES_OF_PEOPLE = {
    "one left out": lambda people: without(people, "m3"),
    "the payee left out": lambda people: without(people, "m1"),
    "a stranger": lambda people: [*people, {**people[1], "member": "m9", "id_number": CANARY_ID}],
    "one twice": lambda people: [*people, people[1]],
    "one number for two": lambda people: [people[0], {**people[1], "id_number": people[0]["id_number"]}, people[2]],
    "nobody is paid": lambda people: [{k: v for k, v in p.items() if k != "card_number"} for p in people],
    "two are paid": lambda people: [{**p, "card_number": people[0]["card_number"]} for p in people[:2]] + people[2:],
}


@pytest.mark.parametrize("change", CHANGES_OF_PEOPLE.values(), ids=CHANGES_OF_PEOPLE)
def test_the_people_are_those_of_the_determination_with_one_payee(eligibility, found, new_proposal, change):
    body = new_proposal()
    before = eligibility.counts()
    answer = eligibility.propose(found["id"], {**body, "people": change(body["people"])})
    assert code_of(answer) == (422, "people_do_not_match")
    assert eligibility.counts() == before
    assert not any(person["id_number"] in answer.text for person in body["people"])


def test_any_member_may_be_the_payee(eligibility, found, new_proposal):
    people = new_proposal()["people"]
    people[2]["card_number"] = people[0].pop("card_number")
    assert eligibility.propose(found["id"], new_proposal(people=people)).status_code == 201


def test_every_error_of_a_proposal_is_told_at_once_and_nothing_of_it(eligibility, found, new_proposal):
    people = new_proposal()["people"]
    people[0].update(id_number=CANARY_ID[:-1] + ("0" if CANARY_ID[-1] != "0" else "1"), name="")
    people[1].update(card_number=f"canary {CANARY_CARD}", id_number="13010219800101001")
    people[2].update(member="户主", id_number=int(CANARY_ID[:-1]))
    body = new_proposal(people=people, until="canary", programme=None, surprise=CANARY_NAME, amount=1020.0)
    before = eligibility.counts()
    answer = eligibility.propose(found["id"], body)
    assert pointers(answer) == {
        ("/people/0/id_number", "id_number_check_character"),
        ("/people/0/name", "too_short"),
        ("/people/1/card_number", "card_characters"),
        ("/people/1/id_number", "id_number_length"),
        ("/people/2/member", "wrong_form"),
        ("/people/2/id_number", "not_a_string"),
        ("/until", "wrong_form"),
        ("/programme", "not_a_string"),
        ("/surprise", "unknown_key"),
        ("/amount", "unknown_key"),
    }
    assert all(error["text"]["zh"] and error["text"]["en"] for error in answer.json()["errors"])
    for text in (CANARY_ID[:-1], CANARY_NAME, CANARY_CARD, "canary", "13010219800101001", '户主"'):
        assert text not in answer.text
    assert eligibility.counts() == before


@pytest.mark.parametrize("count", [0, MAX_PEOPLE + 1])
def test_people_are_bounded(eligibility, found, new_proposal, count):
    people = [{**new_proposal()["people"][1], "member": f"m{number}"} for number in range(count)]
    answer = eligibility.propose(found["id"], new_proposal(people=people))
    assert pointers(answer) == {("/people", "too_many" if count else "too_few")}


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[" * 100_000, b'{"people":' * 50_000, b"[]", b'{"$ref": "#"}', b'"text"'], ids=range(7)
)
@pytest.mark.parametrize("path", ["/determinations/{found}/awards", "/awards/none/confirm"])
def test_what_is_no_proposal_or_decision_is_a_problem(eligibility, found, raw, path):
    answer = eligibility.post(path.format(found=found["id"]), raw)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["text"]["zh"] and "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("reason", "code"),
    [(f"见{CANARY_ID}", "text_holds_a_number"), ("电话13800138000", "text_holds_a_number"), ("长" * 501, "too_long")],
)
def test_a_reason_holds_no_persons_number(eligibility, reason, code):
    award = eligibility.proposed()
    answer = eligibility.decide(award, body={"reason": reason})
    assert pointers(answer) == {("/reason", code)} and CANARY_ID not in answer.text
    assert eligibility.get(f"/awards/{award}").json()["state"] == "PROPOSED"


@pytest.mark.parametrize("reason", ["长" * 500, "1234567890", ""])
def test_any_other_reason_is_kept(eligibility, reason):
    award = eligibility.proposed()
    assert eligibility.decide(award, body={"reason": reason}).is_success
    [(kept,)] = eligibility.rows("select reason from eligibility.award_decisions where award = :id", id=award)
    assert kept == reason


def test_a_nul_in_a_name_or_reason_is_refused(eligibility, found, new_proposal):
    award = eligibility.proposed()
    answer = eligibility.decide(award, body={"reason": "a\0b"})
    assert pointers(answer) == {("", "nul_character")}
    assert eligibility.get(f"/awards/{award}").json()["state"] == "PROPOSED"


def test_a_caller_acts_within_their_regions(eligibility, found, new_proposal):
    elsewhere, here = ("420102",), ("420000",)
    answer = eligibility.propose(found["id"], new_proposal(), regions=elsewhere)
    assert code_of(answer) == (404, "not_found")
    award = eligibility.propose(found["id"], new_proposal(), regions=here).json()["id"]
    assert code_of(eligibility.decide(award, regions=elsewhere)) == (404, "not_found")
    assert code_of(eligibility.get(f"/awards/{award}", regions=elsewhere)) == (404, "not_found")
    assert eligibility.decide(award, regions=here).is_success
    assert eligibility.get(f"/awards/{award}", regions=here).is_success


def test_the_place_of_the_emergency_grants_its_advance(eligibility):
    """Home may see it, since it is of the same determination; it does not spend another place's money."""
    body = eligibility.household("emergency_away_from_home")
    home, there = ("420100",), ("530113",)
    found = eligibility.determined(body, regions=there)
    proposal = {"programme": "small_advance", "subject": "household", "people": eligibility.people_of(body)}
    assert code_of(eligibility.propose(found["id"], proposal, regions=home)) == (403, "forbidden")
    award = eligibility.propose(found["id"], proposal, regions=there).json()["id"]
    assert code_of(eligibility.decide(award, regions=home)) == (404, "not_found")
    assert eligibility.decide(award, regions=there).is_success


def test_unknown_names_are_not_found(eligibility, new_proposal):
    assert code_of(eligibility.propose("determination_none", new_proposal())) == (404, "not_found")
    assert code_of(eligibility.decide("award_none")) == (404, "not_found")
    assert code_of(eligibility.get("/awards/award_none")) == (404, "not_found")


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_a_list_is_read_page_by_page(eligibility, new_proposal, limit):
    """Four awards of a place that no other test uses: the last page names no next one, whole or not."""
    made = [place(eligibility, "420114") for _ in range(4 - len(listed(eligibility, "420114")))]
    whole = listed(eligibility, "420114")
    assert len(whole) == 4 and whole == sorted(whole) and set(made) <= set(whole)
    pages, cursor = [], ""
    while cursor is not None:
        answer = eligibility.get("/awards", params={"region": "420114", "limit": limit, "cursor": cursor}).json()
        pages.append([award["id"] for award in answer["data"]])
        cursor = answer["next"]
    assert [award for page in pages for award in page] == whole
    assert [len(page) for page in pages] == [limit] * (4 // limit) + ([4 % limit] if 4 % limit else [])


def place(eligibility, region):
    body = eligibility.household(region=region)
    found = eligibility.determined(body)
    proposal = {"programme": "dibao", "subject": "household", "people": eligibility.people_of(body)}
    return eligibility.propose(found["id"], proposal).json()["id"]


def listed(eligibility, region, **options):
    answer = eligibility.get("/awards", params={"region": region, "limit": 500}, **options)
    return [award["id"] for award in answer.json()["data"]]


def test_a_list_is_of_a_place_and_what_lies_below(eligibility):
    below, beside = place(eligibility, "420115"), place(eligibility, "420116")
    assert {below, beside} <= set(listed(eligibility, "420100")) & set(listed(eligibility, "420000"))
    assert {below, beside} <= set(listed(eligibility, "000000"))
    assert below in listed(eligibility, "420115") and beside not in listed(eligibility, "420115")
    assert listed(eligibility, "430000") == []


def test_a_list_is_of_the_callers_places(eligibility):
    award = place(eligibility, "420117")
    assert award in listed(eligibility, "420117", regions=("420100",))
    for region in ("420100", "420116", "000000"):
        answer = eligibility.get("/awards", params={"region": region}, regions=("420117",))
        assert code_of(answer) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({}, "/query/region"),
        ({"region": "4201"}, "/query/region"),
        ({"region": "42%100"}, "/query/region"),
        ({"region": "420100", "limit": 0}, "/query/limit"),
        ({"region": "420100", "limit": 501}, "/query/limit"),
        ({"region": "420100", "limit": "canary"}, "/query/limit"),
        ({"region": "420100", "cursor": "c" * 61}, "/query/cursor"),
    ],
)
def test_a_query_is_checked(eligibility, query, pointer):
    answer = eligibility.get("/awards", params=query)
    assert {found for found, _ in pointers(answer)} == {pointer}
    assert "canary" not in answer.text


def test_personal_data_lies_sealed(eligibility, found, new_proposal):
    """Everything that the service has written, as a thief of the disk or of a backup would read it."""
    people = new_proposal()["people"]
    people[0].update(name=CANARY_NAME, id_number=CANARY_ID, card_number=CANARY_CARD)
    body = new_proposal(people=people)
    award = eligibility.propose(found["id"], body, key="sealed").json()["id"]
    assert eligibility.propose(found["id"], body, key="sealed").headers["idempotent-replay"] == "true"
    assert eligibility.propose(found["id"], body, key="sealed-2").status_code == 409
    assert eligibility.decide(award, body={"reason": "核实"}).is_success
    dump = everything(eligibility)
    assert award in dump and len(dump) > 100_000
    for text in (CANARY_NAME, CANARY_ID, CANARY_CARD):
        for spelling in (text, text.encode().hex(), text.encode("utf-16-le").hex()):
            assert spelling not in dump
    [(row,)] = eligibility.rows("select count(*) from eligibility.award_people where award = :id", id=award)
    assert row == 3


def everything(eligibility):
    """Every row of every table of the schema, the queue's too, as text; bytes as hexadecimal."""
    tables = eligibility.rows("select tablename from pg_tables where schemaname = 'eligibility'")
    assert len(tables) > 12
    return "\n".join(
        str(row)
        for (name,) in tables
        for (row,) in eligibility.rows(f"select t::text from eligibility.{name} t")  # noqa: S608
    )
