"""Where the files of one population lie, in a folder that begins with the day it is for."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

DAY_CHARACTERS = len("2026-09-15")


@dataclass(frozen=True, slots=True)
class Files:
    """The same households three times: nested as we take them, and flat as peers do, in two files."""

    folder: Path

    @property
    def on(self) -> str:
        """The day, as ISO."""
        return self.folder.name[:DAY_CHARACTERS]

    @property
    def day(self) -> date:
        """The same as a date."""
        return date.fromisoformat(self.on)

    @property
    def nested(self) -> Path:
        """A row a household, members in lists."""
        return self.folder / "population.parquet"

    @property
    def households(self) -> Path:
        """A row a household."""
        return self.folder / "households.parquet"

    @property
    def members(self) -> Path:
        """A row a member, in the order of their households."""
        return self.folder / "members.parquet"

    def answers(self, engine: str) -> Path:
        """Where an engine writes its eleven outputs."""
        return self.folder / f"{engine}.answers.parquet"
