"""Reads a block of a table into the layout that kernels run over; a row that says the impossible is not read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.shared.policy.columns.facts_layout import Cell, FactsLayout
from services.shared.policy.columns.kernel import KNOWN, OPEN, Array, Facts
from services.shared.policy.columns.places import CodeSpaces
from services.shared.policy.columns.table import COMPLETE, MONEY_UNIT, REGION, named_columns
from services.shared.policy.schema import BOOL, DATE, LAST_DATE, LEAST_DATE, MONEY, Entity, Fact, Kind
from services.shared.policy.text import Text

EPOCH = np.datetime64("1970-01-01", "D")
FIRST_DAY = np.datetime64(f"{LEAST_DATE // 10_000}-01-01", "D")
LAST_DAY = np.datetime64(f"{LAST_DATE // 10_000}-12-31", "D")
WHOLE_DIGITS = 18
"""Digits of a decimal that surely fit into 64 bits."""
NO_CODE = -2

REGION_UNKNOWN, OUT_OF_RANGE, UNKNOWN_CODE = "region_unknown", "out_of_range", "unknown_code"
TOO_MANY, NOT_TOLD = "too_many_rows", "not_told"


class UnfitTable(Exception):
    """The table cannot be read at all: a column is missing or of another type. `text` says which and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.zh} / {text.en}")
        self.text = text


Given = Mapping[tuple[str, str], Any]
"""What stands where a fact, by entity and name, is not told: a value in the fact's unit, or a code."""

PlaceOf = Callable[[str], int | None]
"""The place whose rules apply to a region; None for what is no region."""


@dataclass(frozen=True)
class Rejected:
    """Households that were not read: their rows in the table, the column that says the impossible, and why."""

    rows: Array
    columns: Sequence[str]
    reasons: Sequence[str]


@dataclass(frozen=True)
class Reader:
    """What to read of a table, and what to take where nothing is told.

    `given` fills facts that are not told; `whole` names the lists that are taken to be whole where nothing is said;
    the columns of `unknown` may be absent, so that nothing of them is known of anybody.
    """

    layout: FactsLayout
    codes: CodeSpaces
    looped: frozenset[str]
    given: Given = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        """The entities whose rows are read, parents before children."""
        schema = self.layout.schema
        wanted = {entity for entity, _ in self.layout.cells} | self.looped
        inside = {above for entity in wanted for above in schema.lineage(entity)}
        return tuple(entity for entity in schema.entities if entity.name in inside or entity.parent is None)

    def facts_of(self, entity: Entity) -> Iterator[tuple[Fact, Cell]]:
        """The facts of an entity that are read."""
        for position, fact in enumerate(entity.facts):
            cell = self.layout.cells.get((entity.name, position))
            if cell is not None:
                yield fact, cell

    @property
    def columns_needed(self) -> tuple[str, ...]:
        """The columns that a table must have, those in structs by the way to them; lists' `_complete` may be absent."""
        names = [REGION]
        for entity in self.entities:
            names += [name for name in self._columns_of(entity) if not self._is_unknown(name)]
        return tuple(names)

    def _is_unknown(self, name: str) -> bool:
        return any(name == each or name.startswith(f"{each}.") for each in self.unknown)

    def _columns_of(self, entity: Entity) -> Iterator[str]:
        facts = [fact.name for fact, _ in self.facts_of(entity) if (entity.name, fact.name) not in self.given]
        yield from named_columns(self.layout.schema, entity.name, facts).values()
        if not facts and entity.parent is not None:
            yield from named_columns(self.layout.schema, entity.parent, [entity.plural]).values()

    def check(self, schema: pa.Schema) -> None:
        """Raises UnfitTable for a column that is missing, or of a type that is not its fact's."""
        missing = [name for name in self.columns_needed if _type_at(schema, name) is None]
        if missing:
            listed = ", ".join(missing)
            raise UnfitTable(
                Text(
                    f"缺少列：{listed}。补上这些列，或声明其全部未知",
                    f"columns are missing: {listed}. Add them, or declare that they are unknown of everybody",
                )
            )
        whole_fen = MONEY_UNIT.items() <= (schema.metadata or {}).items()
        for entity in self.entities:
            for fact, _ in self.facts_of(entity):
                [path] = named_columns(self.layout.schema, entity.name, [fact.name]).values()
                found = _type_at(schema, path)
                if found is not None and not _fits(fact.kind, found, whole_fen):
                    raise UnfitTable(_unfit(path, fact.kind, found))
        region = _type_at(schema, REGION)
        if region is not None and not _is_text(region):
            raise UnfitTable(_unfit(REGION, Kind("text"), region))

    def read(self, table: pa.Table, place_of: PlaceOf) -> tuple[Facts, Array, Rejected]:
        """The facts of the households of a table that `check` found fit, their rows in it, and who was rejected.

        Nothing is guessed: a household with an amount, date, count or code that cannot be is rejected whole.
        """
        reading = _Reading(self, table, place_of)
        facts = reading.facts()
        rows = np.arange(table.num_rows, dtype=np.int64)
        if not reading.bad:
            return facts, rows, Rejected(rows[:0], (), ())
        bad = np.array(sorted(reading.bad))
        kept = np.setdiff1d(rows, bad)
        again = _Reading(self, table.take(kept), place_of)
        found = [reading.bad[row] for row in bad]
        rejected = Rejected(bad, [column for column, _ in found], [reason for _, reason in found])
        return again.facts(), kept, rejected


