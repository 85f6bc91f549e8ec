"""Runs one engine over one population in a process of its own, with whichever Python has it, and prints JSON.

    PYTHON -m benchmarks.population.one_engine ENGINE answers FOLDER
    PYTHON -m benchmarks.population.one_engine ENGINE arrays|reform|parquet FOLDER ROUNDS

ENGINE is ours, openfisca, openfisca_looked_up, duckdb or polars. `answers` writes the outputs of every population of
the folder, each named by its day; the others time one. `arrays` computes what is in memory and keeps all outputs
there, `reform` does so under two sets of figures, `parquet` goes from file to file.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.population.files import Files
from benchmarks.population.place_figures import AS_IT_IS, REFORM

Evaluate = Callable[[Mapping[str, int]], int]
"""Computes everything in memory under the figures with these changed; what all get a month, in fen."""
Loaded = Callable[[Files, str], Evaluate]
Prepared = Callable[[str], Callable[[Files, Path], None]]
"""With the rules of a day loaded: from a population's files to one of outputs."""
Engine = tuple[Loaded, Prepared, str]
KIB_A_MIB = 1024


def main(engine: str, asked: str, folder: Path, rounds: int = 1) -> None:
    """Do what is asked and print it: sums, seconds, peak memory, the package's version."""
    loaded, prepared, version = ENGINES[engine]()
    files = Files(folder)
    if asked == "answers":
        for each in sorted(folder.iterdir()):
            prepared(Files(each).on)(Files(each), Files(each).answers(engine))
        found = {}
    elif asked == "parquet":
        through, target = prepared(files.on), files.answers(engine)
        found = _timed(lambda: through(files, target), rounds)
    else:
        evaluate = loaded(files, files.on)
        sets = (AS_IT_IS, REFORM) if asked == "reform" else (AS_IT_IS,)
        found = _timed(lambda: [evaluate(changed) for changed in sets], rounds)
    print(json.dumps({"version": version, **found, **_whole()}))


def _timed(step: Callable[[], Any], rounds: int) -> dict[str, Any]:
    """The fastest of so many rounds: others' work on the machine can only make one slower."""
    cpu, wall, result = [], [], None
    for _ in range(rounds):
        started, spent = time.perf_counter(), time.process_time()
        result = step()
        cpu.append(time.process_time() - spent)
        wall.append(time.perf_counter() - started)
    return {"result": result, "cpu_s": round(min(cpu), 4), "wall_s": round(min(wall), 4)}


def _whole() -> dict[str, float]:
    """What the whole process took, from its start."""
    # That of `resource` would be the parent's where that was larger.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0])
    return {"process_cpu_s": round(time.process_time(), 2), "peak_rss_mib": round(peak / KIB_A_MIB)}


# --- ours -------------------------------------------------------------------------------------------------------------


def _ours() -> Engine:
    from datetime import date

    from benchmarks.population import engine

    kernels = Path(os.environ["DOUDI_BENCHMARK_KERNELS"])

    def loaded(files: Files, on: str) -> Evaluate:
        policy = engine.eleven_outputs(date.fromisoformat(on), kernels)
        facts = engine.facts_of(policy, files.nested)
        return lambda changed: engine.monthly_total(policy.with_parameters(changed) if changed else policy, facts)

    def prepared(on: str) -> Callable[[Files, Path], None]:
        policy = engine.eleven_outputs(date.fromisoformat(on), kernels)
        return lambda files, target: engine.through(policy, files.nested, target)

    return loaded, prepared, _version("doudi")


# --- peers ------------------------------------------------------------------------------------------------------------


def _openfisca() -> Engine:
    return _openfisca_with(by_text=False)


def _openfisca_looked_up() -> Engine:
    return _openfisca_with(by_text=True)


def _openfisca_with(by_text: bool) -> Engine:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmarks.population import openfisca_arrays as arrays

    def loaded(files: Files, on: str) -> Evaluate:
        given = arrays.inputs(pq.read_table(files.households), pq.read_table(files.members), by_text)
        systems = [(changed, arrays.system_with(changed, on, by_text)) for changed in (AS_IT_IS, REFORM)]

        def evaluate(changed: Mapping[str, int]) -> int:
            system = next(system for of, system in systems if of is changed)
            return int(arrays.calculated(system, on, given)["monthly_total"].sum(dtype="int64"))

        return evaluate

    def prepared(on: str) -> Callable[[Files, Path], None]:
        system = arrays.system_with(AS_IT_IS, on, by_text)

        def through(files: Files, target: Path) -> None:
            households = pq.read_table(files.households)
            outputs = arrays.calculated(system, on, arrays.inputs(households, pq.read_table(files.members), by_text))
            pq.write_table(pa.table({"id": households["id"], **outputs}), target)

        return through

    return loaded, prepared, _version("OpenFisca-Core")


def _duckdb() -> Engine:
    import duckdb

    from benchmarks.population.duckdb_query import places_query, query
    from benchmarks.population.place_figures import national

    def connected(on: str) -> Any:
        connection = duckdb.connect()
        # One thread takes the least CPU time.
        connection.execute("SET threads = 1")
        return connection.execute(f"CREATE TABLE places AS {places_query(on)}")

    def read(file: Path) -> str:
        return f"read_parquet('{file}')"

    def loaded(files: Files, on: str) -> Evaluate:
        connection = connected(on)
        connection.execute(f"CREATE TABLE households AS FROM {read(files.households)}")
        connection.execute(f"CREATE TABLE members AS FROM {read(files.members)}")

        def evaluate(changed: Mapping[str, int]) -> int:
            outputs = connection.execute(query("households", "members", national(on, changed))).fetchnumpy()
            return int(outputs["monthly_total"].sum())

        return evaluate

    def prepared(on: str) -> Callable[[Files, Path], None]:
        connection = connected(on)

        def through(files: Files, target: Path) -> None:
            asked = query(read(files.households), read(files.members), national(on))
            connection.execute(f"COPY ({asked}) TO '{target}' (FORMAT parquet)")

        return through

    return loaded, prepared, duckdb.__version__


def _polars() -> Engine:
    import polars as pl

    from benchmarks.population.place_figures import national
    from benchmarks.population.polars_plan import plan

    def loaded(files: Files, on: str) -> Evaluate:
        households, members = pl.read_parquet(files.households).lazy(), pl.read_parquet(files.members).lazy()

        def evaluate(changed: Mapping[str, int]) -> int:
            outputs = plan(households, members, on, national(on, changed)).collect(engine="streaming")
            return int(outputs["monthly_total"].sum())

        return evaluate

    def prepared(on: str) -> Callable[[Files, Path], None]:
        def through(files: Files, target: Path) -> None:
            asked = plan(pl.scan_parquet(files.households), pl.scan_parquet(files.members), on, national(on))
            asked.sink_parquet(target, compression="snappy", engine="streaming")

        return through

    return loaded, prepared, pl.__version__


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


ENGINES: Mapping[str, Callable[[], Engine]] = {
    "ours": _ours,
    "openfisca": _openfisca,
    "openfisca_looked_up": _openfisca_looked_up,
    "duckdb": _duckdb,
    "polars": _polars,
}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), *map(int, sys.argv[4:]))
