"""What the kernel takes for all programmes of the shipped packs, over households with facts for all of them."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.comparison.engine import parsed
from benchmarks.comparison.household import random_households
from benchmarks.comparison.sample import SEED
from benchmarks.population.households import ON
from services.eligibility.domain.facts import SCHEMA, read_facts
from services.eligibility.gateways.pack_folder import SHIPPED, read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.eligibility.use_cases.prepare_population import prepare_population
from services.shared.policy.columns.kernel import OPEN
from services.shared.policy.columns.table import rows_to_table

DIFFERENT, REPEATED = 2_000, 50
"""So many different households, each so often: laying them out one by one takes long."""
ROUNDS = 3


def national_pack(kernels: Path) -> dict[str, Any]:
    """CPU seconds a million households from arrays, and from an Arrow table to one; every programme of every place."""
    packs = pack_set_of(read_packs(SHIPPED))
    policy = prepare_population(packs, (), ON, kernels)
    households = list(random_households(SEED, DIFFERENT, ON.isoformat()))
    presumptions = policy.policies[0].book.presumptions
    rows = [read_facts(parsed(household), presumptions) for household in households]
    table = rows_to_table(SCHEMA, rows, [household.region for household in households])
    table = table.take(np.tile(np.arange(DIFFERENT), REPEATED))
    facts, *_ = policy.reader.read(table, policy.place_of)
    book = policy.policies[0].book
    return {
        "programmes": len(book.programmes),
        "rules": len(book.rules),
        "places": len(policy.policies),
        "households": table.num_rows,
        "with_open_facts": round(float((facts.mode == OPEN).mean()), 3),
        "arrays_cpu_s_a_million": _a_million(lambda: policy.kernel.run(facts), table),
        "table_cpu_s_a_million": _a_million(lambda: policy.run(table), table),
    }


def _a_million(step: Any, table: pa.Table) -> float:
    spent = []
    for _ in range(ROUNDS):
        started = time.process_time()
        step()
        spent.append(time.process_time() - started)
    return round(min(spent) * 1_000_000 / table.num_rows, 3)
