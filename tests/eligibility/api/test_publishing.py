"""Publishing a pack over HTTP: examined, proposed by one person, put in force or refused by another, never changed."""

import json
import time

import pytest

from services.eligibility.store.policy_packs import list_current
from services.eligibility.use_cases import examine_pack, published_policy
from services.shared.policy.pack_text import MAX_FILE_BYTES, TOO_LARGE
from services.shared.vocabulary.actor import NATION, Actor
from services.shared.vocabulary.region import places
from tests.new_pack import ID, PLACE, pack_files, request_body, sha256_of

PATH = "/policy-packs"
OFFICER = Actor("development/policy_officer-1", frozenset({"policy_officer"}), (NATION,))


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch):
    """The service looks for new packs with every request instead of every five seconds."""
    monkeypatch.setattr(published_policy, "REFRESH_SECONDS", -1.0)


def propose(eligibility, files, role="policy_officer", **options):
    return eligibility.post(PATH, {"files": files}, role, **options)


def publish(eligibility, version, pack=ID, role="policy_officer:2", **options):
    return eligibility.post(f"{PATH}/{pack}/{version}/publish", options.pop("body", {}), role, **options)


def refuse(eligibility, version, pack=ID, role="policy_officer:2", body=None, **options):
    return eligibility.post(
        f"{PATH}/{pack}/{version}/refuse", body or {"reason": "not as in the notice"}, role, **options
    )


def in_force(eligibility, pack=ID):
    return dict(eligibility.runtime.database.read(list_current)).get(pack)


def answered(eligibility, place="659001"):
    answer = eligibility.post("/simulations", request_body(place), "policy_officer")
    assert answer.status_code == 200, answer.text
    return answer.json()["results"][0]


def code_of(answer):
    return answer.status_code, answer.json()["code"]


@pytest.fixture(scope="module")
def place():
    """A place of its own for each test that publishes, so that none stands on what another left."""
    return (code for code, place in sorted(places().items()) if code[:2] == "65" and _is_county(place))


def _is_county(place):
    return place.level == "county" and place.until is None and place.code != PLACE


def test_two_persons_publish_and_the_answer_changes(eligibility, place):
    at = next(place)
    pack, files = f"cn-{at}", pack_files(place=at)
    assert answered(eligibility, at)["outcome"] == "undetermined"
    proposed = propose(eligibility, files)
    assert (proposed.status_code, proposed.json()) == (
        201,
        {
            **{"id": pack, "version": "1", "sha256": sha256_of(files), "state": "PROPOSED"},
            **{"replaces": None, "cases": 1, "warnings": []},
        },
    )
    assert answered(eligibility, at)["outcome"] == "undetermined", "a proposal decides nothing"
    published = publish(eligibility, "1", pack)
    assert (published.status_code, published.json()["state"]) == (200, "PUBLISHED")
    assert answered(eligibility, at)["monthly"] == "200.00"

    changed = pack_files("2", "760.00", "260.00", at)
    assert propose(eligibility, changed).json()["replaces"] == "1"
    assert answered(eligibility, at)["monthly"] == "200.00"
    assert publish(eligibility, "2", pack).status_code == 200
    assert answered(eligibility, at)["monthly"] == "260.00"


def test_who_proposed_does_not_decide(eligibility, place):
    at = next(place)
    propose(eligibility, pack_files(place=at))
    for decide in (publish, refuse):
        answer = decide(eligibility, "1", f"cn-{at}", "policy_officer")
        assert code_of(answer) == (409, "second_person_needed_for_pack")
    assert in_force(eligibility, f"cn-{at}") is None


def test_what_is_refused_decides_nothing_and_its_version_is_used_up(eligibility, place):
    at = next(place)
    pack = f"cn-{at}"
    propose(eligibility, pack_files(place=at))
    refused = refuse(eligibility, "1", pack)
    assert (refused.status_code, refused.json()["state"]) == (200, "REFUSED")
    assert in_force(eligibility, pack) is None
    assert code_of(publish(eligibility, "1", pack)) == (409, "not_allowed_in_this_state")
    assert code_of(propose(eligibility, pack_files("1", "710.00", "210.00", at))) == (409, "pack_version_taken")
    assert propose(eligibility, pack_files("2", "710.00", "210.00", at)).status_code == 201