class _Reading:
    def __init__(self, reader: Reader, table: pa.Table, place_of: PlaceOf) -> None:
        self._reader, self._table, self._place_of = reader, table, place_of
        self._schema = reader.layout.schema
        self.bad: dict[int, tuple[str, str]] = {}
        self._facts: dict[tuple[str, int], Array] = {}
        self._begins: dict[str, Array] = {}
        self._untold: dict[str, Array] = {}
        # For each entity, of every row the household; None for the root, where it is the row itself.
        self._household: dict[str, Array | None] = {}
        self._is_open = np.zeros(table.num_rows, np.bool_)

    def facts(self) -> Facts:
        root = self._schema.root
        columns = {name: _one_chunk(self._table.column(name)) for name in self._table.column_names}
        self._household[root.name] = None
        place = self._places(columns[REGION])
        self._read(root, columns, slice(None), self._table.num_rows)
        for entity in self._schema.entities:
            if entity.parent is not None and entity.name not in self._begins:
                self._nobody(entity)
        mode = np.where(self._is_open, OPEN, KNOWN).astype(np.int8)
        return Facts(self._facts, self._begins, self._untold, place, mode)

    def _places(self, regions: pa.Array) -> Array:
        coded = regions if pa.types.is_dictionary(regions.type) else regions.dictionary_encode()
        found = [self._place_of(str(region)) for region in coded.dictionary.to_pylist()]
        by_code = np.array([NO_CODE if place is None else place for place in [*found, None]], np.int32)
        place = by_code[coded.indices.cast(pa.int32()).fill_null(len(found)).to_numpy()]
        self._reject(self._schema.root, place == NO_CODE, REGION, REGION_UNKNOWN)
        return place

    # --- one entity ------------------------------------------------------------------------------------------------

    def _read(self, entity: Entity, columns: Mapping[str, pa.Array], where: Any, rows: int) -> None:
        """The facts of rows that lie at `where` among `rows`; at other places is nobody who was told."""
        for width in (1, 4, 8):
            count = self._reader.layout.rows(entity.name, width)
            kind = {1: np.int8, 4: np.int32, 8: np.int64}[width]
            self._facts[entity.name, width] = np.empty((count, rows), kind)
        untold = self._untold.get(entity.name)
        for fact, cell in self._reader.facts_of(entity):
            values = self._values(entity, fact, cell, columns, where)
            target = self._facts[entity.name, cell.width][cell.row]
            if untold is not None and untold.any():
                target[:] = cell.unknown
            target[where] = values
        for child in self._schema.children(entity.name):
            if child in self._reader.entities:
                self._child(entity, child, columns, where, rows)

    def _child(self, parent: Entity, child: Entity, columns: Mapping[str, pa.Array], where: Any, rows: int) -> None:
        lengths, told = np.zeros(rows, np.int64), self._list(parent, child, columns)
        lists = columns.get(child.plural)
        if lists is not None:
            lengths[where] = pc.list_value_length(lists).fill_null(0).to_numpy()
        self._reject(parent, lengths > child.max_rows, child.plural, TOO_MANY)
        complete = np.zeros(rows, np.bool_)
        complete[where] = told
        more = np.zeros(rows, np.bool_)
        if child.always_complete:
            self._reject(parent, ~complete, child.plural, NOT_TOLD)
        else:
            more = ~complete
            self._open(parent, more)
        self._begins[child.name] = begins = np.concatenate(([0], np.cumsum(lengths + more)))
        up = np.repeat(np.arange(rows), np.diff(begins))
        above = self._household[parent.name]
        self._household[child.name] = up if above is None else above[up]
        self._untold[child.name] = untold = np.zeros(len(up), np.bool_)
        inner: Any = slice(None)
        if more.any():
            untold[begins[1:][more] - 1] = True
            inner = ~untold
        fields = {} if lists is None else _fields(lists)
        if lists is None:
            inner = np.zeros(len(up), np.bool_)
        self._read(child, fields, inner, len(up))

    def _list(self, parent: Entity, child: Entity, columns: Mapping[str, pa.Array]) -> Any:
        """Which lists are whole."""
        lists = columns.get(child.plural)
        is_whole = child.plural in self._reader.whole
        if lists is None:
            return is_whole
        said = columns.get(child.plural + COMPLETE)
        told: Array = pc.is_valid(lists).to_numpy(zero_copy_only=False)
        if said is None or child.always_complete:
            return told | is_whole
        known: Array = said.is_valid().to_numpy(zero_copy_only=False)
        says: Array = said.fill_null(False).to_numpy(zero_copy_only=False)
        return np.where(known, says, told | is_whole)

    def _nobody(self, entity: Entity) -> None:
        """Rows that no rule looks at are as if there were none."""
        parents = self._table.num_rows if entity.parent == self._schema.root.name else 0
        if entity.parent in self._household and entity.parent != self._schema.root.name:
            household = self._household[entity.parent]
            assert household is not None
            parents = len(household)
        self._begins[entity.name] = np.zeros(parents + 1, np.int64)
        self._untold[entity.name] = np.zeros(0, np.bool_)
        self._household[entity.name] = np.zeros(0, np.int64)
        for width, kind in ((1, np.int8), (4, np.int32), (8, np.int64)):
            self._facts[entity.name, width] = np.empty((0, 0), kind)

    # --- one fact --------------------------------------------------------------------------------------------------

    def _values(self, entity: Entity, fact: Fact, cell: Cell, columns: Mapping[str, pa.Array], where: Any) -> Any:
        given = self._reader.given.get((entity.name, fact.name))
        stands = cell.unknown if given is None else self._written(fact.kind, given)
        column = columns.get(fact.name)
        if column is None:
            if given is None:
                self._open(entity, self._all(entity, where))
            return stands
        values, least, most = self._numbers(entity, fact, column, where)
        if column.null_count:
            nulls = column.is_null().to_numpy(zero_copy_only=False)
            values = np.where(nulls, stands, values)
            if given is None:
                self._open(entity, self._spread(entity, where, nulls))
            outside = (values < least) | (values > most) if len(values) else nulls
            outside &= ~nulls
        elif not len(values) or (values.min() >= least and values.max() <= most):
            return values
        else:
            outside = (values < least) | (values > most)
        if outside.any():
            [path] = named_columns(self._schema, entity.name, [fact.name]).values()
            reason = UNKNOWN_CODE if fact.kind.codes else OUT_OF_RANGE
            self._reject(entity, self._spread(entity, where, outside), path, reason)
            values = np.where(outside, stands, values)
        return values

    def _numbers(self, entity: Entity, fact: Fact, column: pa.Array, where: Any) -> tuple[Array, int, int]:
        """A column as whole numbers, and between what they must lie; anything where it is null."""
        if fact.kind == BOOL:
            return column.cast(pa.int8()).fill_null(0).to_numpy(), 0, 1
        if fact.kind.codes:
            return self._codes(fact.kind, column), 0, 127
        if fact.kind == DATE:
            return _date_numbers(column.cast(pa.int32()).fill_null(0).to_numpy()), fact.least, fact.most
        if pa.types.is_decimal(column.type):
            return _whole_fen(column), fact.least, fact.most
        return column.cast(pa.int64()).fill_null(fact.least).to_numpy(), fact.least, fact.most

    def _codes(self, kind: Kind, column: pa.Array) -> Array:
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        numbers = [
            self._reader.codes.number(kind, code) if code in kind.codes else NO_CODE
            for code in coded.dictionary.to_pylist()
        ]
        by_code = np.array([*numbers, 0], np.int8)
        return by_code[coded.indices.cast(pa.int32()).fill_null(len(numbers)).to_numpy()]

    def _written(self, kind: Kind, value: Any) -> int:
        return self._reader.codes.number(kind, value) if kind.codes else int(value)

    # --- households ------------------------------------------------------------------------------------------------

    def _all(self, entity: Entity, where: Any) -> Array:
        household = self._household[entity.name]
        told = np.zeros(self._table.num_rows if household is None else len(household), np.bool_)
        told[where] = True
        return told

    def _spread(self, entity: Entity, where: Any, marks: Array) -> Array:
        """Marks of the rows that were told as marks of all rows."""
        if isinstance(where, slice):
            return marks
        spread = np.zeros(len(where), np.bool_)
        spread[where] = marks
        return spread

    def _open(self, entity: Entity, marks: Array) -> None:
        household = self._household[entity.name]
        self._is_open[marks if household is None else household[marks]] = True

    def _reject(self, entity: Entity, marks: Array, column: str, reason: str) -> None:
        if marks.any():
            household = self._household[entity.name]
            for row in np.flatnonzero(marks) if household is None else np.unique(household[marks]):
                self.bad.setdefault(int(row), (column, reason))


