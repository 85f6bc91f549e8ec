"""What was aimed at for whole populations, beside what was found."""

from typing import Any

ARRAYS_CPU_S, PARQUET_CPU_S, PARQUET_MIB, REFORM_CPU_S = 0.2, 12, 1_536, 1
TWO_PROCESSES, TWO_SPARK_WORKERS = 1.7, 1.6
MILLION, TEN_MILLION = 1_000_000, 10_000_000

Target = dict[str, Any]


def targets(report: dict[str, Any]) -> dict[str, Target]:
    """Each target for which the run has a figure."""
    growth, found = report.get("growth", {"arrays": {}, "parquet": {}}), dict[str, Target]()
    if "reform" in report:
        found["a reform of a million, CPU s"] = _at_most(report["reform"]["ours"]["cpu_s"], REFORM_CPU_S)
    if MILLION in growth["arrays"]:
        taken = growth["arrays"][MILLION]
        found["a million from arrays, CPU s"] = _at_most(taken["ours"]["cpu_s"], ARRAYS_CPU_S)
    if TEN_MILLION in growth["parquet"]:
        taken = growth["parquet"][TEN_MILLION]["ours"]
        found["ten million Parquet to Parquet, whole process, CPU s"] = _at_most(taken["process_cpu_s"], PARQUET_CPU_S)
        found["ten million Parquet to Parquet, peak MiB"] = _at_most(taken["peak_rss_mib"], PARQUET_MIB)
    for rows, ways in report.get("screen", {}).items():
        found |= _screened(rows, ways)
    return found


def _screened(rows: int, ways: dict[str, Any]) -> dict[str, Target]:
    found = {}
    if rows == TEN_MILLION:
        alone = ways["one process"]
        found["ten million by doudi screen, CPU s"] = _at_most(alone["process_cpu_s"], PARQUET_CPU_S)
        found["ten million by doudi screen, peak MiB"] = _at_most(alone["peak_rss_mib"], PARQUET_MIB)
    wall = {name: taken["wall_s"] for name, taken in ways.items()}
    is_same = len({taken["sha256"] for taken in ways.values()}) == 1
    for one, two, least in (
        ("one process", "two processes", TWO_PROCESSES),
        ("one Spark worker", "two Spark workers", TWO_SPARK_WORKERS),
    ):
        if one in wall and two in wall:
            times = round(wall[one] / wall[two], 2)
            found[f"{rows} by {two}, times {one}"] = {"found": times, "at_least": least, "same_bytes": is_same}
    return found


def _at_most(found: float, limit: float) -> Target:
    return {"found": found, "at_most": limit}
