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
from services.shared.policy.columns.places import MOST_CODES, CodeSpaces
from services.shared.policy.columns.table import COMPLETE, MONEY_UNIT, REGION, named_columns
from services.shared.policy.schema import BOOL, DATE, LAST_DATE, LEAST_DATE, MONEY, Entity, Fact, Kind
from services.shared.policy.text import Text

EPOCH = np.datetime64("1970-01-01", "D")
FIRST_DAY = np.datetime64(f"{LEAST_DATE // 10_000}-01-01", "D")
LAST_DAY = np.datetime64(f"{LAST_DATE // 10_000}-12-31", "D")
FACT_KINDS = {1: np.int8, 4: np.int32, 8: np.int64}
WHOLE_DIGITS = 18
"""Digits of a decimal that surely fit into 64 bits."""
LEAST_NUMBER = np.iinfo(np.int64).min
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

    def others(self, households: int) -> Array:
        """The rows of those that were not rejected, of so many."""
        is_kept = np.ones(households, np.bool_)
        is_kept[self.rows] = False
        return np.flatnonzero(is_kept)


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
            if entity.parent is not None:
                self._check_marks(entity, entity.parent, schema)
        region = _type_at(schema, REGION)
        if region is not None and not _is_text(region):
            raise UnfitTable(_unfit(REGION, Kind("text"), region))

    def _check_marks(self, child: Entity, parent: str, schema: pa.Schema) -> None:
        [path] = named_columns(self.layout.schema, parent, [child.plural + COMPLETE]).values()
        found = _type_at(schema, path)
        if found is not None and not _fits(BOOL, found, False):
            raise UnfitTable(_unfit(path, BOOL, found))

    def read(self, table: pa.Table, place_of: PlaceOf) -> tuple[Facts, Array, Rejected]:
        """The facts of the households of a table that `check` found fit, their rows in it, and who was rejected.

        Nothing is guessed: a household with an amount, date, count or code that cannot be is rejected whole.
        """
        facts, rejected = self.read_all(table, place_of)
        kept = rejected.others(table.num_rows)
        if not len(rejected.rows):
            return facts, kept, rejected
        return self.read_all(table.take(kept), place_of)[0], kept, rejected

    def read_all(self, table: pa.Table, place_of: PlaceOf) -> tuple[Facts, Rejected]:
        """The facts of all households, and which of them are rejected: what is found of those means nothing."""
        reading = _Reading(self, table, place_of)
        facts = reading.facts()
        bad = sorted(reading.bad)
        found = [reading.bad[row] for row in bad]
        rows = np.array(bad, np.int64)
        return facts, Rejected(rows, [column for column, _ in found], [reason for _, reason in found])


Where = Array | None
"""Of all rows of an entity the marks of those that were told; None where all were."""