# --- types ---------------------------------------------------------------------------------------------------------


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _fields(lists: pa.Array) -> dict[str, pa.Array]:
    structs = lists.flatten()
    names = [structs.type.field(index).name for index in range(structs.type.num_fields)]
    return dict(zip(names, structs.flatten(), strict=True))


def _type_at(schema: pa.Schema, path: str) -> pa.DataType | None:
    first, *inner = path.split(".")
    if first not in schema.names:
        return None
    found = schema.field(first).type
    for name in inner:
        if not _is_list(found) or not pa.types.is_struct(found.value_type):
            return None
        index = found.value_type.get_field_index(name)
        if index < 0:
            return None
        found = found.value_type.field(index).type
    return found


def _is_list(found: pa.DataType) -> bool:
    return bool(pa.types.is_list(found) or pa.types.is_large_list(found))


def _is_text(found: pa.DataType) -> bool:
    value = found.value_type if pa.types.is_dictionary(found) else found
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def _fits(kind: Kind, found: pa.DataType, whole_fen: bool) -> bool:
    if kind == BOOL:
        return bool(pa.types.is_boolean(found))
    if kind.codes:
        return _is_text(found)
    if kind == DATE:
        return bool(pa.types.is_date32(found))
    if kind == MONEY:
        is_yuan = pa.types.is_decimal128(found) and found.scale == 2 and found.precision <= WHOLE_DIGITS
        return bool(is_yuan or (whole_fen and pa.types.is_signed_integer(found)))
    return bool(pa.types.is_integer(found))


