"""The population benchmark: kernel and DuckDB give what the referee gives, from flat files as from nested ones."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.comparison.figures import figures_at
from benchmarks.comparison.referee import determine
from benchmarks.population.engine import eleven_outputs, facts_of, monthly_total, through
from benchmarks.population.engines import held, rounds_of
from benchmarks.population.files import Files
from benchmarks.population.flat_form import households_of
from benchmarks.population.households import ON
from benchmarks.population.one_engine import ENGINES
from benchmarks.population.place_figures import AS_IT_IS, REFORM, national, place_rows
from benchmarks.population.sample import generated_households, write_generated, write_sample
from benchmarks.population.targets import targets

ROOT = Path(__file__).resolve().parents[2]
COMPARED, GENERATED = 180, 400


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("sample"), COMPARED)


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    files = Files(tmp_path_factory.mktemp("generated") / str(ON))
    write_generated(files, GENERATED)
    return files


def test_the_sample_has_every_day_and_a_generated_population(sample):
    days = [files.on for files, _ in sample]

    assert len(set(days)) == 10
    assert days.count(str(ON)) == 2
    assert sum(len(households) for _, households in sample) == 3 * COMPARED


def test_the_kernel_gives_what_the_referee_gives(sample, kernels):
    for files, _ in sample:
        through(eleven_outputs(files.day, kernels), files.nested, files.answers("ours"))

    found = held(sample, "ours")

    assert found.households == 3 * COMPARED
    assert found.is_whole, found


def test_the_query_gives_what_the_referee_gives(sample):
    _, prepared, _ = ENGINES["duckdb"]()
    for files, _ in sample:
        prepared(files.on)(files, files.answers("duckdb"))

    found = held(sample, "duckdb")

    assert found.is_whole, found


def test_a_wrong_fen_in_a_file_is_a_difference(sample, kernels, tmp_path):
    files, households = sample[0]
    through(eleven_outputs(files.day, kernels), files.nested, files.answers("ours"))
    table = pq.read_table(files.answers("ours"))
    at = table.column_names.index("tekun")
    wrong = table["tekun"].to_pylist()
    wrong[3] += 1
    other = Files(tmp_path / files.on)
    other.folder.mkdir()
    pq.write_table(table.set_column(at, "tekun", [wrong]), other.answers("ours"))

    found = held([(other, households)], "ours")

    assert (found.differing, found.outputs) == (1, {"tekun": 1})


def test_flat_rows_say_the_same_of_a_household(sample):
    for files, households in sample:
        flat = households_of(pq.read_table(files.households), pq.read_table(files.members), files.day)

        for before, after in zip(households, flat, strict=True):
            assert determine(after, after.figures) == determine(before, before.figures)


@pytest.mark.parametrize("changed", [AS_IT_IS, REFORM])
def test_a_reform_pays_what_the_referee_pays_under_its_figures(generated, kernels, changed):
    policy = eleven_outputs(ON, kernels)
    households = generated_households(generated)

    paid = monthly_total(policy.with_parameters(changed), facts_of(policy, generated.nested))

    assert paid == sum(
        determine(household, replace(household.figures, **changed)).monthly_total for household in households
    )


def test_a_reform_changes_what_is_paid(generated, kernels):
    policy = eleven_outputs(ON, kernels)
    facts = facts_of(policy, generated.nested)

    assert monthly_total(policy.with_parameters(REFORM), facts) > monthly_total(policy, facts)


@pytest.mark.parametrize(("on", "rate"), [("2024-12-31", 2_000), ("2025-01-01", 3_000)])
def test_peers_take_the_figures_of_the_day(on, rate):
    rows = place_rows(on)
    region, area, *figures = rows[-1]
    here = figures_at(region, area, on)

    assert len(rows) == 100
    assert figures == [here.standard, here.minimum_wage, here.median_income]
    assert national(on)["work_cost_rate"] == rate
    assert national(on, REFORM) == national(on) | REFORM


def test_a_reform_changes_figures_that_are_there():
    assert set(REFORM) < set(national(str(ON)))
    assert all(national(str(ON))[name] != value for name, value in REFORM.items())


@pytest.mark.parametrize(("rows", "rounds"), [(10_000, 5), (999_999, 5), (1_000_000, 3), (1_000_001, 1)])
def test_large_populations_are_computed_less_often(rows, rounds):
    assert rounds_of(rows) == rounds


def test_targets_are_told_for_what_was_measured():
    taken = {"cpu_s": 1.5, "process_cpu_s": 12.5, "peak_rss_mib": 900}
    growth = {"arrays": {1_000_000: {"ours": taken}}, "parquet": {10_000_000: {"ours": taken}}}
    way = {"process_cpu_s": 9, "wall_s": 8.0, "peak_rss_mib": 500, "sha256": "a"}
    screen = {10_000_000: {"one process": way, "two processes": way | {"wall_s": 4.0, "sha256": "b"}}}

    found = targets({"growth": growth, "screen": screen, "reform": {"ours": {"cpu_s": 0.7}}})

    assert found["a reform of a million, CPU s"] == {"found": 0.7, "at_most": 1}
    assert found["a million from arrays, CPU s"] == {"found": 1.5, "at_most": 0.2}
    assert found["ten million Parquet to Parquet, peak MiB"] == {"found": 900, "at_most": 1_536}
    assert found["10000000 by two processes, times one process"] == {"found": 2.0, "at_least": 1.7, "same_bytes": False}


def test_without_the_peers_the_run_says_so_in_one_line(tmp_path):
    argv = [sys.executable, "-m", "benchmarks.population", "--peers-python", str(tmp_path / "python")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "the peers' environment is missing" in line


@pytest.mark.parametrize("pin", ["duckdb==2.0.1", "polars==2.1.0", "pyarrow==26.0.1", "matplotlib==3.11.2"])
def test_the_peers_lock_pins_what_populations_need(pin):
    assert pin in (ROOT / "requirements-benchmark-peers.lock").read_text(encoding="utf-8")
    assert "matplotlib" not in (ROOT / "requirements-population.lock").read_text(encoding="utf-8")
