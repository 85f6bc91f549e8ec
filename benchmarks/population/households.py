"""Makes populations of the comparison policy as Parquet files: made-up households by the million, in columns.

    python -m benchmarks.population.households OUT.parquet 1000000 [SEED]

Their spread is that of `benchmarks.comparison.household`: some are poor, some not, few have everything at once.
"""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.comparison.figures import AREAS, REGIONS
from benchmarks.comparison.household import EMERGENCIES, WORK_ABILITIES
from services.shared.policy.columns.table import MONEY_UNIT

ON = date(2026, 9, 15)
"""The day on which ages are those that were drawn."""
ROW_GROUP_ROWS = 2**18
SIZES = (1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6)

Array = np.ndarray[Any, Any]


def write_population(path: Path, rows: int, seed: int = 0, group_rows: int = ROW_GROUP_ROWS) -> None:
    """Write so many households in row groups of so many; the same numbers give the same file."""
    blocks = population(rows, seed, group_rows)
    first = next(blocks)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for block in blocks:
            writer.write_table(block)


def population(rows: int, seed: int = 0, group_rows: int = ROW_GROUP_ROWS) -> Iterator[pa.Table]:
    """The households of `write_population`, a row group at a time."""
    for number, first in enumerate(range(0, rows, group_rows)):
        yield _households(np.random.default_rng((seed, number)), first, min(group_rows, rows - first))


def _households(random: np.random.Generator, first: int, count: int) -> pa.Table:
    sizes = random.choice(np.array(SIZES), count)
    capital = _often_nothing(random, 0.9, 20_000_000, count)
    cars = random.choice(np.array((0, 0, 0, 0, 0, 1, 1, 2)), count)
    emergencies = _coded(random.choice(len(EMERGENCIES) + 3, count) % len(EMERGENCIES), EMERGENCIES)
    columns = {
        "id": pa.array(np.arange(first, first + count)),
        "region": _coded(random.choice(len(REGIONS), count), REGIONS),
        "area_type": _coded(random.choice(len(AREAS), count), AREAS),
        "financial": pa.array(_often_nothing(random, 0.3, 8_000_000, count)),
        "homes": pa.array(random.choice(np.array((0, 1, 1, 1, 1, 1, 2, 3)), count).astype(np.int32)),
        "spending_medical": pa.array(_often_nothing(random, 0.4, 4_000_000, count)),
        "spending_education": pa.array(_often_nothing(random, 0.6, 2_000_000, count)),
        "members": _lists(sizes, _members(random, sizes)),
        "vehicles": _lists(cars, {"kind": _coded(np.zeros(cars.sum(), np.int8), ("car",))}),
        "businesses": _lists(capital > 0, {"registered_capital": pa.array(capital[capital > 0])}),
        "events": _events(emergencies),
    }
    return pa.table(columns, metadata=MONEY_UNIT)


def _events(emergencies: pa.DictionaryArray) -> pa.ListArray:
    happened = emergencies.indices.to_numpy() != EMERGENCIES.index("none")
    kinds = emergencies.filter(pa.array(happened))
    return _lists(happened, {"kind": kinds})


def _members(random: np.random.Generator, sizes: Array) -> dict[str, pa.Array]:
    count = int(sizes.sum())
    ages = np.choose(
        random.integers(0, 4, count),
        [random.integers(*span, count) for span in ((0, 18), (18, 60), (18, 60), (60, 95))],
    )
    is_student = (ages >= 6) & (ages < 25) & (random.random(count) < 0.7)
    works = (ages >= 16) & (ages < 75) & ~is_student & (random.random(count) < 0.45)
    disability = np.maximum(random.integers(-12, 7, count), 0)
    grade = np.where(disability > 0, random.integers(1, 5, count), 0)
    is_first = np.zeros(count, np.bool_)
    is_first[np.concatenate(([0], np.cumsum(sizes)[:-1]))] = True
    has_supporter = is_first & (random.random(count) >= 0.3)
    return {
        "birth_date": _born(ages, random.integers(0, 365, count)),
        "disability_grade": pa.array(grade.astype(np.int32)),
        "grade_intellectual": pa.array(np.where(disability == 5, grade, 0).astype(np.int32)),
        "grade_mental": pa.array(np.where(disability == 6, grade, 0).astype(np.int32)),
        "work_ability": _coded(np.maximum(random.integers(-2, 3, count), 0), WORK_ABILITIES),
        "student_full_time": pa.array(is_student),
        "self_care_failures": pa.array(np.maximum(random.integers(-3, 7, count), 0).astype(np.int32)),
        "income_wage": pa.array(np.where(works, random.integers(20_000, 420_000, count), 0)),
        "income_business": pa.array(_often_nothing(random, 0.9, 300_000, count)),
        "income_property": pa.array(_often_nothing(random, 0.85, 60_000, count)),
        "income_transfer": pa.array(_often_nothing(random, 0.7, 90_000, count)),
        "income_special_care": pa.array(_often_nothing(random, 0.8, 60_000, count)),
        "supporters": _lists(has_supporter, {"in_household": pa.array(np.zeros(has_supporter.sum(), np.bool_))}),
    }


def _born(ages: Array, days_after: Array) -> pa.Array:
    """Birth dates of people who turned their age within the year before ON."""
    years = (np.datetime64(ON, "Y") - ages).astype("M8[M]") + (ON.month - 1)
    return pa.array((years.astype("M8[D]") + (ON.day - 1) - days_after).astype("M8[D]"), pa.date32())


def _often_nothing(random: np.random.Generator, share: float, most: int, count: int) -> Array:
    return np.where(random.random(count) < share, 0, random.integers(1, most, count))


def _coded(numbers: Array, codes: tuple[str, ...]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int8)), pa.array(codes))


def _lists(lengths: Array, columns: dict[str, pa.Array]) -> pa.ListArray:
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.StructArray.from_arrays(list(columns.values()), list(columns))
    )


if __name__ == "__main__":
    write_population(Path(sys.argv[1]), int(sys.argv[2]), *map(int, sys.argv[3:4]))