def _unfit(path: str, kind: Kind, found: pa.DataType) -> Text:
    wanted = {
        "bool": "bool",
        "enum": "string",
        "text": "string",
        "date": "date32",
        "money": "decimal128(18, 2), or int64 with the table's metadata doudi.money_unit = fen",
    }.get(kind.name, "int32")
    return Text(f"列 {path} 的类型是 {found}，应为 {wanted}", f"the column {path} is of type {found}: make it {wanted}")


def _date_numbers(days: Array) -> Array:
    """Date numbers of days since 1970; 0 for a day outside of what dates may be."""
    first = int((FIRST_DAY - EPOCH).astype(int))
    at = days - first
    inside = (at >= 0) & (at < len(_DAYS))
    return np.where(inside, _DAYS[np.where(inside, at, 0)], 0)


def _all_date_numbers() -> Array:
    days = np.arange(FIRST_DAY, LAST_DAY + 1)
    years, months = days.astype("M8[Y]"), days.astype("M8[M]")
    year = years.astype(int) + 1970
    month = (months - years.astype("M8[M]")).astype(int) + 1
    day = (days - months.astype("M8[D]")).astype(int) + 1
    return (year * 10_000 + month * 100 + day).astype(np.int32)


_DAYS = _all_date_numbers()


def _whole_fen(column: pa.Array) -> Array:
    # A decimal with two places is a whole number of fen in 128 bits; of 18 digits the lower 64 say all.
    words = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)
    return words[column.offset : column.offset + len(column), 0]
