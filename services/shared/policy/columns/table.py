"""A population as an Arrow table: a row a household, each list of an entity a list of structs inside its parent."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from services.shared.policy.open_value import Unknown
from services.shared.policy.schema import BOOL, DATE, MONEY, Entity, Kind, Schema

REGION = "region"
"""The column with the code of the place whose rules apply (GB/T 2260)."""
COMPLETE = "_complete"
"""After a list's name: the column that says whether the list is whole; null is true, if the list is told at all."""
MONEY_UNIT = {b"doudi.money_unit": b"fen"}
"""Stands in the table's metadata where amounts are whole numbers; an amount in yuan is a decimal with two places."""


def arrow_type(kind: Kind) -> pa.DataType:
    """How a fact of a kind is written."""
    if kind == BOOL:
        return pa.bool_()
    if kind.codes:
        return pa.dictionary(pa.int8(), pa.string())
    if kind == DATE:
        return pa.date32()
    return pa.int64() if kind == MONEY else pa.int32()


def rows_to_table(schema: Schema, rows: Sequence[Sequence[Any]], regions: Iterable[str]) -> pa.Table:
    """Rows as rules run over them, each with its region, as a table; what is Unknown is null, and a list with an
    Unknown beside it is not complete; null where it has no row either."""
    columns = _columns(schema, schema.root, rows)
    columns[REGION] = pa.array(list(regions), pa.string()).dictionary_encode()
    return pa.table(columns, metadata=MONEY_UNIT)


def _columns(schema: Schema, entity: Entity, rows: Sequence[Sequence[Any]]) -> dict[str, pa.Array]:
    columns = {
        fact.name: _values(fact.kind, [row[position] for row in rows]) for position, fact in enumerate(entity.facts)
    }
    for child in schema.children(entity.name):
        slot = schema.rows_slot(child.name)
        lists = [row[slot] for row in rows]
        inner = _columns(schema, child, [each for told in lists for each in told])
        offsets = [0]
        for told in lists:
            offsets.append(offsets[-1] + len(told))
        structs = pa.StructArray.from_arrays(list(inner.values()), names=list(inner))
        whole = [row[slot + 1] is True for row in rows]
        # Of whom nothing is said at all there is no list, so that what packs presume may stand for it.
        untold = [not told and not is_whole for told, is_whole in zip(lists, whole, strict=True)]
        columns[child.plural] = pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), structs, mask=pa.array(untold, pa.bool_())
        )
        if not child.always_complete:
            said = [None if nothing else is_whole for nothing, is_whole in zip(untold, whole, strict=True)]
            columns[child.plural + COMPLETE] = pa.array(said, pa.bool_())
    return columns


def _values(kind: Kind, values: Sequence[Any]) -> pa.Array:
    known = [None if isinstance(value, Unknown) else value for value in values]
    if kind == DATE:
        return pa.array([None if day is None else _day(day) for day in known], pa.date32())
    if kind.codes:
        return pa.array(known, pa.string()).dictionary_encode().cast(arrow_type(kind))
    return pa.array(known, arrow_type(kind))


def _day(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)


def named_columns(schema: Schema, entity: str, names: Iterable[str]) -> Mapping[str, str]:
    """What the columns of an entity's rows are called from the table on, such as members.supporters.relation."""
    path = [schema.by_name[each].plural for each in schema.lineage(entity)[1:]]
    return {name: ".".join([*path, name]) for name in names}
