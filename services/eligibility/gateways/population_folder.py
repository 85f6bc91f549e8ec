"""Finds the populations that the operator registered: Parquet files of one folder, called by their stems."""

import hashlib
from pathlib import Path

from services.eligibility.domain.population_simulation import POPULATION_NAME, NoPopulations, PopulationUnknown

SUFFIX = ".parquet"
FOOTER_BYTES = 65_536
"""Of the end of a file, where Parquet says what lies where: a file written anew has another end."""
MOST_LISTED = 100


def find_population(folder: Path | None, name: str) -> Path:
    """The file of a registered population. Raises NoPopulations and PopulationUnknown."""
    if folder is None or not folder.is_dir():
        raise NoPopulations
    path = folder / f"{name}{SUFFIX}"
    if POPULATION_NAME.fullmatch(name) is None or not path.is_file():
        raise PopulationUnknown(", ".join(list_populations(folder)) or "-")
    return path


def list_populations(folder: Path) -> list[str]:
    """The names of the registered populations, at most MOST_LISTED."""
    stems = sorted(path.stem for path in folder.glob(f"*{SUFFIX}") if path.is_file())
    return [stem for stem in stems if POPULATION_NAME.fullmatch(stem)][:MOST_LISTED]


def identity_of(path: Path) -> str:
    """What tells whether the file was changed: its size, when it was written, and its end. Raises OSError."""
    with path.open("rb") as file:
        told = path.stat()
        file.seek(max(told.st_size - FOOTER_BYTES, 0))
        end = hashlib.sha256(file.read(FOOTER_BYTES)).hexdigest()
    return f"{told.st_size}-{told.st_mtime_ns}-{end}"
