"""Compares kernel, SQL and scalar engine over as many households as named, at thresholds and with unknown facts.

python -m tests.eligibility.population 100000
"""

import sys
import tempfile
import time
from datetime import date
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from services.eligibility.use_cases.prepare_population import prepare_population
from tests.eligibility.population.agreement import compare, compare_sql, with_real_days
from tests.eligibility.proof.population import population
from tests.eligibility.proof.worlds import DATES, shipped

AT_A_TIME = 10_000
SHOWN = 10


def main(count: int, folder: Path) -> int:
    """Prints what was compared on each date; the number of values that differ."""
    return sum(_compared(on, count // len(DATES), folder) for on in DATES)


def _compared(on: date, count: int, folder: Path) -> int:
    packs = shipped()
    policy = prepare_population(packs, [], on, folder, presume=False)
    places = cycle(pack.jurisdiction for pack in packs.packs if pack.jurisdiction != "cn")
    values, by_sql, differing, started = 0, 0, 0, time.process_time()
    cases_left = population(on, count)
    while cases := list(islice(cases_left, AT_A_TIME)):
        households = [(next(places), with_real_days(case.row)) for case in cases]
        found = compare(policy, households, partial(packs.prepare, as_of=on))
        more, columns = compare_sql(policy, households)
        values, by_sql, differing = (
            values + found.values,
            by_sql + more,
            differing + len(found.differing) + len(columns),
        )
        print(*found.differing[:SHOWN], *columns, sep="\n", end="", flush=True)
    spent = time.process_time() - started
    print(f"{on}: {count} households, {values} values of one household at a time and {by_sql} of the SQL; ", end="")
    print(f"{differing} differ; {spent:.0f} s of CPU", flush=True)
    return differing


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.exit(min(main(int(sys.argv[1]), Path(made)), 1))