def test_a_refusal_says_why_and_holds_no_number(eligibility, place):
    at = next(place)
    propose(eligibility, pack_files(place=at))
    for body, pointer in (({}, "/reason"), ({"reason": ""}, "/reason"), ({"reason": "13800138000"}, "/reason")):
        answer = eligibility.post(f"{PATH}/cn-{at}/1/refuse", body, "policy_officer:2")
        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_published_version_is_not_proposed_again_with_the_same_or_other_bytes(eligibility, place):
    at = next(place)
    propose(eligibility, pack_files(place=at))
    publish(eligibility, "1", f"cn-{at}")
    for files in (pack_files(place=at), pack_files("1", "999.00", "499.00", at)):
        assert code_of(propose(eligibility, files)) == (409, "pack_version_taken")


def test_a_version_that_ships_is_not_proposed_either(eligibility):
    current = in_force(eligibility, "cn-420100")
    files = eligibility.get(f"{PATH}/cn-420100/{current}").json()["files"]
    changed = {**files, "parameters.csv": files["parameters.csv"] + "\n"}
    assert code_of(propose(eligibility, changed)) == (409, "pack_version_taken")


def test_the_same_content_under_another_version_is_refused_in_words(eligibility, place):
    at = next(place)
    propose(eligibility, pack_files(place=at))
    publish(eligibility, "1", f"cn-{at}")
    answer = propose(eligibility, pack_files("2", place=at))
    assert code_of(answer) == (409, "pack_unchanged")
    assert "版本" in answer.json()["text"]["zh"] and "version" in answer.json()["text"]["en"]


def test_what_was_in_force_once_may_be_so_again_under_a_new_version(eligibility, place):
    at = next(place)
    for version, standard, monthly in (("1", "700.00", "200.00"), ("2", "760.00", "260.00"), ("3", "700.00", "200.00")):
        assert propose(eligibility, pack_files(version, standard, monthly, at)).status_code == 201
        assert publish(eligibility, version, f"cn-{at}").status_code == 200
    assert answered(eligibility, at)["monthly"] == "200.00"


def test_every_fault_names_its_place_and_the_remedy_in_both_languages(eligibility):
    files = pack_files()
    files["parameters.csv"] = files["parameters.csv"].replace("yuan/month", "yuan").replace("dibao_standard", "dibao_x")
    before = eligibility.counts()
    answer = propose(eligibility, files)
    assert code_of(answer) == (422, "policy_pack_refused")
    for error in answer.json()["errors"]:
        assert error["pack"] == ID and error["where"].startswith("parameters.csv row 2") and error["column"] == 0
        for language in ("zh", "en"):
            assert error["problem"][language] and error["remedy"][language]
            assert error["problem"][language] in error["text"][language]
    assert eligibility.counts() == before


UNUSED = """[[instrument]]
id = "unused_notice"
title = "无人引用（虚构）"
title_en = "Cited by nobody (invented)"
in_force_from = 2024-01-01
confidence = "design"

[[instrument]]"""


def test_what_is_doubtful_is_told_and_refuses_nothing(eligibility, place):
    answer = propose(eligibility, pack_files(place=next(place), old="[[instrument]]", new=UNUSED))
    assert answer.status_code == 201
    [warning] = answer.json()["warnings"]
    assert (warning["code"], warning["where"]) == ("policy_pack_warning", "instrument unused_notice")
    assert warning["problem"]["zh"] and warning["remedy"]["en"]


def test_many_doubts_hide_no_fault(eligibility, monkeypatch):
    monkeypatch.setattr(examine_pack, "MAX_FINDINGS", 1)
    files = pack_files(old="[[instrument]]", new=UNUSED + "\n" + UNUSED.replace("unused", "idle").split("]]", 1)[1])
    examination = eligibility.app.state.pack_examiner.examine({**files, "cases/standards.toml": ""}, OFFICER)
    assert (len(examination.faults), len(examination.warnings)) == (1, 1)


