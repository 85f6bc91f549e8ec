"""Holds every engine to the referee and then times it, all in one run.

    python -m benchmarks.comparison --smoke
    python -m benchmarks.comparison [--peers-python PATH] [--rounds N] [--share 0.1] [--json]

The smoke form needs no peers and asserts no time: the pack must equal the referee. The whole form needs the peers'
environment; README.md says how it is made. It ends with an error when any engine that should be exact differs.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.comparison.agreement import Agreement, agreement
from benchmarks.comparison.sample import COMPARED, SMOKE_COMPARED, compared, timed
from benchmarks.machine import machine

PEERS_PYTHON = Path(".venv-peers/bin/python")
ROUNDS = 30
PEER_ROUNDS = 6
"""Of those that take milliseconds."""
PEERS = ("openfisca", "openfisca_yuan", "zen")
EXACT = ("ours", "openfisca", "zen")
FEWEST_TIMES_TRACE, MOST_CPU_MS = 20, 0.3
MOST_VALUES, MOST_SENTENCES = 6.0, 30.0


def main() -> int:
    """Run what was asked for; 0 when nothing that should agree differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="only that the pack equals the referee")
    parser.add_argument("--peers-python", type=Path, default=PEERS_PYTHON, help="the Python that has the peers")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each household is timed")
    parser.add_argument("--share", type=float, default=1, help="of the requests over HTTP, for a quick look")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.smoke:
        return _smoke()
    if not arguments.peers_python.is_file():
        print(
            f"缺少同类软件的环境：{arguments.peers_python}；建立方法见 benchmarks/comparison/README.md / "
            f"the peers' environment is missing: {arguments.peers_python}; benchmarks/comparison/README.md makes it",
            file=sys.stderr,
        )
        return 1
    report = _report(arguments.peers_python.absolute(), arguments.rounds, arguments.share)
    print(json.dumps(report, indent=1) if arguments.json else _told(report))
    return 0


def _smoke() -> int:
    from benchmarks.comparison.one_household import answers_of_ours

    found = agreement(compared(SMOKE_COMPARED), answers_of_ours(SMOKE_COMPARED))
    print(f"{found.households} households, {found.differing} differ from the referee")
    return 0 if found.is_whole else 1


def _report(python: Path, rounds: int, share: float) -> dict[str, Any]:
    from benchmarks.comparison.one_household import ours, plain_python
    from benchmarks.comparison.over_http import over_http

    load = [round(average, 1) for average in os.getloadavg()]
    agreements, versions = _held(python)
    times = {name: _peer(python, name, "times", rounds if name == "zen" else PEER_ROUNDS)["times"] for name in PEERS}
    microseconds = {"ours": ours(rounds), "plain Python": plain_python(rounds), **times}
    http = over_http(python, share)
    return {
        "machine": machine(),
        "load_average_before": load,
        "versions": versions,
        "members": sorted(len(household.members) for household in timed()),
        "agreement": {name: asdict(found) for name, found in agreements.items()},
        "one_household_microseconds": microseconds,
        "http": http,
        "targets": _targets(microseconds, http),
    }


def _held(python: Path) -> tuple[dict[str, Agreement], dict[str, str]]:
    """Every engine against the referee, and the peers' versions; ends the run when one that is exact differs."""
    from benchmarks.comparison.one_household import answers_of_ours

    peers = {name: _peer(python, name, "answers", COMPARED) for name in PEERS}
    answers = {"ours": answers_of_ours(COMPARED), **{name: found["answers"] for name, found in peers.items()}}
    agreements = {name: agreement(compared(), given) for name, given in answers.items()}
    for name in EXACT:
        if not agreements[name].is_whole:
            sys.exit(f"{name} differs from the referee, so nothing is timed: {asdict(agreements[name])}")
    return agreements, {name: found["version"] for name, found in peers.items()}


def _peer(python: Path, engine: str, asked: str, number: int) -> dict[str, Any]:
    from benchmarks.comparison.one_household import peer

    try:
        return peer(python, engine, asked, number)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{engine} cannot be run: {error.stderr.strip().splitlines()[-1]}")


def _targets(microseconds: dict[str, Any], http: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    by_call = {row["call"]: row for row in http}
    simulations, trace = by_call["ours POST …/simulations"], by_call["OpenFisca POST /trace"]
    values, said = (microseconds["ours"][name]["p50"] for name in ("values", "values and sentences"))
    times = round(simulations["requests_per_second"] / trace["requests_per_second"], 1)
    return {
        "values, p50 µs": {"found": values, "at_most": MOST_VALUES},
        "values and sentences, p50 µs": {"found": said, "at_most": MOST_SENTENCES},
        "requests/s of simulations, times /trace": {"found": times, "at_least": FEWEST_TIMES_TRACE},
        # Steadier than requests a second where others use the cores.
        "CPU ms of /trace, times a simulation's": {
            "found": round(trace["cpu_ms"] / simulations["cpu_ms"], 1),
            "at_least": FEWEST_TIMES_TRACE,
        },
        "CPU ms a simulation": {"found": simulations["cpu_ms"], "at_most": MOST_CPU_MS},
    }


def _told(report: dict[str, Any]) -> str:
    return "\n".join(_lines(report))


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [
        " · ".join(report["machine"].values()),
        f"load average before: {report['load_average_before']}",
        "",
        "| held to the referee | households | differ |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {it['households']} | {it['differing']} |" for name, it in report["agreement"].items()]
    lines += ["", "| one household | p50 µs | of CPU time | undisturbed |", "|---|---|---|---|"]
    for engine, steps in report["one_household_microseconds"].items():
        lines += [
            f"| {engine}: {step} | {taken['p50']} | {taken['cpu_p50']} | {taken['undisturbed']} |"
            for step, taken in steps.items()
        ]
    lines += ["", "| over HTTP | requests/s | p50 ms | CPU ms a request |", "|---|---|---|---|"]
    lines += [
        f"| {row['call']} | {row['requests_per_second']} | {row['p50_ms']} | {row['cpu_ms']} |"
        for row in report["http"]
    ]
    return [*lines, "", *(f"{name}: {values}" for name, values in report["targets"].items())]


if __name__ == "__main__":
    sys.exit(main())
