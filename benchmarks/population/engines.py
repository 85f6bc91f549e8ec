"""Starts one engine after the other, each in a process of its own, and holds them to the referee and to each other."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison.agreement import Agreement, agreement
from benchmarks.population.answers_file import answers_in
from benchmarks.population.files import Files
from benchmarks.population.sample import Sample

OURS = "ours"
PEERS = ("openfisca", "openfisca_looked_up", "duckdb", "polars")
ENGINES = (OURS, *PEERS)
LARGEST: Mapping[str, int] = {"openfisca_looked_up": 1_000_000}
"""The largest population for an engine that is shown beside a quicker form of itself."""
RUN_SECONDS = 1_800

Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pythons:
    """The interpreters, and the folder that keeps what our engine compiles."""

    peers: Path
    kernels: Path

    def run(self, engine: str, asked: str, folder: Path, rounds: int = 1) -> Found:
        """What `one_engine` prints. Raises CalledProcessError with what it said."""
        python = sys.executable if engine == OURS else str(self.peers)
        argv = [python, "-m", "benchmarks.population.one_engine", engine, asked, str(folder), str(rounds)]
        environment = {**os.environ, "DOUDI_BENCHMARK_KERNELS": str(self.kernels)}
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=RUN_SECONDS, env=environment)
        found: Found = json.loads(done.stdout)
        return found


def held(sample: Sample, engine: str) -> Agreement:
    """An engine's answers to all of the sample against the referee's."""
    households = [household for _, each in sample for household in each]
    answers = [answer for files, _ in sample for answer in answers_in(files.answers(engine))]
    return agreement(households, answers)


def measured(pythons: Pythons, asked: str, files: Files, rows: int, engines: Sequence[str]) -> dict[str, Found]:
    """What each engine took; ends the run where two of them do not come to the same sum."""
    found = {
        engine: pythons.run(engine, asked, files.folder, rounds_of(rows))
        for engine in engines
        if rows <= LARGEST.get(engine, rows)
    }
    sums = {engine: each["result"] for engine, each in found.items()}
    if len({json.dumps(each) for each in sums.values()}) != 1:
        sys.exit(f"engines come to different sums of {rows} households: {sums}")
    return found


def rounds_of(rows: int) -> int:
    """How often a population of a size is computed; the fastest counts."""
    return 1 if rows > 1_000_000 else 3 if rows == 1_000_000 else 5