def test_a_golden_case_that_does_not_hold_refuses_the_pack(eligibility):
    answer = propose(eligibility, pack_files(monthly="200.01"))
    [error] = answer.json()["errors"]
    assert code_of(answer) == (422, "policy_pack_refused")
    assert error["where"] == "cases/standards.toml case the gap to the standard"
    assert "200.01" in error["problem"]["en"] and "200.00" in error["problem"]["zh"]


def test_a_pack_without_a_case_is_refused(eligibility):
    files = {name: text for name, text in pack_files().items() if not name.startswith("cases/")}
    [error] = propose(eligibility, files).json()["errors"]
    assert error["problem"]["zh"] == "没有黄金案例"


def test_a_pack_is_examined_with_those_in_force(eligibility):
    """Of the nation's pack without a parameter that places give figures for, the places' faults are told."""
    current = in_force(eligibility, "cn")
    files = dict(eligibility.get(f"{PATH}/cn/{current}").json()["files"])
    files["pack.toml"] = files["pack.toml"].replace(f'"{current}"', '"broken.1"')
    files = {name: text.replace("margin_multiplier", "margin_multiple") for name, text in files.items()}
    errors = propose(eligibility, files).json()["errors"]
    told = {error["pack"] for error in errors}
    assert told and all(pack.startswith("cn-") for pack in told)
    assert len(errors) <= examine_pack.MAX_FINDINGS


def test_it_is_examined_again_when_it_is_published(eligibility, place, monkeypatch):
    """What is in force may have changed: here between the two persons a second pack came for the same place."""
    at = next(place)
    propose(eligibility, pack_files(place=at))
    monkeypatch.setattr(
        examine_pack,
        "fault_of_name",
        lambda pack: examine_pack.PackFault(pack.id, "pack.toml", 0, *examine_pack.NO_CASES),
    )
    assert code_of(publish(eligibility, "1", f"cn-{at}")) == (422, "policy_pack_refused")
    monkeypatch.undo()
    assert publish(eligibility, "1", f"cn-{at}").status_code == 200


def test_a_set_that_changed_during_the_examination_is_not_published_over(eligibility, place, monkeypatch):
    one, other = next(place), next(place)
    for at in (one, other):
        propose(eligibility, pack_files(place=at))
    examiner = eligibility.app.state.pack_examiner
    stale = examiner.examine(pack_files(place=one), OFFICER)
    assert publish(eligibility, "1", f"cn-{other}").status_code == 200
    monkeypatch.setattr(examiner, "examine", lambda files, actor: stale)
    assert code_of(publish(eligibility, "1", f"cn-{one}", key="meanwhile")) == (409, "packs_in_force_changed")
    monkeypatch.undo()
    assert publish(eligibility, "1", f"cn-{one}", key="meanwhile").status_code == 200, "the same key again"


def test_the_newer_version_is_in_force_whatever_a_clock_said_of_the_older(eligibility, place):
    at = next(place)
    pack = f"cn-{at}"
    propose(eligibility, pack_files(place=at))
    publish(eligibility, "1", pack)
    late = "loaded_at = '2999-01-01'"
    with eligibility.altered("policy_packs", late, "id = :id and version = '1'", id=pack):
        propose(eligibility, pack_files("2", "760.00", "260.00", at))
        publish(eligibility, "2", pack)
        assert in_force(eligibility, pack) == "2"


def test_the_same_key_gets_the_same_answer_also_after_the_state_has_moved_on(eligibility, place):
    at = next(place)
    first = propose(eligibility, pack_files(place=at), key=f"propose-{at}")
    done = publish(eligibility, "1", f"cn-{at}", key=f"publish-{at}")
    again = propose(eligibility, pack_files(place=at), key=f"propose-{at}")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replay"] == "true"
    assert publish(eligibility, "1", f"cn-{at}", key=f"publish-{at}").content == done.content
    assert code_of(publish(eligibility, "1", f"cn-{at}", key=f"other-{at}")) == (409, "not_allowed_in_this_state")
    assert code_of(propose(eligibility, pack_files("2", place=at), key=f"propose-{at}")) == (
        409,
        "idempotency_key_reused",
    )


