"""Holds every engine to the referee over populations, and then times them side by side, all in one run.

    python -m benchmarks.population --smoke
    python -m benchmarks.population [--peers-python PATH] [--sizes 10000,100000,1000000,10000000] [--data FOLDER]
        [--spark-python PATH] [--results FOLDER]

The smoke form needs no peers and asserts no time: the kernel must equal the referee. The whole form needs the peers'
environment (benchmarks/comparison/README.md). It ends with an error when any engine differs by a fen.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.comparison.sample import COMPARED, SMOKE_COMPARED
from benchmarks.machine import machine
from benchmarks.population.engine import eleven_outputs, through
from benchmarks.population.engines import ENGINES, OURS, Found, Pythons, held, measured
from benchmarks.population.files import Files
from benchmarks.population.households import ON
from benchmarks.population.national_pack import national_pack
from benchmarks.population.sample import generated_households, write_generated, write_sample
from benchmarks.population.screening import screened
from benchmarks.population.targets import targets

PEERS_PYTHON = Path(".venv-peers/bin/python")
RESULTS = Path(__file__).resolve().parents[1] / "results"
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
RESULT, PLOT = "population.json", "population.svg"
PLOT_SECONDS = 120
SMOKE_ROWS = 10_000
REFORM_ROWS = 1_000_000


def main() -> int:
    """Run what was asked for; 0 when nothing differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="only that the kernel equals the referee")
    parser.add_argument("--peers-python", type=Path, default=PEERS_PYTHON, help="the Python that has the peers")
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="households of each population")
    parser.add_argument("--data", type=Path, help="keeps the populations for the next run")
    parser.add_argument("--spark-python", type=Path, help="the Python that has PySpark, for doudi screen on Spark too")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the figures and the plot go")
    arguments = parser.parse_args()
    if not arguments.smoke and not arguments.peers_python.is_file():
        print(
            f"缺少同类软件的环境：{arguments.peers_python}；建立方法见 benchmarks/comparison/README.md / "
            f"the peers' environment is missing: {arguments.peers_python}; benchmarks/comparison/README.md makes it",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory() as made:
        scratch = Path(made)
        if arguments.smoke:
            return _smoke(scratch)
        pythons = Pythons(arguments.peers_python.absolute(), (arguments.data or scratch) / "kernels")
        parts = _parts(pythons, arguments.data or scratch, scratch, arguments.sizes, arguments.spark_python)
        report: Found = {}
        for part in parts:
            report |= part
            _write(report, arguments.results)
    _draw(pythons, arguments.results)
    for name, values in report["targets"].items():
        print(f"{name}: {values}")
    return 0


def _sizes(written: str) -> tuple[int, ...]:
    return tuple(int(size) for size in written.split(","))


def _smoke(scratch: Path) -> int:
    """The kernel against the referee, over a sample of every day and a whole generated population."""
    sample = write_sample(scratch / "sample", SMOKE_COMPARED)
    files = Files(scratch / f"{ON}-{SMOKE_ROWS}")
    write_generated(files, SMOKE_ROWS)
    sample = [*sample, (files, generated_households(files))]
    for each, _ in sample:
        through(eleven_outputs(each.day, scratch / "kernels"), each.nested, each.answers(OURS))
    found = held(sample, OURS)
    print(f"{found.households} households, {found.differing} differ from the referee")
    return 0 if found.is_whole else 1


def _parts(
    pythons: Pythons, data: Path, scratch: Path, sizes: tuple[int, ...], spark: Path | None
) -> Iterator[dict[str, Any]]:
    """The report, a part after the other, so that what is measured is not lost when the run is ended."""
    populations = {rows: _population(data, rows) for rows in (REFORM_ROWS, *sizes)}
    yield {"machine": machine(), "load_average_before": _load()}
    yield _held(pythons, scratch / "sample")
    yield {"reform": measured(pythons, "reform", populations[REFORM_ROWS], REFORM_ROWS, ENGINES)}
    yield {"national_pack": national_pack(pythons.kernels)}
    yield {"screen": {max(sizes): screened(populations[max(sizes)], pythons.kernels, spark)}}
    growth: dict[str, dict[int, Found]] = {"arrays": {}, "parquet": {}}
    for rows in sizes:
        for asked in ("parquet", "arrays"):
            _tell(f"{asked}, {rows} households")
            growth[asked][rows] = measured(pythons, asked, populations[rows], rows, ENGINES)
            yield {"growth": growth, "load_average_after": _load()}


def _load() -> list[float]:
    return [round(average, 1) for average in os.getloadavg()]


def _population(data: Path, rows: int) -> Files:
    """The population of a size, made unless it is there."""
    files = Files(data / f"{ON}-{rows}")
    if not files.folder.exists():
        _tell(f"making {rows} households")
        write_generated(files, rows)
    return files


def _held(pythons: Pythons, folder: Path) -> dict[str, Any]:
    """Every engine against the referee, and their versions; ends the run when one differs."""
    sample = write_sample(folder, COMPARED)
    versions = {engine: pythons.run(engine, "answers", folder)["version"] for engine in ENGINES}
    agreements = {engine: held(sample, engine) for engine in ENGINES}
    for engine, found in agreements.items():
        if not found.is_whole:
            sys.exit(f"{engine} differs from the referee, so nothing is timed: {asdict(found)}")
    return {"versions": versions, "agreement": {name: asdict(found) for name, found in agreements.items()}}


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _write(report: Found, folder: Path) -> None:
    """The figures so far, and what was aimed at, as JSON."""
    report["targets"] = targets(report)
    (folder / RESULT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _draw(pythons: Pythons, folder: Path) -> None:
    argv = [str(pythons.peers), "-m", "benchmarks.population.plot", str(folder / RESULT), str(folder / PLOT)]
    subprocess.run(argv, check=True, timeout=PLOT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
