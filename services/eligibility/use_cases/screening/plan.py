"""What a screening is made of: input, rules and date, and the parts of the output, all fixed before work starts."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from services.eligibility.use_cases.screening.population_file import Identity, Leaf

PART_ROWS = 2**20
"""A part takes row groups until it has so many rows."""
FORMAT = 1
"""Of the output; another where the same input would yield other files."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of the input's row groups, whose results are one file of the output."""

    number: int
    first_group: int
    groups: int
    first_row: int
    rows: int

    @property
    def name(self) -> str:
        """Of its file; readers that go by names see the parts in the order of the input's rows."""
        return f"part-{self.number:05}.parquet"


def parts_of(group_rows: Sequence[int], part_rows: int = PART_ROWS) -> Iterator[Part]:
    """The parts of an input with these row groups; nothing else decides where one ends."""
    number = first = first_row = rows = 0
    for index, more in enumerate(group_rows, 1):
        rows += more
        if rows >= part_rows or (rows and index == len(group_rows)):
            yield Part(number, first, index - first, first_row, rows)
            number, first, first_row, rows = number + 1, index, first_row + rows, 0


@dataclass(frozen=True)
class Plan:
    """All that the bytes of the output hang on, and where things lie on the machines that compute it."""

    source: Path
    target: Path
    pack_folder: Path
    kernel_folder: Path
    as_of: date
    region_column: str
    id_column: str | None
    unknown: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    input_sha256: str
    identity: Identity
    """Of the file that was hashed: parts read it by its name, later."""
    packs: tuple[tuple[str, str, str], ...]
    """Each pack's id, version and sha256."""
    engine: tuple[tuple[str, str], ...]
    """The versions that decide which bytes come out."""
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """The households of the input."""
        return sum(part.rows for part in self.parts)

    @property
    def unfinished(self) -> Path:
        """Where parts are gathered; it takes the target's name when all are there."""
        return self.target.with_name(f"{self.target.name}.unfinished")

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """What is kept beside the parts: whoever has the same one makes the same bytes."""
        return {
            "format": FORMAT,
            "input": {"sha256": self.input_sha256, "rows": self.rows},
            "as_of": self.as_of.isoformat(),
            "columns": {"region": self.region_column, "id": self.id_column, "unknown": list(self.unknown)},
            "packs": [dict(zip(("id", "version", "sha256"), pack, strict=True)) for pack in self.packs],
            "engine": dict(self.engine),
            "parts": [asdict(part) for part in self.parts],
        }

    @cached_property
    def sha256(self) -> str:
        """The manifest's hash, which every file of the output carries."""
        return hashlib.sha256(json.dumps(self.manifest, sort_keys=True).encode()).hexdigest()

    def metadata(self, part: Part) -> Mapping[str, str]:
        """What a file of the output says of its making."""
        return {
            "doudi.screening": self.sha256,
            "doudi.part": f"{part.number + 1} of {len(self.parts)}",
            "doudi.as_of": self.as_of.isoformat(),
            "doudi.input_sha256": self.input_sha256,
            "doudi.packs": json.dumps(self.manifest["packs"], sort_keys=True),
            "doudi.engine": json.dumps(self.manifest["engine"], sort_keys=True),
        }


def versions(doudi: str, rules: str) -> tuple[tuple[str, str], ...]:
    """The versions that decide which bytes come out, `rules` being the hash of the compiled rules."""
    return ("doudi", doudi), ("rules", rules), ("pyarrow", pa.__version__)