def test_an_officer_publishes_for_the_places_that_are_hers(eligibility, place):
    at = next(place)
    files = pack_files(place=at)
    assert code_of(propose(eligibility, files, regions=("420000",))) == (403, "forbidden")
    assert propose(eligibility, files, regions=("650000",)).status_code == 201
    for decide in (publish, refuse):
        assert code_of(decide(eligibility, "1", f"cn-{at}", regions=("420000",))) == (403, "forbidden")
    assert publish(eligibility, "1", f"cn-{at}", regions=(at,)).status_code == 200


def test_the_nations_pack_is_for_who_acts_for_the_nation(eligibility):
    current = in_force(eligibility, "cn")
    files = dict(eligibility.get(f"{PATH}/cn/{current}").json()["files"])
    files["pack.toml"] = files["pack.toml"].replace(f'"{current}"', '"9.1"') + "\n# changed\n"
    shortest = min((name for name in files if name.startswith("cases/")), key=lambda name: len(files[name]))
    files = {name: text for name, text in files.items() if name == shortest or not name.startswith("cases/")}
    assert code_of(propose(eligibility, files, regions=("650000",))) == (403, "forbidden")
    assert propose(eligibility, files).status_code == 201
    assert refuse(eligibility, "9.1", "cn").status_code == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "cn-659001"', 'id = "cn-420100"'),
        ('jurisdiction = "659001"', 'jurisdiction = "420100"'),
        ('jurisdiction = "659001"', 'jurisdiction = "65900"'),
        ('version = "1"', 'version = "../1"'),
        ('version = "1"', 'version = "a b"'),
        ('version = "1"', 'version = "42010219900307663X"'),
        ('parent = "cn"', 'parent = "cn-420000"'),
    ],
)
def test_a_pack_has_its_places_name_and_a_version_that_fits_an_address(eligibility, old, new):
    """Or an officer of one place could replace another place's pack."""
    answer = propose(eligibility, pack_files(old=old, new=new))
    assert code_of(answer) == (422, "policy_pack_refused")
    assert "42010219900307663X" not in answer.text


@pytest.mark.parametrize(
    "name",
    [
        "../pack.toml",
        "/etc/passwd",
        "rules/../pack.toml",
        "rules/a/b.toml",
        "cases/.toml",
        "cases/A.toml",
        "cases\\a.toml",
        "rules/42010219900307663X.toml",
        "rules.py",
        "rules/a.csv",
        "",
        "pack.toml ",
    ],
)
def test_a_file_has_the_name_of_a_packs_file(eligibility, name):
    answer = propose(eligibility, {**pack_files(), name: ""})
    assert code_of(answer) == (422, "policy_pack_refused")
    assert "42010219900307663X" not in answer.text and "passwd" not in answer.text


def test_a_pack_within_the_readers_bounds_is_taken_and_one_beyond_is_refused(eligibility):
    examine = eligibility.app.state.pack_examiner.examine
    for size, faults in ((MAX_FILE_BYTES, []), (MAX_FILE_BYTES + 1, [TOO_LARGE])):
        files = {**pack_files(), "rules.toml": "#" + "x" * (size - 1)}
        assert [fault.problem for fault in examine(files, OFFICER).faults] == faults


