"""A reform over a registered population as a job: figures soon, the whole report once, whatever dies on the way."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from services.eligibility.app import create_app
from services.eligibility.domain.facts import SCHEMA
from services.eligibility.domain.population_simulation import KEPT_FOR, MOST_OPEN
from services.eligibility.gateways.population_folder import identity_of
from services.eligibility.settings import configuration
from services.eligibility.store import population_simulations as store
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.eligibility.use_cases.run_population_simulation import run_population_simulation
from services.eligibility.use_cases.simulate_reform import Reform, report_of, simulate_reform
from services.eligibility.use_cases.simulating.overlay import Figure, with_figures
from services.eligibility.use_cases.simulating.population_blocks import blocks_of, open_population
from services.eligibility.use_cases.simulating.prepared import PreparedPopulations
from services.shared.policy.columns.table import rows_to_table
from tests.eligibility.population.agreement import with_real_days
from tests.eligibility.proof.bases import bases
from tests.eligibility.proof.worlds import shipped, worlds

ON = date(2026, 8, 1)
RAISED = Figure("dibao_standard", "1300.00")
SMALL, LARGE = 300, 40_000
BODY = {"population": "county", "as_of": ON.isoformat(), "parameters": {"dibao_standard": "1300.00"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Registered populations: a small one and a large one of the same households."""
    found = tmp_path_factory.mktemp("populations")
    rows = [with_real_days(row) for _, row in bases(worlds(ON))[:SMALL]]
    table = rows_to_table(SCHEMA, rows, ["420100", "110000"] * (len(rows) // 2) + ["420100"] * (len(rows) % 2))
    table = table.append_column("name", pa.array(["某人姓名"] * len(rows)))
    pq.write_table(table, found / "county.parquet")
    pq.write_table(pa.concat_tables([table] * (LARGE // len(rows) + 1)), found / "province.parquet")
    return found


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(scope="module")
def prepared(kernels):
    return PreparedPopulations(kernels)


@pytest.fixture(scope="module")
def service(eligibility, run_service, configured, owner_url, folder):
    """The service with the folder registered, beside the one without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUDI_ELIGIBILITY_POPULATIONS_DIR", str(folder))
        with run_service(create_app(configuration()), owner_url, Path(configured["DOUDI_DATA_DIR"])) as service:
            yield service


def asked(service, **changes):
    answer = service.post("/simulations/population", {**copy.deepcopy(BODY), **changes}, "policy_officer")
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "WAITING"
    return answer.json()["id"]


def state_of(service, simulation, role="policy_officer"):
    answer = service.get(f"/simulations/population/{simulation}", role)
    assert answer.status_code == 200, answer.text
    return answer.json()


def run(service, prepared, folder, simulation):
    policy = PublishedPolicy(service.runtime.database)
    run_population_simulation(service.runtime, policy, prepared, folder, simulation)


def expected_report(folder, prepared, name="county", figures=(RAISED,)):
    before = prepared.of(shipped(), ON)
    reform = Reform(before, with_figures(before, figures))
    file = open_population(folder / f"{name}.parquet")
    found = simulate_reform(reform, blocks_of(file, reform.columns), "province", lambda _: None)
    return json.loads(json.dumps(report_of(reform, found, "province")))


def test_it_waits_runs_and_ends_with_the_whole_report(service, prepared, folder):
    simulation = asked(service)
    waiting = state_of(service, simulation)
    assert (waiting["state"], waiting["progress"]) == ("WAITING", {"done": 0, "unit": "rows"})
    assert waiting["reform"]["figures"][0]["parameter"] == "dibao_standard"
    assert service.get(f"/simulations/population/{simulation}/losers", "policy_officer").status_code == 404
    run(service, prepared, folder, simulation)
    done = state_of(service, simulation)
    assert done["state"] == "DONE" and done["progress"]["done"] == done["progress"]["total"] > 100
    assert done["report"] == expected_report(folder, prepared)
    assert float(done["report"]["total"]["monthly"]["cost"]) > 0


def test_figures_on_the_way_rest_on_the_rows_that_are_done(service, prepared, folder, monkeypatch):
    simulation, seen = asked(service, population="province"), []
    original = store.record_progress

    def record(tx, *values):
        written = original(tx, *values)
        seen.append(values)
        return written

    monkeypatch.setattr("services.eligibility.use_cases.run_population_simulation.store.record_progress", record)
    monkeypatch.setattr("services.eligibility.use_cases.run_population_simulation.PROGRESS_SECONDS", 0.0)
    run(service, prepared, folder, simulation)
    first = json.loads(seen[0][3])
    assert seen[0][2][0] == 4096 == first["rows"]["counted"] + first["rows"]["rejected"]
    assert seen[-1][2][0] == seen[-1][2][1] > LARGE
    assert [values[2][0] for values in seen] == sorted({values[2][0] for values in seen})


def test_who_takes_it_up_again_begins_with_the_first_row_and_the_other_writes_no_more(service, prepared, folder):
    simulation = asked(service)
    database, now = service.runtime.database, service.runtime.now()
    first = database.transact(store.begin_run, simulation, now)
    assert database.transact(store.record_progress, simulation, first, (5, 10), b"{}", now)
    assert state_of(service, simulation)["so_far"] == {}
    run(service, prepared, folder, simulation)
    assert not database.transact(store.record_progress, simulation, first, (6, 10), b"{}", now)
    assert not database.transact(store.record_end, simulation, first, (10, 10), b"{}", b"", now)
    done = state_of(service, simulation)
    assert done["report"] == expected_report(folder, prepared)
    run(service, prepared, folder, simulation)
    assert state_of(service, simulation) == done, "what has ended is not run again"


def test_a_simulation_that_broke_off_too_often_has_failed(service, prepared, folder):
    simulation = asked(service)
    for _ in range(5):
        service.runtime.database.transact(store.begin_run, simulation, service.runtime.now())
    run(service, prepared, folder, simulation)
    assert state_of(service, simulation)["problem"]["code"] == "broke_off"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"parameters": {"no_such_figure": "1.00"}}, "figure_refused"),
        ({"parameters": {"dibao_standard": 1000}}, "figure_refused"),
        ({"parameters": {"dibao_standard": "1000000000.01"}}, "figure_refused"),
        ({"figures": [{"parameter": "dibao_standard", "value": "9.00", "region": "429999"}]}, "figure_refused"),
    ],
)
def test_a_reform_that_cannot_be_tried_has_failed_and_says_why(service, prepared, folder, change, code):
    simulation = asked(service, **{"parameters": {}, **change})
    run(service, prepared, folder, simulation)
    failed = state_of(service, simulation)
    assert (failed["state"], failed["problem"]["code"]) == ("FAILED", code)
    assert failed["problem"]["title"]["zh"] and failed["problem"]["title"]["en"]
    assert "report" not in failed and "so_far" not in failed


def test_a_file_that_was_changed_after_it_was_asked_for_fails(service, prepared, folder):
    shutil.copy(folder / "county.parquet", folder / "moving.parquet")
    simulation = asked(service, population="moving")
    pq.write_table(pq.read_table(folder / "moving.parquet").slice(1), folder / "moving.parquet")
    run(service, prepared, folder, simulation)
    assert state_of(service, simulation)["problem"]["code"] == "population_changed"
    simulation = asked(service, population="moving")
    (folder / "moving.parquet").unlink()
    run(service, prepared, folder, simulation)
    assert state_of(service, simulation)["problem"]["code"] == "population_gone"


def test_a_file_that_is_changed_while_it_is_read_fails(service, prepared, folder, monkeypatch):
    simulation, path = asked(service), folder / "county.parquet"
    first, times = identity_of(path), []

    def identity(_):
        times.append(1)
        return first if len(times) < 3 else "another"

    monkeypatch.setattr("services.eligibility.use_cases.run_population_simulation.identity_of", identity)
    run(service, prepared, folder, simulation)
    assert state_of(service, simulation)["problem"]["code"] == "population_changed" and len(times) == 3


def test_a_torn_file_fails(service, prepared, folder):
    (folder / "torn.parquet").write_bytes((folder / "county.parquet").read_bytes()[:-9])
    simulation = asked(service, population="torn")
    run(service, prepared, folder, simulation)
    assert state_of(service, simulation)["problem"]["code"] == "population_unfit"


def test_losers_are_rows_by_number_and_nothing_of_persons_is_in_any_answer(service, prepared, folder):
    figures = [{"parameter": "dibao_standard", "value": "10.00"}]
    base = asked(service, parameters={}, figures=figures)
    run(service, prepared, folder, base)
    answer = service.get(f"/simulations/population/{base}/losers", "policy_officer")
    head, *lines = answer.text.splitlines()
    assert head == "row,programme,member,outcome_before,outcome_after,before,after"
    assert len(lines) == state_of(service, base)["report"]["losers"]
    assert answer.headers["content-type"].startswith("text/csv")
    everything = answer.text + service.get(f"/simulations/population/{base}", "auditor").text
    assert "某人姓名" not in everything and "birth" not in everything
    assert service.get(f"/simulations/population/{base}/losers", "auditor").status_code == 403


def test_a_proposed_pack_is_tried(service, prepared, folder, monkeypatch):
    version, current = "2026.12.99", service.get("/policy-packs/cn-420100").json()["in_force"]
    files = service.get(f"/policy-packs/cn-420100/{current}").json()["files"]
    files["pack.toml"] = files["pack.toml"].replace(f'"{current}"', f'"{version}"')
    files["parameters.csv"] = files["parameters.csv"] + "\n"
    proposed = service.post("/policy-packs", {"files": files}, "policy_officer")
    assert proposed.status_code == 201, proposed.text
    simulation = asked(service, parameters={}, packs=[{"id": "cn-420100", "version": version}])
    run(service, prepared, folder, simulation)
    report = state_of(service, simulation)["report"]
    tried = [pack for pack in report["packs_after"] if pack not in report["packs_before"]]
    assert [(pack["id"], pack["version"]) for pack in tried] == [("cn-420100", version)]
    assert report["total"]["monthly"]["cost"] == "0.00"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"population": "nowhere"}, 422, "population_unknown"),
        ({"population": "../county"}, 422, "population_unknown"),
        ({"parameters": {}}, 422, "nothing_to_try"),
        ({"packs": [{"id": "cn-420100", "version": "0"}]}, 400, "invalid_body"),
        ({"as_of": "2026-13-01"}, 400, "invalid_body"),
        ({"region_level": "village"}, 400, "invalid_body"),
        ({"parameters": {"dibao_standard": 900.5}}, 400, "invalid_body"),
        ({"figures": [{"parameter": "a", "value": "1", "region": "42"}]}, 400, "invalid_body"),
    ],
)
def test_what_cannot_be_asked_is_refused(service, changes, status, code):
    answer = service.post("/simulations/population", {**copy.deepcopy(BODY), **changes}, "policy_officer")
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_known_populations_are_named_to_who_asks_for_another(service, folder):
    answer = service.post("/simulations/population", {**BODY, "population": "nowhere"}, "policy_officer")
    assert "county, province" in answer.text and str(folder) not in answer.text


def test_no_folder_registered_is_said_so(eligibility):
    answer = eligibility.post("/simulations/population", BODY, "policy_officer")
    assert (answer.status_code, answer.json()["code"]) == (422, "no_populations")


def test_the_same_key_asks_once(service):
    first, second = (service.post("/simulations/population", BODY, "policy_officer", "same") for _ in range(2))
    assert first.content == second.content
    events = service.rows("select action from eligibility.audit_events where entity_id = :id", id=first.json()["id"])
    assert [event.action for event in events] == ["simulate_population"]


def test_reports_are_forgotten_after_their_time_and_not_before(service, prepared, folder):
    simulation = asked(service)
    run(service, prepared, folder, simulation)
    database, now = service.runtime.database, service.runtime.now()
    assert database.transact(store.forget_before, now - KEPT_FOR, now) == 0
    assert database.transact(store.forget_before, service.runtime.now(), now) >= 1
    forgotten = state_of(service, simulation)
    assert forgotten["state"] == "FORGOTTEN" and "report" not in forgotten
    assert service.get(f"/simulations/population/{simulation}/losers", "policy_officer").status_code == 404


def test_no_more_wait_than_may(service, prepared, folder):
    forget_all(service)
    waiting = [asked(service) for _ in range(MOST_OPEN)]
    answer = service.post("/simulations/population", BODY, "policy_officer")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_simulations")
    run(service, prepared, folder, waiting[0])
    asked(service)


def forget_all(service):
    forgotten = "update eligibility.population_simulation_runs set state = 'FORGOTTEN', problem = null"
    with service.owner.begin() as connection:
        connection.execute(text(forgotten))


def worker_process(folder, data_dir):
    environment = {
        **os.environ,
        "DOUDI_ELIGIBILITY_POPULATIONS_DIR": str(folder),
        "DOUDI_JOB_HEARTBEAT_SECONDS": "1",
        "DOUDI_DATA_DIR": str(data_dir),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "services.eligibility", "worker"], stdout=subprocess.DEVNULL, env=environment
    )


def test_a_killed_workers_simulation_is_taken_up_by_another_with_the_same_sum(service, prepared, folder, kernels):
    """The last test: the queue's own jobs of the tests before run here too."""
    shutil.copytree(kernels, service.data_dir / "kernels", dirs_exist_ok=True)
    forget_all(service)
    simulation = asked(service, population="province")
    first = worker_process(folder, service.data_dir)
    try:
        service.eventually(lambda: state_of(service, simulation)["progress"]["done"], 120)
        first.send_signal(signal.SIGKILL)
        first.wait(20)
        second = worker_process(folder, service.data_dir)
        try:
            service.eventually(lambda: state_of(service, simulation)["state"] == "DONE", 120)
        finally:
            second.terminate()
            second.wait(20)
    finally:
        first.kill()
    assert state_of(service, simulation)["report"] == expected_report(folder, prepared, "province")
