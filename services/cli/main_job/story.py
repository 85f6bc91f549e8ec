"""The story of the main job, read from story.toml and requests/*.json."""

import json
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Household:
    """Who comes: the facts sent, what is to be paid to whom, and how the first payment ends."""

    name: str
    zh: str
    en: str
    region: str
    programme: str
    subject: str
    until: str | None
    ends: str
    people: list[dict[str, str]]
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the test clock: who comes, and the months whose pay day then passes."""

    on: date
    paid_in: list[str]
    households: list[Household]


@dataclass(frozen=True, slots=True)
class DeathRecord:
    """The record that holds a payment: when it arrives, and whom and which month it concerns."""

    on: date
    of: str
    died_on: str
    source: str
    held_month: str


@dataclass(frozen=True, slots=True)
class Story:
    """The whole main job."""

    days: list[Day]
    death_record: DeathRecord

    def household(self, name: str) -> Household:
        """The household of that name."""
        return next(h for day in self.days for h in day.households if h.name == name)


def read_story() -> Story:
    """The story that ships."""
    text = tomllib.loads((FOLDER / "story.toml").read_text(encoding="utf-8"))
    days = [_day(written) for written in text["day"]]
    record = text["death_record"]
    return Story(days, DeathRecord(date.fromisoformat(record.pop("on")), **record))


def _day(written: dict[str, Any]) -> Day:
    households = [_household(household) for household in written["household"]]
    return Day(date.fromisoformat(written["on"]), written["paid_in"], households)


def _household(written: dict[str, Any]) -> Household:
    request = json.loads((FOLDER / "requests" / f"{written['name']}.json").read_text(encoding="utf-8"))
    return Household(**{"until": None, **written}, request=request)
