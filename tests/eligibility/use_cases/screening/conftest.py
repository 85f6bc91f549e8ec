"""The packs of the comparison, compiled once for all tests of screening, and a population of them."""

from pathlib import Path

import pytest

from benchmarks.comparison.pack_files import write_packs
from benchmarks.population.households import write_population
from tests.eligibility.use_cases.screening.populations import GROUP_ROWS

ROWS = 7_300


@pytest.fixture(scope="session")
def policy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `packs` and, as soon as something was screened, `kernels`."""
    folder = tmp_path_factory.mktemp("policy")
    write_packs(folder / "packs")
    return folder


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight parts of households, the last of them short."""
    file = tmp_path_factory.mktemp("population") / "households.parquet"
    write_population(file, ROWS, seed=4, group_rows=GROUP_ROWS)
    return file
