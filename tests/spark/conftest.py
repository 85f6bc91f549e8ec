"""A population, its packs, and what one process makes of it: what a cluster must equal byte for byte."""

from pathlib import Path

import pytest

from benchmarks.comparison.pack_files import write_packs
from benchmarks.population.households import write_population
from tests.eligibility.use_cases.screening.populations import GROUP_ROWS, screened, wanted

ROWS = 20_200


@pytest.fixture(scope="session")
def policy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `packs` and `kernels`."""
    folder = tmp_path_factory.mktemp("policy")
    write_packs(folder / "packs")
    return folder


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-one parts of households."""
    file = tmp_path_factory.mktemp("population") / "households.parquet"
    write_population(file, ROWS, seed=4, group_rows=GROUP_ROWS)
    return file


@pytest.fixture(scope="session")
def whole(policy_folder: Path, population: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one process of this machine."""
    target = tmp_path_factory.mktemp("whole") / "out.parquet"
    screened(wanted(policy_folder, population, target))
    return target
