"""Places as GB/T 2260 codes: which codes are places, which place lies in which, and what became of a place.

The ministry's table of 2025-12-31 and what is known to have changed since 2015 lie beside this module as data;
docs/reference/regions.md says where they come from.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

NATION = "cn"
"""The jurisdiction above every province; not a GB/T 2260 code."""

TABLE_OF = date(2025, 12, 31)
"""The day of the ministry's table that the places are of."""

CHANGES_SINCE = date(2015, 1, 1)
"""Codes given up before this day are not known."""

Level = Literal["province", "prefecture", "county"]

_SIX_DIGITS = re.compile("[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Place:
    """A place and the days its code is good for: from `since`, and no longer from `until`; None has no such bound.

    `successors` hold its area after `until`, the one with the most of it first. `parent` is "" for a province.
    """

    code: str
    name: str
    level: Level
    parent: str
    since: date | None = None
    until: date | None = None
    successors: tuple[str, ...] = ()


def is_region_code(text: str) -> bool:
    """Whether the text has the form of a GB/T 2260 code: six ASCII digits."""
    return _SIX_DIGITS.fullmatch(text) is not None


def has_province(code: str) -> bool:
    """Whether the code's first two digits are those of a province."""
    return code[:2] + "0000" in places()


def places_upwards(code: str) -> tuple[str, ...]:
    """The place itself, its prefecture, its province and the nation: ("530113", "530100", "530000", "cn")."""
    places = (code, code[:4] + "00", code[:2] + "0000", NATION)
    return tuple(dict.fromkeys(places))


def place_of(code: str) -> Place | None:
    """The place that has the code, or had it since 2015; None for what is no place, and for a group of places.

    110100 and 429000 are such groups: GB/T 2260 has codes for them, the ministry's table has no places.
    """
    return places().get(code)


def living_codes(code: str, on: date) -> tuple[str, ...]:
    """The codes that a place's area has on a day: its own, its successor's, or several when it was divided.

    A code that is no place stands for itself, and so does one on a day before it was given.
    """
    place = place_of(code)
    if place is None or place.until is None or on < place.until:
        return (code,)
    return tuple(dict.fromkeys(later for heir in place.successors for later in living_codes(heir, on)))


def living_code(code: str, on: date) -> str:
    """The one code that a place's area has on a day. A divided place keeps its own: none of several is guessed."""
    living = living_codes(code, on)
    return living[0] if len(living) == 1 else code


@cache
def succeeded() -> Mapping[str, tuple[str, ...]]:
    """Every code that was given up since 2015, and the codes that its area has now."""
    gone = (place.code for place in places().values() if place.until)
    return MappingProxyType({code: living_codes(code, date.max) for code in gone})


@cache
def places() -> Mapping[str, Place]:
    """Every place by its code: those of the ministry's table, those before and those after."""
    names = {row["code"]: row["name"] for row in _rows("places.csv")}
    changes = {row["code"]: row for row in _rows("changes.csv")}
    names |= {code: change["name"] for code, change in changes.items()}
    return MappingProxyType({code: _place(code, names, changes.get(code, {})) for code in names})


def _place(code: str, names: Mapping[str, str], change: Mapping[str, str]) -> Place:
    return Place(
        code,
        names[code],
        level="province" if code.endswith("0000") else "prefecture" if code.endswith("00") else "county",
        parent=next((above for above in places_upwards(code)[1:] if above in names), ""),
        since=_day(change.get("from", "")),
        until=_day(change.get("until", "")),
        successors=tuple(change.get("successors", "").split()),
    )


def _day(text: str) -> date | None:
    # Of a change whose day is not known, the first yearly table that shows it is the proof: that of 31 December.
    return date.fromisoformat(text if len(text) > len("2019") else f"{text}-12-31") if text else None


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files(__package__).joinpath("regions", name).read_text("utf-8")
    return csv.DictReader(text.splitlines())
