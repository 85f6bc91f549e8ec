"""Determinations over HTTP: recorded as `doudi determine` prints them, and computed anew to the same bytes."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.eligibility.store.policy_packs import find_pack, insert_pack
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.shared.policy.pack import fingerprint
from services.shared.runtime.clock import system_now
from tests.new_pack import ID, PLACE, pack_files, request_body, sha256_of

HOUSEHOLDS = ("wuhan_family", "wuhan_rural_family", "wuhan_couple", "dongchuan_man", "emergency_away_from_home")
EMERGENCY = "emergency_away_from_home"
COMMAND = [sys.executable, "-c", "from services.cli.main import main; main()", "determine"]


@pytest.fixture(params=HOUSEHOLDS)
def recorded(request, eligibility):
    return eligibility.determined(eligibility.household(request.param))


def replay(eligibility, determination_id, role="auditor"):
    return eligibility.call("POST", f"/determinations/{determination_id}/replay", role)


@pytest.mark.parametrize("name", HOUSEHOLDS)
def test_the_answer_is_what_the_command_prints_beside_its_id(eligibility, name, tmp_path):
    file = tmp_path / "request.json"
    file.write_text(json.dumps(eligibility.household(name)), encoding="utf-8")
    printed = subprocess.run([*COMMAND, str(file)], capture_output=True, text=True, check=True, timeout=60).stdout
    answer = eligibility.post("/determinations", file.read_bytes())
    found = answer.json()["id"]
    assert answer.text == f'{{"id":"{found}",' + printed.strip()[1:]
    assert found.startswith("determination_") and '"simulation":false' in printed


def test_it_is_kept_byte_for_byte_and_replays_to_the_same_bytes(eligibility, recorded):
    kept = eligibility.get(f"/determinations/{recorded['id']}")
    replayed = replay(eligibility, recorded["id"])
    assert (kept.status_code, replayed.status_code) == (200, 200)
    assert kept.content == replayed.content and json.loads(kept.content) == recorded


def test_replaying_records_nothing(eligibility, recorded):
    before = eligibility.counts()
    replay(eligibility, recorded["id"])
    assert eligibility.counts() == before


def test_a_changed_figure_refuses_the_replay(eligibility):
    found = eligibility.determined()
    pack = found["packs"][-1]
    change = "files = jsonb_set(files, '{parameters.csv}', to_jsonb(replace(files->>'parameters.csv', '940', '941')))"
    with eligibility.altered("policy_packs", change, "id = :id and version = :version", **identity(pack)):
        answer = replay(eligibility, found["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "replay_refused")
    assert f"{pack['id']} {pack['version']}" in answer.json()["text"]["en"]
    assert replay(eligibility, found["id"]).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "files = jsonb_set(files, '{pack.toml}', '\"no pack at all\"')",
        "files = files - 'pack.toml'",
        "files = '{}'",
        "sha256 = repeat('0', 64)",
        "version = 'gone'",
    ],
)
def test_a_pack_that_is_another_or_none_refuses_the_replay(eligibility, change):
    found = eligibility.determined()
    pack = found["packs"][0]
    where = "id = :id and version in (:version, 'gone')"
    with eligibility.altered("policy_packs", change, where, **identity(pack)):
        answer = replay(eligibility, found["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "replay_refused")


def test_a_figure_changed_under_a_new_hash_is_seen_too(eligibility):
    """Who can change the pack can change the hash beside it; the determination names the one that it rests on."""
    found = eligibility.determined()
    pack = found["packs"][-1]
    files = dict(eligibility.runtime.database.read(find_pack, pack["id"], pack["version"]).files)
    files["parameters.csv"] = files["parameters.csv"].replace("940", "941")
    change = "files = cast(:files as jsonb), sha256 = :sha256"
    changed = {"files": json.dumps(files), "sha256": hash_of(files)}
    where = "id = :id and version = :version"
    with eligibility.altered("policy_packs", change, where, **identity(pack), **changed):
        answer = replay(eligibility, found["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "replay_refused")


@pytest.mark.parametrize(
    ("column", "old", "new"), [("answer", "1020.00", "9020.00"), ("request", "1800.00", "1700.00")]
)
def test_a_changed_record_is_told_and_never_read_back(eligibility, column, old, new):
    found = eligibility.determined()
    change = f"{column} = convert_to(replace(convert_from({column}, 'utf8'), '{old}', '{new}'), 'utf8')"
    with eligibility.altered("determinations", change, "id = :id", id=found["id"]):
        answer = replay(eligibility, found["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "replay_differs")


OLDER = """convert_to(regexp_replace(convert_from(answer, 'utf8'), '"format":[0-9]+,', ''), 'utf8')"""


def test_an_answer_told_in_an_older_format_is_compared_by_what_it_decides(eligibility):
    found = eligibility.determined()
    with eligibility.altered("determinations", f"answer = {OLDER}", "id = :id", id=found["id"]):
        answer = replay(eligibility, found["id"])
    assert answer.status_code == 200
    assert answer.json() == {key: value for key, value in found.items() if key != "format"}


@pytest.mark.parametrize(("old", "new"), [("1020.00", "9020.00"), ("eligible", "ineligible")])
def test_another_decision_in_an_older_format_is_told_too(eligibility, old, new):
    found = eligibility.determined()
    change = f"answer = convert_to(replace(convert_from({OLDER}, 'utf8'), '{old}', '{new}'), 'utf8')"
    with eligibility.altered("determinations", change, "id = :id", id=found["id"]):
        answer = replay(eligibility, found["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "replay_differs")


def test_a_newer_version_is_for_new_determinations_alone(eligibility):
    old = eligibility.determined()
    published = PublishedPolicy(eligibility.runtime.database)
    pack = old["packs"][-1]
    newer = publish(eligibility, pack, "940.00", "950.00")
    eligibility.app.state.published_policy = PublishedPolicy(eligibility.runtime.database)
    try:
        new = eligibility.determined()
        assert new["packs"][-1] == newer and new["totals"] != old["totals"]
        assert json.loads(replay(eligibility, old["id"]).content) == old
        assert json.loads(replay(eligibility, new["id"]).content) == new
    finally:
        eligibility._past_the_guards(
            "eligibility.policy_packs", "delete from eligibility.policy_packs where version = :version", newer
        )
        eligibility.app.state.published_policy = published


def test_a_pack_altered_before_the_service_started_determines_nothing(eligibility):
    kept = eligibility.app.state.published_policy
    before = eligibility.counts()
    with eligibility.altered("policy_packs", "files = files - 'pack.toml'", "id = 'cn'"):
        eligibility.app.state.published_policy = PublishedPolicy(eligibility.runtime.database)
        answer = eligibility.post("/determinations", eligibility.household())
        eligibility.app.state.published_policy = kept
    assert (answer.status_code, answer.json()["code"]) == (503, "policy_pack_altered")
    assert "cn " in answer.json()["text"]["zh"]
    assert eligibility.counts() == before


def hash_of(files):
    return fingerprint({name: text.encode() for name, text in files.items()})


def identity(pack):
    return {"id": pack["id"], "version": pack["version"]}


def publish(eligibility, pack, old, new):
    """A newer version of `pack` with another figure, put there as `migrate` does."""
    found = eligibility.runtime.database.read(find_pack, pack["id"], pack["version"])
    version = pack["version"] + ".1"
    files = {name: text.replace(old, new).replace(pack["version"], version) for name, text in found.files.items()}
    assert files["parameters.csv"] != found.files["parameters.csv"]
    sha256 = hash_of(files)
    with eligibility.owner.begin() as connection:
        assert insert_pack(connection, pack["id"], version, sha256, files, system_now())
    return {"id": pack["id"], "version": version, "sha256": sha256}


@pytest.mark.parametrize("parameters", [{"dibao_standard": "941.00"}, {"base_pension_counted": False}])
def test_a_recorded_call_takes_no_other_figures(eligibility, parameters):
    before = eligibility.counts()
    answer = eligibility.post("/determinations", eligibility.household(parameters=parameters))
    assert answer.status_code == 400
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/parameters", "simulation_only")]
    assert eligibility.counts() == before


def test_empty_parameters_replace_nothing(eligibility):
    assert eligibility.post("/determinations", eligibility.household(parameters={})).status_code == 201


@pytest.mark.parametrize(
    ("parameters", "total"), [({}, "1020.00"), ({"dibao_standard": "941.00"}, "1023.00")], ids=["same", "other"]
)
def test_a_simulation_answers_the_same_and_stores_nothing(eligibility, parameters, total):
    before = eligibility.counts()
    answer = eligibility.post("/simulations", eligibility.household(parameters=parameters), "policy_officer")
    assert answer.status_code == 200
    assert (answer.json()["simulation"], answer.json()["totals"]["monthly"]) == (True, total)
    assert "id" not in answer.json()
    assert eligibility.counts() == before


# --- packs that are tried --------------------------------------------------------------------------------------------


def tried(eligibility, *packs, place=PLACE, role="policy_officer", **changes):
    body = {**request_body(place), "packs": [{"files": files} for files in packs], **changes}
    return eligibility.post("/simulations", body, role)


def test_a_pack_may_be_tried_before_anyone_proposes_it(eligibility):
    before = eligibility.counts()
    for standard, monthly in (("700.00", "200.00"), ("760.00", "260.00"), ("700.00", "200.00")):
        answer = tried(eligibility, pack_files("trial", standard, monthly))
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (found["simulation"], found["results"][0]["monthly"]) == (True, monthly)
        sha256 = sha256_of(pack_files("trial", standard, monthly))
        assert {"id": ID, "version": "trial", "sha256": sha256} in found["packs"]
    assert eligibility.counts() == before
    outcome = eligibility.post("/simulations", request_body(), "policy_officer").json()["results"][0]["outcome"]
    assert outcome == "undetermined"


def test_figures_of_the_call_stand_above_those_of_a_pack_that_is_tried(eligibility):
    answer = tried(eligibility, pack_files(), parameters={"dibao_standard": "800.00"})
    assert answer.json()["results"][0]["monthly"] == "300.00"


def test_a_pack_whose_golden_cases_its_figures_break_may_be_tried(eligibility):
    assert tried(eligibility, pack_files(standard="701.00")).json()["results"][0]["monthly"] == "201.00"


def test_an_unsound_pack_is_refused_with_what_is_wrong_with_it(eligibility):
    answer = tried(eligibility, pack_files(standard="seven hundred"))
    assert (answer.status_code, answer.json()["code"]) == (422, "policy_pack_refused")
    (error,) = answer.json()["errors"]
    assert (error["pack"], error["where"].split()[0]) == (ID, "parameters.csv") and error["remedy"]["en"]
    for files, said in (({"pack.toml": "x"}, "TOML"), ({**pack_files(), "notes.txt": ""}, "a pack has")):
        answer = tried(eligibility, files)
        assert answer.status_code == 422 and said in answer.json()["errors"][0]["problem"]["en"]


@pytest.mark.parametrize("role", ["portal", "caseworker"])
def test_only_who_may_propose_packs_may_try_one(eligibility, role):
    assert tried(eligibility, pack_files(), role=role).status_code == 403
    assert tried(eligibility, role=role).status_code == 200


def test_no_more_than_three_packs_are_tried_at_once_and_none_is_determined_by(eligibility):
    answer = tried(eligibility, *[pack_files()] * 4)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/packs")
    body = {**request_body(), "packs": [{"files": pack_files()}]}
    answer = eligibility.post("/determinations", body)
    assert answer.status_code == 400
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/packs", "simulation_only")]
    answer = eligibility.post("/simulations", {**request_body(), "packs": [{"text": "x"}]}, "policy_officer")
    assert {e["code"] for e in answer.json()["errors"]} == {"missing", "unknown_key"}


def test_one_key_is_one_determination(eligibility):
    body = json.dumps(eligibility.household()).encode()
    before = eligibility.counts()["eligibility.determinations"]
    first = eligibility.post("/determinations", body, key="one-key")
    again = eligibility.post("/determinations", body, key="one-key")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert ("idempotent-replay" in first.headers, again.headers["idempotent-replay"]) == (False, "true")
    assert eligibility.counts()["eligibility.determinations"] == before + 1


def test_the_same_key_at_one_time_is_one_determination(eligibility):
    body = json.dumps(eligibility.household()).encode()
    before = eligibility.counts()["eligibility.determinations"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: eligibility.post("/determinations", body, key="at-once"), range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert eligibility.counts()["eligibility.determinations"] == before + 1


def test_a_key_belongs_to_one_body_and_one_caller(eligibility):
    eligibility.determined(key="own-key")
    other = eligibility.post("/determinations", eligibility.household("wuhan_couple"), key="own-key")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert eligibility.post("/determinations", eligibility.household(), "caseworker:2", key="own-key").is_success


def test_without_a_key_each_call_is_recorded(eligibility):
    before = eligibility.counts()["eligibility.determinations"]
    for _ in range(2):
        answer = eligibility.call("POST", "/determinations", "portal", json=eligibility.household())
        assert answer.status_code == 201
    assert eligibility.counts()["eligibility.determinations"] == before + 2


@pytest.mark.parametrize(
    ("regions", "write", "read"),
    [
        (("420100",), 201, 200),
        (("420000",), 201, 200),
        (("000000",), 201, 200),
        (("530113", "420100"), 201, 200),
        (("420102",), 403, 404),
        (("430000",), 403, 404),
        ((), 403, 404),
    ],
)
def test_a_caller_acts_within_their_regions(eligibility, regions, write, read):
    found = eligibility.determined()
    before = eligibility.counts()
    for path in ("/determinations", "/simulations"):
        answer = eligibility.post(path, eligibility.household(), regions=regions)
        assert answer.status_code == (200 if write == 201 and path == "/simulations" else write)
    if write == 403:
        assert eligibility.counts() == before
    assert eligibility.get(f"/determinations/{found['id']}", regions=regions).status_code == read
    replayed = eligibility.call("POST", f"/determinations/{found['id']}/replay", "auditor", regions)
    assert replayed.status_code == read


@pytest.mark.parametrize(
    ("regions", "write", "read"), [(("530113",), 201, 200), (("420100",), 201, 200), (("530114",), 403, 404)]
)
def test_an_emergency_away_from_home_is_for_its_own_place_too(eligibility, regions, write, read):
    found = eligibility.determined(eligibility.household(EMERGENCY))
    answer = eligibility.post("/determinations", eligibility.household(EMERGENCY), regions=regions)
    assert answer.status_code == write
    assert eligibility.get(f"/determinations/{found['id']}", regions=regions).status_code == read


def test_nothing_is_found_under_another_id(eligibility):
    for answer in (eligibility.get("/determinations/determination_none"), replay(eligibility, "determination_none")):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("as_of", ["0001-01-01", "1949-10-01", "2023-08-01", "9998-12-31", "9999-12-01", "9999-12-31"])
def test_any_day_of_the_calendar_gets_an_answer(eligibility, as_of):
    body = eligibility.household(as_of=as_of)
    for member in body["household"]["members"]:
        member["birth_date"] = min(member["birth_date"], as_of)
    answer = eligibility.post("/determinations", body)
    assert answer.status_code == 201, answer.text


def test_every_answer_names_its_request_and_the_version_of_the_interface(eligibility):
    mine = eligibility.post("/determinations", eligibility.household(), headers={"Request-Id": "portal-7.A_b"})
    assert (mine.headers["request-id"], mine.headers["api-version"]) == ("portal-7.A_b", "1.0")
    theirs = eligibility.get("/determinations/none", headers={"Request-Id": "990100198001150010"})
    assert theirs.headers["request-id"].startswith("request_") and theirs.headers["api-version"] == "1.0"
    assert theirs.json()["request_id"] == theirs.headers["request-id"]


@pytest.mark.parametrize(
    ("language", "title"), [("en-GB,zh;q=0.5", "Not found"), ("zh-CN", "没有找到"), ("", "没有找到")]
)
def test_a_problem_speaks_the_readers_language_first(eligibility, language, title):
    problem = eligibility.get("/determinations/none", headers={"Accept-Language": language}).json()
    assert problem["title"] == title
    assert problem["text"]["zh"].startswith("没有找到") and problem["text"]["en"].startswith("Not found")
