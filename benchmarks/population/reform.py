"""What a reform over a million households costs on two parameter sets of the comparison policy, once it is loaded."""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.comparison.engine import comparison_packs
from benchmarks.comparison.figures import REGIONS
from benchmarks.population.households import ON, population
from services.eligibility.use_cases.prepare_population import prepare_population
from services.eligibility.use_cases.simulate_reform import Reform, simulate_reform
from services.eligibility.use_cases.simulating.outcomes import OBSERVED
from services.eligibility.use_cases.simulating.overlay import Figure, with_figures

ROWS, BLOCK_ROWS, ROUNDS = 1_000_000, 2**16, 3
FIGURES = (Figure("standard", "900.00"), Figure("margin_multiplier", "1.60"))


def reform(kernels: Path, rows: int = ROWS) -> dict[str, Any]:
    """CPU seconds of both policies, the comparison and the list of losers, from Arrow tables in memory."""
    before = prepare_population(comparison_packs(), REGIONS, ON, kernels, observed=OBSERVED)
    tried = Reform(before, with_figures(before, FIGURES))
    tables = [pa.concat_tables([table]).combine_chunks() for table in population(rows)]
    blocks = [table.slice(first, BLOCK_ROWS) for table in tables for first in range(0, table.num_rows, BLOCK_ROWS)]
    reading = _least(lambda: [before.reader.read(block, before.place_of) for block in blocks])
    firsts = range(0, rows, BLOCK_ROWS)
    found = simulate_reform(tried, zip(firsts, blocks, strict=False), "province", lambda _: None)
    whole = _least(lambda: simulate_reform(tried, zip(firsts, blocks, strict=False), "province", lambda _: None))
    return {
        "households_changed": sum(found.total[f"households_{name}"] for name in ("gained", "lost", "more", "less")),
        "losers": found.losers,
        "households": rows,
        "figures": [figure.parameter for figure in FIGURES],
        "tables_cpu_s": whole,
        "of_which_reading_cpu_s": reading,
        "after_loading_cpu_s": round(whole - reading, 3),
    }


def _least(step: Any) -> float:
    spent = []
    for _ in range(ROUNDS):
        started = time.process_time()
        step()
        spent.append(time.process_time() - started)
    return round(min(spent), 3)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(reform(Path(folder)), indent=1) + "\n")
