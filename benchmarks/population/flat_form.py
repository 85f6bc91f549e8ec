"""The same households as two flat tables, a row a household and a row a member, which is how peers take them."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.comparison.household import DISABILITIES, EMERGENCIES, Household, Member
from benchmarks.comparison.request_body import INCOME

Array = np.ndarray[Any, Any]


def flat_tables(block: pa.Table, on: date) -> tuple[pa.Table, pa.Table]:
    """Households and members of a table of the comparison policy, members in the order of their households.

    What peers need not work out is worked out here: ages on the day, cars and capital counted, who has a supporter.
    """
    columns = {name: block.column(name).combine_chunks() for name in block.column_names}
    members = _fields(columns["members"])
    sizes = _lengths(columns["members"])
    ids = columns["id"].to_numpy() if "id" in columns else np.arange(block.num_rows)
    of_member = np.repeat(np.arange(block.num_rows), sizes)
    households = {
        "id": ids,
        "region": columns["region"],
        "area": columns["area_type"],
        "financial": columns["financial"],
        "cars": _lengths(columns["vehicles"]).astype(np.int8),
        "homes": columns["homes"].cast(pa.int8()),
        "company_capital": _of_one(columns["businesses"], "registered_capital", 0),
        "no_supporter": np.bincount(of_member, _outside(members["supporters"]), block.num_rows) == 0,
        "medical": columns["spending_medical"],
        "education": columns["spending_education"],
        "emergency": _emergencies(columns["events"]),
    }
    return pa.table(households), pa.table({"household": np.repeat(ids, sizes), **_persons(members, on)})


def _persons(members: dict[str, pa.Array], on: date) -> dict[str, Any]:
    return {
        "age": _ages(members["birth_date"], on),
        "disability": _disabilities(members),
        "grade": members["disability_grade"].cast(pa.int8()),
        "work_ability": members["work_ability"],
        "student": members["student_full_time"],
        "self_care_failures": members["self_care_failures"].cast(pa.int8()),
        **{name: members[f"income_{kind}"] for name, kind in INCOME.items()},
    }


def _fields(lists: pa.Array) -> dict[str, pa.Array]:
    structs = lists.flatten()
    names = [field.name for field in structs.type]
    return dict(zip(names, structs.flatten(), strict=True))


def _lengths(lists: pa.Array) -> Array:
    return pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)


def _of_one(lists: pa.Array, name: str, otherwise: int) -> Array:
    """The field of each list's only struct."""
    found = np.full(len(lists), otherwise, np.int64)
    found[_lengths(lists) > 0] = _fields(lists)[name].to_numpy()
    return found


def _outside(supporters: pa.Array) -> Array:
    """How many of each list do not live in the household."""
    lengths = _lengths(supporters)
    is_outside = ~_fields(supporters)["in_household"].to_numpy(zero_copy_only=False).astype(np.bool_)
    return np.bincount(np.repeat(np.arange(len(lengths)), lengths), is_outside, len(lengths))


def _emergencies(events: pa.Array) -> pa.DictionaryArray:
    number = np.full(len(events), EMERGENCIES.index("none"), np.int8)
    kinds = _fields(events)["kind"].cast(pa.string())
    number[_lengths(events) > 0] = pc.index_in(kinds, pa.array(EMERGENCIES)).to_numpy()
    return _coded(number, EMERGENCIES)


def _disabilities(members: dict[str, pa.Array]) -> pa.DictionaryArray:
    """The kind, of which rules ask nothing but whether it is of the mind."""
    number = np.where(members["disability_grade"].to_numpy() > 0, DISABILITIES.index("physical"), 0)
    for kind in ("intellectual", "mental"):
        number[members[f"grade_{kind}"].to_numpy() > 0] = DISABILITIES.index(kind)
    return _coded(number, DISABILITIES)


def _ages(born: pa.Array, on: date) -> Array:
    days = born.cast(pa.int32()).to_numpy().astype("M8[D]")
    months = days.astype("M8[M]")
    day = (days - months.astype("M8[D]")).astype(np.int64) + 1
    turned = np.datetime64(on, "M").astype(np.int64) - months.astype(np.int64) - (day > on.day)
    return (turned // 12).astype(np.int8)


def _coded(numbers: Array, codes: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int8)), pa.array(list(codes)))


def households_of(households: pa.Table, members: pa.Table, on: date) -> Iterator[Household]:
    """Flat rows as the referee takes them; ids are the rows' numbers."""
    people: dict[int, list[Member]] = {}
    for row in members.to_pylist():
        people.setdefault(row.pop("household"), []).append(Member(**row))
    for row in households.to_pylist():
        yield Household(on=on.isoformat(), members=tuple(people[row.pop("id")]), **row)