class _Reading:
    def __init__(self, reader: Reader, table: pa.Table, place_of: PlaceOf) -> None:
        self._reader, self._table, self._place_of = reader, table, place_of
        self._schema = reader.layout.schema
        self.bad: dict[int, tuple[str, str]] = {}
        self._facts: dict[tuple[str, int], list[Array]] = {}
        self._begins: dict[str, Array] = {}
        self._untold: dict[str, Array] = {}
        self._rows = {self._schema.root.name: table.num_rows}
        # Of each entity the rows that say too little, gathered so that their households are looked up once.
        self._open_rows: dict[str, Array] = {}

    def facts(self) -> Facts:
        root = self._schema.root
        columns = {name: _one_chunk(self._table.column(name)) for name in self._table.column_names}
        place = self._places(columns[REGION])
        self._read(root, columns, None)
        for entity in self._schema.entities:
            if entity.parent is not None and entity.name not in self._begins:
                # Rows that no rule looks at are as if there were none.
                self._rows[entity.name] = 0
                self._begins[entity.name] = np.zeros(self._rows[entity.parent] + 1, np.int64)
        mode = np.full(self._table.num_rows, KNOWN, np.int8)
        for name, marks in self._open_rows.items():
            mode[self._households(self._schema.by_name[name], marks)] = OPEN
        return Facts(self._facts, self._begins, self._untold, place, mode)

    def _places(self, regions: pa.Array) -> Array:
        coded = _encoded(regions)
        found = [self._place_of(str(region)) for region in coded.dictionary.to_pylist()]
        by_code = np.array([NO_CODE if place is None else place for place in [*found, None]], np.int32)
        place = by_code[_integers(coded.indices, pa.int32(), len(found))]
        if (place == NO_CODE).any():
            self._reject(self._schema.root, place == NO_CODE, REGION, REGION_UNKNOWN)
        return np.maximum(place, 0)

    # --- one entity ------------------------------------------------------------------------------------------------

    def _read(self, entity: Entity, columns: Mapping[str, pa.Array], where: Where) -> None:
        """The facts of the rows of an entity; those at other places than `where` stand for whom nobody told."""
        for width in FACT_KINDS:
            self._facts[entity.name, width] = []
        # The order of cells is that of positions, so each goes to the end of its table.
        for fact, cell in self._reader.facts_of(entity):
            values = self._values(entity, fact, cell, columns, where)
            kind = FACT_KINDS[cell.width]
            if where is None and isinstance(values, np.ndarray):
                filled = np.ascontiguousarray(values, kind)
            else:
                filled = np.full(self._rows[entity.name], cell.unknown, kind)
                filled[... if where is None else where] = values
            self._facts[entity.name, cell.width].append(filled)
        for child in self._schema.children(entity.name):
            if child in self._reader.entities:
                self._child(entity, child, columns, where)

    def _child(self, parent: Entity, child: Entity, columns: Mapping[str, pa.Array], where: Where) -> None:
        lists, rows = columns.get(child.plural), self._rows[parent.name]
        lengths = np.zeros(rows, np.int64)
        if lists is not None:
            lengths[... if where is None else where] = _integers(pc.list_value_length(lists), pa.int64(), 0)
        if lengths.max(initial=0) > child.max_rows:
            self._reject(parent, lengths > child.max_rows, child.plural, TOO_MANY)
        more = None if child.always_complete else self._unwhole(parent, child, columns, where)
        if child.always_complete and not lengths.all():
            self._reject(parent, lengths == 0, child.plural, NOT_TOLD)
        elif more is not None:
            self._open(parent, more)
            lengths += more
        self._begins[child.name] = begins = np.zeros(rows + 1, np.int64)
        np.cumsum(lengths, out=begins[1:])
        self._rows[child.name] = int(begins[-1])
        inner: Where = None
        if more is not None:
            inner = np.ones(self._rows[child.name], np.bool_)
            inner[begins[1:][more] - 1] = False
        self._untold[child.name] = np.zeros(self._rows[child.name], np.bool_) if inner is None else ~inner
        self._read(child, {} if lists is None else _fields(lists), inner)

    def _unwhole(self, parent: Entity, child: Entity, columns: Mapping[str, pa.Array], where: Where) -> Where:
        """Of which rows the list may be longer than was told; None where of none."""
        told = self._is_whole(child, columns)
        if told is True and where is None:
            return None
        more = np.ones(self._rows[parent.name], np.bool_)
        more[... if where is None else where] = ~told if isinstance(told, np.ndarray) else not told
        return more if more.any() else None

    def _is_whole(self, child: Entity, columns: Mapping[str, pa.Array]) -> Array | bool:
        lists, is_whole = columns.get(child.plural), child.plural in self._reader.whole
        if lists is None:
            return is_whole
        told = True if is_whole or not lists.null_count else _truths(lists.is_valid())
        said = columns.get(child.plural + COMPLETE)
        if said is None:
            return told
        if not said.null_count:
            return _truths(said)
        return np.where(_truths(said.is_valid()), _truths(said.fill_null(False)), told)

    # --- one fact --------------------------------------------------------------------------------------------------

    def _values(
        self, entity: Entity, fact: Fact, cell: Cell, columns: Mapping[str, pa.Array], where: Where
    ) -> Array | int:
        given = self._reader.given.get((entity.name, fact.name))
        stands = cell.unknown if given is None else self._written(fact.kind, given)
        column = columns.get(fact.name)
        if column is None:
            if given is None:
                self._open(entity, np.ones(self._rows[entity.name], np.bool_) if where is None else where)
            return stands
        if pa.types.is_dictionary(column.type):
            column = _encoded(column)
        values, least, most = self._numbers(fact, column)
        fits = not len(values) or (values.min() >= least and values.max() <= most)
        nulls = _truths(column.is_null()) if column.null_count else None
        if not fits:
            values = self._fitting(entity, fact, (values < least) | (values > most), values, where, nulls)
        if nulls is not None:
            values = np.where(nulls, stands, values)
            if given is None:
                self._open(entity, self._spread(entity, where, nulls))
        return values

    def _fitting(
        self, entity: Entity, fact: Fact, outside: Array, values: Array, where: Where, nulls: Array | None
    ) -> Array:
        """The values without those that cannot be, of which the households are rejected."""
        if nulls is not None:
            outside &= ~nulls
        [path] = named_columns(self._schema, entity.name, [fact.name]).values()
        reason = UNKNOWN_CODE if fact.kind.codes else OUT_OF_RANGE
        self._reject(entity, self._spread(entity, where, outside), path, reason)
        return np.where(outside, fact.least, values)

    def _numbers(self, fact: Fact, column: pa.Array) -> tuple[Array, int, int]:
        """A column as whole numbers, and between what they must lie; something that fits where it is null."""
        if fact.kind == BOOL:
            return _integers(column, pa.int8(), 0), 0, 1
        if fact.kind.codes:
            return self._codes(fact.kind, column), 0, MOST_CODES
        if fact.kind == DATE:
            return _date_numbers(_integers(column, pa.int32(), 0)), fact.least, fact.most
        if pa.types.is_decimal(column.type):
            return _whole_fen(column), fact.least, fact.most
        return _integers(column, pa.int64(), fact.least), fact.least, fact.most

    def _codes(self, kind: Kind, column: pa.Array) -> Array:
        coded = _encoded(column)
        numbers = [
            self._reader.codes.number(kind, code) if code in kind.codes else NO_CODE
            for code in coded.dictionary.to_pylist()
        ]
        by_code = np.array([*numbers, 0], np.int8)
        return by_code[_integers(coded.indices, pa.int32(), len(numbers))]

    def _written(self, kind: Kind, value: Any) -> int:
        return self._reader.codes.number(kind, value) if kind.codes else int(value)

    # --- households ------------------------------------------------------------------------------------------------

    def _households(self, entity: Entity, marks: Array) -> Array:
        """The households of the marked rows."""
        rows = np.flatnonzero(marks)
        while entity.parent is not None:
            rows = np.searchsorted(self._begins[entity.name], rows, side="right") - 1
            entity = self._schema.by_name[entity.parent]
        return rows

    def _spread(self, entity: Entity, where: Where, marks: Array) -> Array:
        """Marks of the rows that were told as marks of all rows."""
        if where is None:
            return marks
        spread = np.zeros(self._rows[entity.name], np.bool_)
        spread[where] = marks
        return spread

    def _open(self, entity: Entity, marks: Array) -> None:
        so_far = self._open_rows.setdefault(entity.name, np.zeros(self._rows[entity.name], np.bool_))
        so_far |= marks

    def _reject(self, entity: Entity, marks: Array, column: str, reason: str) -> None:
        for row in np.unique(self._households(entity, marks)):
            self.bad.setdefault(int(row), (column, reason))


