"""What one policy makes of a block of households, as arrays: outcomes and amounts by programme, and totals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from services.shared.policy.columns.decisions import ELIGIBLE, INELIGIBLE, NOTHING, UNDETERMINED
from services.shared.policy.columns.kernel import Facts, Program, Results

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

HOUSEHOLD, MEMBER = "household", "member"
MONTHLY, ONE_OFF = "monthly_total_fen", "one_off_total_fen"
INCOME_PER_HEAD = "income.per_head"
"""The rule whose value orders households by what they live on."""
OBSERVED = (INCOME_PER_HEAD,)
"""What policies that are compared show beside their results (`prepare_population`)."""
NOT, GRANTED, OPEN = 0, 1, 2
"""What a programme is to a row: refused or not there, granted, undetermined."""

_KIND = np.zeros(4, np.int8)
_KIND[[ELIGIBLE, INELIGIBLE, UNDETERMINED]] = GRANTED, NOT, OPEN


@dataclass(frozen=True)
class Granted:
    """One programme's rows: NOT, GRANTED or OPEN, and the amount in fen, 0 where none is granted."""

    entity: str
    is_monthly: bool
    pays: bool
    kind: Array
    fen: Array


@dataclass(frozen=True)
class Outcomes:
    """A block under one policy; `income_per_head` is NOTHING where it is open, None where it was not observed."""

    programmes: Mapping[str, Granted]
    monthly_fen: Array
    one_off_fen: Array
    income_per_head: Array | None


@dataclass(frozen=True)
class People:
    """Who is in a block: for each household how many persons, and for each person the household."""

    persons: Array
    household: Array

    @staticmethod
    def of(facts: Facts) -> "People":
        """Those of the facts that a kernel runs over."""
        persons = np.diff(facts.begins[MEMBER]).astype(np.int64)
        return People(persons, np.repeat(np.arange(len(persons)), persons))


def outcomes_of(program: Program, results: Results) -> Outcomes:
    """The result of a kernel by programme."""
    values = {
        column.name: (results.words if column.words else results.amounts)[column.entity][cell[1]]
        for column, cell in zip(program.columns, program.cells, strict=True)
    }
    programmes = {
        name: _granted(item.entity, bool(item.monthly), values[name], _paid(values, name))
        for name, (item, _) in program.places.programmes.items()
    }
    return Outcomes(programmes, values[MONTHLY], values[ONE_OFF], values.get(INCOME_PER_HEAD))


def _paid(values: Mapping[str, Array], name: str) -> Array | None:
    """What a programme pays, a top-up once all that is granted with it is paid."""
    fen, together = values.get(f"{name}_fen"), values.get(f"{name}_together_fen")
    if fen is None or together is None:
        return fen
    return np.where(together == NOTHING, fen, together)


def _granted(entity: str, is_monthly: bool, outcome: Array, fen: Array | None) -> Granted:
    kind = _KIND[outcome]
    amount = np.zeros(len(kind), np.int64) if fen is None else np.where(fen == NOTHING, 0, fen)
    return Granted(entity, is_monthly, fen is not None, kind, amount)


def of_households(granted: Granted, people: People) -> Granted:
    """The same a household: granted where it is to any of its members, else open where it is for any."""
    if granted.entity == HOUSEHOLD:
        return granted
    kind = np.zeros(len(people.persons), np.int8)
    kind[people.household[granted.kind == OPEN]] = OPEN
    kind[people.household[granted.kind == GRANTED]] = GRANTED
    fen = np.zeros(len(people.persons), np.int64)
    paid = granted.fen != 0
    np.add.at(fen, people.household[paid], granted.fen[paid])
    return Granted(HOUSEHOLD, granted.is_monthly, granted.pays, kind, fen)
