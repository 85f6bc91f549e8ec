"""Small populations of the comparison policy, many parts long, and a screening of them in a process of its own."""

import sys
from datetime import date
from pathlib import Path

from services.eligibility.use_cases.screen_population import Wanted, plan_screening, screen_population
from services.eligibility.use_cases.screening.processes import Processes

ON = date(2026, 9, 15)
GROUP_ROWS, PART_ROWS = 500, 1_000


def wanted(folder: Path, source: Path, target: Path, *, part_rows: int = PART_ROWS, **others) -> Wanted:
    """A screening with the packs and the kernels of `folder`, in parts of two row groups."""
    return Wanted(source, target, ON, folder / "packs", folder / "kernels", part_rows=part_rows, **others)


def screened(wanted: Wanted, processes: int = 1):
    """What came of it."""
    return screen_population(plan_screening(wanted), Processes(processes), lambda more: None)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of an output by its name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


if __name__ == "__main__":
    screened(wanted(*map(Path, sys.argv[1:4]), part_rows=int(sys.argv[5])), int(sys.argv[4]))
