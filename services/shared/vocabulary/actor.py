"""Who acts, and the one table of role × action × state that routes and use cases both read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from services.shared.vocabulary.region import succeeded

NATION = "000000"
"""The region prefix that covers every place."""
MAX_REMEMBERED = 4_096
"""Regions whose prefixes are remembered: more than there are places."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller whose token was verified: a person, a department's system or one of our services.

    `regions` are GB/T 2260 codes; a province or prefecture code covers what lies below it.
    """

    subject: str
    roles: frozenset[str]
    regions: tuple[str, ...] = ()

    def covers(self, region: str) -> bool:
        """True when one of the actor's regions is `region` or a place above it."""
        return any(region_covers(own, region) for own in self.regions)


@dataclass(frozen=True, slots=True)
class Permission:
    """Which roles may take an action, and in which states of its object (any state when empty)."""

    roles: frozenset[str]
    states: frozenset[str] = field(default_factory=frozenset)


Permissions = Mapping[str, Permission]


@dataclass(eq=False)
class NotAllowedInThisState(Exception):
    """The action exists, but not while its object is in this state."""

    action: str
    state: str

    def __str__(self) -> str:
        return f"{self.action} is not allowed in state {self.state}"


def region_covers(wide: str, narrow: str) -> bool:
    """True when the GB/T 2260 code `wide` is `narrow`, its prefecture, its province or the nation.

    A place that is no more lies where its successors lie: the office that took it over sees what it left behind.
    """
    return narrow.startswith(prefixes_of(wide))


@lru_cache(MAX_REMEMBERED)
def prefixes_of(region: str) -> tuple[str, ...]:
    """What the codes of all places within `region` begin with: ("",) for the nation, ("42",) for 420000.

    Then follow the whole codes of places outside those digits whose successors all lie within: 370100 has
    ("3701", "371200", "371202", "371203"), since Laiwu became districts of Jinan.
    """
    digits = _significant_digits(region)
    within = (code for code, heirs in succeeded().items() if all(heir.startswith(digits) for heir in heirs))
    return (digits, *sorted(code for code in within if not code.startswith(digits)))


def _significant_digits(region: str) -> str:
    if region == NATION:
        return ""
    return region[:2] if region.endswith("0000") else region[:4] if region.endswith("00") else region


def require_state(permissions: Permissions, action: str, state: str) -> None:
    """Raise NotAllowedInThisState unless `permissions` allows `action` while its object is in `state`."""
    states = permissions[action].states
    if states and state not in states:
        raise NotAllowedInThisState(action, state)
