"""Packs written to harm are refused by name, in bounded time and memory; large harmless ones are read in it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared.policy.hostile_packs import HARMLESS, HOSTILE

HOUSE = Path(__file__).parents[3]
WATCHDOG_SECONDS = 600
MOST_CPU_SECONDS = 15
"""A second is enough for each on an idle machine."""


@pytest.fixture(scope="module")
def outcomes():
    """How each went, from one process that tries them all, each in a child with bounds."""
    command = [sys.executable, "-m", "tests.shared.policy.hostile_packs"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=WATCHDOG_SECONDS, cwd=HOUSE, check=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pack_is_refused_in_bounded_time_and_memory(outcomes, name):
    assert outcomes[name]["outcome"].startswith("refused: "), outcomes[name]
    assert outcomes[name]["seconds"] < MOST_CPU_SECONDS


@pytest.mark.parametrize("name", HOSTILE)
def test_the_refusal_names_the_pack_and_echoes_no_flood(outcomes, name):
    said = outcomes[name]["outcome"].removeprefix("refused: ")
    assert said.startswith(("cn: ", "?: "))
    assert len(said) < 600


@pytest.mark.parametrize("name", HARMLESS)
def test_a_large_pack_is_checked_in_bounded_time_and_memory(outcomes, name):
    assert outcomes[name]["outcome"].startswith(("accepted", "refused: ")), outcomes[name]
    assert outcomes[name]["seconds"] < MOST_CPU_SECONDS