HOSTILE = {
    "deep array": {"rules.toml": "a = " + "[" * 100_000},
    "deep table": {"rules.toml": "a = " + "{a=" * 100_000},
    "long key": {"rules.toml": "a." * 400_000 + "a = 1"},
    "long number": {"rules.toml": "a = " + "9" * 900_000},
    "long hexadecimal": {"rules.toml": "a = 0x" + "f" * 900_000},
    "wide cell": {"parameters.csv": "name,value\n" + "x" * 900_000 + ",1\n"},
    "wide header": {"parameters.csv": "name" + "," * 900_000},
    "no end of quote": {"parameters.csv": '"' + "x\n" * 450_000},
    "nul": {"rules.toml": "\0"},
    "many rules": {"rules.toml": '[[rule]]\nid="a"\n' * 50_000},
    "many cases": {
        "cases/standards.toml": pack_files()["cases/standards.toml"].split("[[case]]")[0]
        + ('[[case]]\nname="x"\nbase="alone"\nexpect={region="y"}\n' * 15_000)
    },
    "import": {"rules.toml": '[[rule]]\nid="x.y"\nentity="household"\ntype="int"\nexpr="__import__(1)"\n'},
    "dunder": {"rules.toml": '[[rule]]\nid="x.y"\nentity="household"\ntype="int"\nexpr="().__class__"\n'},
    "power": {"rules.toml": '[[rule]]\nid="x.y"\nentity="household"\ntype="int"\nexpr="9**9**9**9"\n'},
    "long expression": {
        "rules.toml": '[[rule]]\nid="x.y"\nentity="household"\ntype="int"\nexpr="%s"\n' % ("1+" * 450_000 + "1")
    },
    "deep expression": {
        "rules.toml": '[[rule]]\nid="x.y"\nentity="household"\ntype="int"\nexpr="%s"\n' % ("(" * 450_000)
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pack_is_refused_in_bounded_time(eligibility, name):
    started = time.process_time()
    answer = propose(eligibility, {**pack_files(), **HOSTILE[name]})
    assert code_of(answer) == (422, "policy_pack_refused"), answer.text[:300]
    assert time.process_time() - started < 10
    assert len(answer.content) < 200_000


def test_an_examination_that_takes_too_long_ends(eligibility, monkeypatch):
    monkeypatch.setattr(examine_pack, "EXAMINATION_SECONDS", -1)
    errors = propose(eligibility, pack_files()).json()["errors"]
    assert "longer than" in errors[-1]["problem"]["en"] and len(errors) == 1


def test_one_pack_is_examined_at_a_time(eligibility, monkeypatch):
    monkeypatch.setattr(examine_pack, "WAIT_SECONDS", 0.05)
    examiner = eligibility.app.state.pack_examiner
    with examiner._one_at_a_time:
        answer = propose(eligibility, pack_files(), key="busy")
        assert code_of(answer) == (503, "pack_examiner_busy") and answer.headers["retry-after"]
    assert propose(eligibility, pack_files("busy"), key="busy-2").status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/files"),
        ({"files": {}}, "/files"),
        ({"files": []}, "/files"),
        ({"files": {"pack.toml": 1}}, "/files/pack.toml"),
        ({"files": {"pack.toml": None}}, "/files/pack.toml"),
        ({"files": {"pack.toml": ""}, "surprise": 1}, "/surprise"),
        (b'{"files": {"pack.toml": "\\ud800"}}', ""),
        (b"[" * 100_000, ""),
        (b"", ""),
    ],
)
def test_a_body_that_is_no_pack_is_refused(eligibility, body, pointer):
    answer = eligibility.post(PATH, body, "policy_officer")
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(("size", "status"), [(10_000_000, 400), (10_000_001, 413)])
def test_the_body_has_a_bound_of_its_own(eligibility, size, status):
    body = b'{"surprise": "' + b"x" * (size - 16) + b'"}'
    assert len(body) == size
    assert eligibility.post(PATH, body, "policy_officer").status_code == status
    assert eligibility.post("/simulations", body, "policy_officer").status_code == 413, "no other route has it"


def test_what_was_proposed_is_read_by_the_second_person(eligibility, place):
    at = next(place)
    files = pack_files(place=at)
    propose(eligibility, files)
    shown = eligibility.get(f"{PATH}/cn-{at}/1/proposal", "policy_officer:2").json()
    assert (shown["files"], shown["state"], shown["proposed_by"]) == (files, "PROPOSED", "development/policy_officer-1")
    assert eligibility.get(f"{PATH}/cn-{at}/1").status_code == 404, "what is not published is no pack"
    refuse(eligibility, "1", f"cn-{at}")
    shown = eligibility.get(f"{PATH}/cn-{at}/1/proposal").json()
    assert (shown["state"], shown["decided_by"], shown["reason"]) == (
        "REFUSED",
        "development/policy_officer-2",
        "not as in the notice",
    )
    assert eligibility.get(f"{PATH}/cn-{at}/2/proposal").status_code == 404


