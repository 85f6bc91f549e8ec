"""Who acts, and the one table of role × action × state that routes and use cases both read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

NATION = "000000"
"""The region prefix that covers every place."""


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
    """True when the GB/T 2260 code `wide` is `narrow`, its prefecture, its province or the nation."""
    return narrow.startswith(significant_digits(wide))


def significant_digits(region: str) -> str:
    """The digits that the codes of all places within `region` begin with: none for the nation, "42" for 420000."""
    if region == NATION:
        return ""
    return region[:2] if region.endswith("0000") else region[:4] if region.endswith("00") else region


def require_state(permissions: Permissions, action: str, state: str) -> None:
    """Raise NotAllowedInThisState unless `permissions` allows `action` while its object is in `state`."""
    states = permissions[action].states
    if states and state not in states:
        raise NotAllowedInThisState(action, state)
