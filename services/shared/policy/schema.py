"""The facts that rules may name: entities, one inside the other, and the kind and range of each fact."""

from dataclasses import dataclass, field
from functools import cached_property

from services.shared.vocabulary.money import MAX_FEN

RATE_SCALE = 10_000
"""A rate is a whole number of ten-thousandths: "1.5" is 15000, so that percentages are exact."""
LEAST_DATE, LAST_DATE = 1800_01_01, 2999_12_31


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a value: bool, int, money (fen), rate (ten-thousandths), date, months, enum or fraction of money.

    A fraction (money / int, money * rate) has no spelling in fen: it may be compared or rounded, nothing else.
    """

    name: str
    codes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    @property
    def zh(self) -> str:
        """What a Chinese reader calls it, with the word that a pack writes."""
        return f"{KINDS_ZH[self.name]}（{self.name}）"


BOOL = Kind("bool")
INT = Kind("int")
MONEY = Kind("money")
RATE = Kind("rate")
DATE = Kind("date")
MONTHS = Kind("months")
FRACTION = Kind("fraction of money")
TEXT = Kind("text")
"""The kind of a code before it is known which codes are meant."""

KINDS_ZH = {
    "bool": "真假",
    "int": "整数",
    "money": "金额",
    "rate": "比例",
    "date": "日期",
    "months": "月数",
    "enum": "代码",
    "text": "文本",
    "fraction of money": "未取整的金额",
}
KINDS = {kind.name: kind for kind in (BOOL, INT, MONEY, RATE, DATE, MONTHS)}
NUMBERS = frozenset({INT, MONEY, RATE, DATE, MONTHS, FRACTION})


def codes(*names: str) -> Kind:
    """The kind of a fact that is one of these codes."""
    return Kind("enum", names)


DEFAULT_RANGE = {
    INT: (0, 10_000),
    MONEY: (0, MAX_FEN),
    RATE: (0, 1_000 * RATE_SCALE),
    DATE: (LEAST_DATE, LAST_DATE),
    MONTHS: (0, 12_000),
    BOOL: (0, 1),
}
PARAMETER_MAX_FEN = 10**11
"""A thousand million yuan: above any standard, and small enough that standard x rate x people stays in 64 bits."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of an entity; numbers lie in `least`..`most`."""

    name: str
    kind: Kind
    least: int = 0
    most: int = 0

    @staticmethod
    def of(name: str, kind: Kind, least: int | None = None, most: int | None = None) -> "Fact":
        """A fact with the range of its kind where none is given."""
        low, high = DEFAULT_RANGE.get(kind, (0, 0))
        return Fact(name, kind, low if least is None else least, high if most is None else most)


@dataclass(frozen=True)
class Entity:
    """A thing with facts; `plural` is its list in `parent`, and no list has more than `max_rows`.

    A list that is not `always_complete` may have rows that nobody told. A row is a tuple: the facts in order, then
    for each child entity its rows and True when its list is complete, else the Unknown that says what to tell.
    """

    name: str
    plural: str
    parent: str | None
    facts: tuple[Fact, ...]
    max_rows: int = 1
    always_complete: bool = False
    position: dict[str, int] = field(init=False, repr=False, hash=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "position", {fact.name: index for index, fact in enumerate(self.facts)})


@dataclass(frozen=True)
class Schema:
    """The entities of one subject matter, parents before children; the first is the root."""

    entities: tuple[Entity, ...]

    @cached_property
    def by_name(self) -> dict[str, Entity]:
        """Each entity by its name in the singular."""
        return {entity.name: entity for entity in self.entities}

    @property
    def root(self) -> Entity:
        """The entity that everything else lies in."""
        return self.entities[0]

    def children(self, name: str) -> tuple[Entity, ...]:
        """The entities whose rows lie in rows of `name`."""
        return tuple(entity for entity in self.entities if entity.parent == name)

    def lineage(self, name: str) -> tuple[str, ...]:
        """The entity and everything it lies in, the root first."""
        return self._lineages[name]

    @cached_property
    def _lineages(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for entity in self.entities:
            found[entity.name] = (*(found[entity.parent] if entity.parent else ()), entity.name)
        return found

    def rows_slot(self, child: str) -> int:
        """Where in a parent's row the rows of `child` are; the next slot says whether the list is complete."""
        return self._slots[child]

    @cached_property
    def _slots(self) -> dict[str, int]:
        return {
            child.name: len(parent.facts) + 2 * index
            for parent in self.entities
            for index, child in enumerate(self.children(parent.name))
        }