# --- types ---------------------------------------------------------------------------------------------------------


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _encoded(column: pa.Array) -> pa.Array:
    """Text as numbers of words, none of which is null."""
    if not pa.types.is_dictionary(column.type):
        return column.dictionary_encode()
    return column.dictionary_decode().dictionary_encode() if column.dictionary.null_count else column


def _truths(column: pa.Array) -> Array:
    found: Array = column.to_numpy(zero_copy_only=False)
    return found


def _integers(column: pa.Array, kind: pa.DataType, filler: int) -> Array:
    """A column as whole numbers, `filler` where it is null; the column's own memory where it is of the kind."""
    cast = column if column.type == kind else column.cast(kind)
    found: Array = (cast.fill_null(filler) if cast.null_count else cast).to_numpy()
    return found


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
    return bool(pa.types.is_integer(found) and not pa.types.is_uint64(found))


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
    if not len(at) or (at.min() >= 0 and at.max() < len(_DAYS)):
        found: Array = _DAYS[at]
        return found
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
    if not len(column):
        return np.zeros(0, np.int64)
    words = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)[column.offset : column.offset + len(column)]
    fen, above = words[:, 0], words[:, 1]
    # Nothing holds a column to the digits that it says: what needs more than 64 bits is beyond every amount.
    fits = above == fen >> 63
    return fen if fits.all() else np.where(fits, fen, LEAST_NUMBER)