def test_proposals_are_listed_page_by_page_and_by_state(eligibility, place):
    for decide in (publish, refuse, None):
        at = next(place)
        propose(eligibility, pack_files(place=at))
        if decide:
            decide(eligibility, "1", f"cn-{at}")
    found, cursor = [], ""
    while cursor is not None:
        page = eligibility.get("/policy-pack-proposals", params={"limit": 2, "cursor": cursor}).json()
        assert len(page["data"]) <= 2
        found, cursor = found + page["data"], page["next"]
    every = eligibility.get("/policy-pack-proposals", params={"limit": 500}).json()["data"]
    assert found == every
    for state in ("PROPOSED", "PUBLISHED", "REFUSED"):
        some = eligibility.get("/policy-pack-proposals", params={"state": state, "limit": 500}).json()["data"]
        assert some == [each for each in every if each["state"] == state] != []
    assert all("files" not in each for each in every)


def test_versions_are_listed_with_the_two_persons(eligibility, place):
    at = next(place)
    pack = f"cn-{at}"
    for version, standard, monthly in (("b", "700.00", "200.00"), ("a", "760.00", "260.00")):
        propose(eligibility, pack_files(version, standard, monthly, at))
        publish(eligibility, version, pack)
    listed = eligibility.get(f"{PATH}/{pack}", "portal").json()
    assert listed["in_force"] == "a" and [each["version"] for each in listed["data"]] == ["b", "a"]
    assert {(each["proposed_by"], each["published_by"]) for each in listed["data"]} == {
        ("development/policy_officer-1", "development/policy_officer-2")
    }
    page = eligibility.get(f"{PATH}/{pack}", "portal", params={"limit": 1}).json()
    assert (page["data"], page["next"]) == (listed["data"][:1], "b")
    rest = eligibility.get(f"{PATH}/{pack}", "portal", params={"cursor": "b"}).json()
    assert (rest["data"], rest["next"]) == (listed["data"][1:], None)
    shipped = eligibility.get(f"{PATH}/cn-360000", "portal").json()["data"]
    assert [(each["proposed_by"], each["published_by"]) for each in shipped] == [(None, None)] * len(shipped)
    assert eligibility.get(f"{PATH}/cn-999999", "portal").status_code == 404


def test_a_pack_is_served_with_its_hash_which_its_files_have(eligibility):
    version = in_force(eligibility, "cn")
    answer = eligibility.get(f"{PATH}/cn/{version}", "portal")
    pack = answer.json()
    assert sha256_of(pack["files"]) == pack["sha256"]
    assert answer.headers["etag"] == f'"{pack["sha256"]}"' and "immutable" in answer.headers["cache-control"]
    again = eligibility.get(f"{PATH}/cn/{version}", "portal", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    other = eligibility.get(f"{PATH}/cn/{version}", "portal", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_each_step_is_in_the_log_without_the_files(eligibility, place):
    at = next(place)
    propose(eligibility, pack_files(place=at))
    publish(eligibility, "1", f"cn-{at}")
    events = eligibility.rows(
        "select action, leaf from eligibility.audit_events where entity = 'policy_pack' order by id desc limit 2"
    )
    leaves = [json.loads(bytes(leaf)) for _, leaf in events]
    assert [action for action, _ in events] == ["decide_policy_pack", "propose_policy_pack"]
    assert all(leaf["sha256"] == sha256_of(pack_files(place=at)) for leaf in leaves)
    assert leaves[0]["decision"] == "PUBLISHED"
    assert all("dibao_standard" not in bytes(leaf).decode() for _, leaf in events)


def test_a_determination_of_a_replaced_pack_still_replays(eligibility, place):
    at = next(place)
    propose(eligibility, pack_files(place=at))
    publish(eligibility, "1", f"cn-{at}")
    determination = eligibility.determined(request_body(at))
    propose(eligibility, pack_files("2", "760.00", "260.00", at))
    publish(eligibility, "2", f"cn-{at}")
    replayed = eligibility.post(f"/determinations/{determination['id']}/replay", {}, "auditor")
    assert replayed.json() == determination
