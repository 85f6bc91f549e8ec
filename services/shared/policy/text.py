"""A sentence in Chinese and English, for a reader of either."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or title in Chinese and English."""

    zh: str
    en: str

    @property
    def both(self) -> str:
        """Both in one line."""
        return f"{self.zh} / {self.en}"


def written_as(form: str) -> Text:
    """The remedy that shows how something is written, such as `from = 2026-07-01`."""
    return Text(f"写成 {form}", f"write {form}")


def one_of(names: Iterable[str]) -> Text:
    """The remedy that lists what may stand there."""
    listed = ", ".join(names)
    return Text(f"只能使用：{listed}", f"use one of: {listed}")
