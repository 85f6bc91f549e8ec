"""Runs the printed SQL in DuckDB, over the same facts as the kernel."""

from collections.abc import Mapping

import duckdb
import numpy as np
import pyarrow as pa

from services.shared.policy.columns.kernel import OPEN, Facts
from services.shared.policy.columns.place_values import place_table
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.columns.sql_printing import FIGURES


def results_by_sql(policy: PopulationPolicy, facts: Facts, threads: int = 1) -> Mapping[str, pa.Table]:
    """For each entity with results, a table of their columns, the rows in the facts' order."""
    with duckdb.connect(config={"threads": threads}) as connection:
        for name, table in _tables(policy, facts).items():
            connection.from_arrow(table).create(name)
        for statement in policy.sql():
            connection.execute(statement)
        entities = {column.entity for column in policy.program.columns}
        return {entity: connection.table(f"{entity}_result").order("row").to_arrow_table() for entity in entities}


def _tables(policy: PopulationPolicy, facts: Facts) -> dict[str, pa.Table]:
    program, plan = policy.program, policy.program.forms[OPEN].plan
    figures = place_table(plan, program.places, policy.policies)
    columns = {f"v{number}": figures[:, at] for at, number in enumerate(plan.of_places)}
    found = {FIGURES: pa.table({"at": np.arange(len(policy.policies)), **columns})}
    for entity in program.schema.entities:
        up = facts.place if entity.parent is None else _parents(facts.begins[entity.name])
        untold = facts.untold.get(entity.name, np.zeros(len(up), np.bool_))
        told = {}
        for (of, position), cell in program.layout.cells.items():
            if of == entity.name:
                values = facts.facts[of, cell.width][cell.row]
                told[entity.facts[position].name] = pa.array(values, mask=values == cell.unknown)
        found[entity.name] = pa.table({"row": np.arange(len(up)), "up": up, "untold": untold, **told})
    return found


def _parents(begins: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return np.repeat(np.arange(len(begins) - 1), np.diff(begins))
