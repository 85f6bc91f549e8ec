"""The comparison policy: the pack is the referee's equal at thresholds, and the run says what is missing."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.comparison.agreement import agreement
from benchmarks.comparison.engine import comparison_packs, outputs
from benchmarks.comparison.figures import NATIONAL, REGIONS
from benchmarks.comparison.household import threshold_households
from benchmarks.comparison.referee import Outputs, determine
from benchmarks.comparison.sample import SEED, timed

ROOT = Path(__file__).resolve().parents[2]
THRESHOLD_HOUSEHOLDS = 360


@pytest.fixture(scope="module")
def packs():
    return comparison_packs()


@pytest.fixture(scope="module")
def households():
    return list(threshold_households(SEED, THRESHOLD_HOUSEHOLDS))


def test_the_pack_gives_what_the_referee_gives(packs, households):
    found = agreement(households, (outputs(packs, household) for household in households))

    assert found.households == THRESHOLD_HOUSEHOLDS
    assert found.is_whole, found


@pytest.mark.parametrize("name", Outputs._fields)
def test_the_households_at_thresholds_lie_on_both_sides_of_every_output(households, name):
    found = {getattr(determine(household, household.figures), name) > 0 for household in households}

    assert found == {True, False}


def test_one_fen_is_a_difference(households):
    answers = [list(determine(household, household.figures)) for household in households]
    answers[7][4] += 1

    found = agreement(households, answers)

    assert (found.differing, found.outputs) == (1, {"dibao": 1})
    assert found.example["found_fen"] == found.example["right_fen"] + 1


def test_a_fen_below_the_standard_is_dibao_and_the_standard_is_not(packs):
    household = next(
        household
        for household in threshold_households(SEED, THRESHOLD_HOUSEHOLDS)
        if outputs(packs, household).dibao == household.figures.dibao_floor
    )
    poor = replace(household, financial=0, cars=0, homes=0, company_capital=0, no_supporter=False)
    head, *others = poor.members
    bare = [replace(one, wage=0, business=0, property=0, transfer=0, work_ability="none") for one in (head, *others)]
    line = poor.figures.standard * len(bare)

    at, below = (
        outputs(packs, replace(poor, members=(replace(bare[0], property=income), *bare[1:])))
        for income in (line, line - 1)
    )

    assert (at.dibao, at.margin) == (0, 1)
    assert (below.dibao, below.margin) == (poor.figures.dibao_floor, 0)


def test_the_policy_has_the_size_that_is_told():
    changing = [name for name, (_, dated) in NATIONAL.items() if len(dated) > 1]

    assert (len(REGIONS), len(set(REGIONS)), len(NATIONAL), len(changing)) == (50, 50, 18, 2)
    assert len(Outputs._fields) == 11
    assert {len(household.members) for household in timed()} == {1, 2, 3, 4, 5, 6}


def test_without_the_peers_the_run_says_so_in_one_line(tmp_path):
    argv = [sys.executable, "-m", "benchmarks.comparison", "--peers-python", str(tmp_path / "python")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "the peers' environment is missing" in line


def test_the_peers_lock_pins_each_by_hash_and_names_no_index():
    lock = (ROOT / "requirements-benchmark-peers.lock").read_text(encoding="utf-8")

    assert "openfisca-core==46.0.1" in lock
    assert "zen-engine==2.1.3" in lock
    assert "://" not in lock
    pins = [line for line in lock.splitlines() if line[:1].isalnum()]
    assert all(line.endswith("\\") for line in pins), "a pin is followed by its hashes"
