"""The policy in OpenFisca over whole populations: entities counted, arrays in, arrays out; whole fen."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from openfisca_core.indexed_enums import EnumArray
from openfisca_core.periods import MONTH, period
from openfisca_core.simulations import Simulation
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

from benchmarks.comparison.figures import AREAS, REGIONS
from benchmarks.comparison.household import DISABILITIES, EMERGENCIES, WORK_ABILITIES
from benchmarks.comparison.openfisca_policy import HOUSEHOLD, Area, Disability, Emergency, Fen, WorkAbility, policy
from benchmarks.comparison.referee import Outputs

ENUMS = {
    "disability": (Disability, DISABILITIES),
    "work_ability": (WorkAbility, WORK_ABILITIES),
    "area": (Area, AREAS),
    "emergency": (Emergency, EMERGENCIES),
}
Inputs = dict[str, Any]


def system_with(changed: Mapping[str, int], on: str, by_text: bool) -> TaxBenefitSystem:
    """The country package, with some national figures changed from that day's month on.

    It looks figures of places up by the region's text, as OpenFisca's documentation does. Without `by_text` they are
    taken out of arrays by the region's number instead, which its documentation does not tell and which is quicker.
    """
    system = policy(Fen)()
    if not by_text:
        system.add_variable(_variable("place"))
        for variable in (*map(_of_place, ("minimum_wage", "median_income")), _standard()):
            system.replace_variable(variable)
    for name, value in changed.items():
        system.parameters.national.children[name].update(start=period(on[:7]).start, value=value)
    return system


def _variable(name: str, formula: Callable[..., Any] | None = None) -> Any:
    body = {"value_type": int, "entity": HOUSEHOLD, "definition_period": MONTH, "label": name}
    return type(name, (Variable,), body if formula is None else {**body, "formula": formula})


def _of_place(name: str) -> Any:
    def formula(households: Any, period: Any, parameters: Any) -> Any:
        return _series(parameters(period), name)[households("place", period)]

    return _variable(name, formula)


def _standard() -> Any:
    def formula(households: Any, period: Any, parameters: Any) -> Any:
        here, place = parameters(period), households("place", period)
        is_urban = households("area", period) == Area.urban
        return np.where(is_urban, _series(here, "standard_urban")[place], _series(here, "standard_rural")[place])

    return _variable("standard", formula)


def _series(here: Any, name: str) -> Any:
    return np.array([getattr(here.places[region], name) for region in REGIONS])


def inputs(households: pa.Table, members: pa.Table, by_text: bool) -> tuple[Inputs, Inputs, Any]:
    """The arrays as OpenFisca holds them: of households, of persons, and each person's household by its number."""
    of_households = {
        {"emergency": "emergency_kind"}.get(name, name): _array(name, households[name])
        for name in households.column_names
        if name not in ("id", "region")
    }
    regions = _numbers(households["region"], REGIONS)
    of_households |= {"region": np.array(REGIONS)[regions]} if by_text else {"place": regions.astype(np.int32)}
    of_persons = {name: _array(name, members[name]) for name in members.column_names if name != "household"}
    return of_households, of_persons, np.searchsorted(households["id"].to_numpy(), members["household"].to_numpy())


def _array(name: str, column: pa.ChunkedArray) -> Any:
    if name in ENUMS:
        enum, codes = ENUMS[name]
        return EnumArray(_numbers(column, codes).astype(np.uint8), enum)
    values = column.to_numpy()
    return values if values.dtype == np.bool_ else values.astype(np.int32)


def _numbers(column: pa.ChunkedArray, codes: tuple[str, ...]) -> Any:
    one = column.unify_dictionaries().combine_chunks()
    one = one.chunk(0) if isinstance(one, pa.ChunkedArray) else one
    return np.array([codes.index(code) for code in one.dictionary.to_pylist()])[one.indices.to_numpy()]


def calculated(system: TaxBenefitSystem, on: str, given: tuple[Inputs, Inputs, Any]) -> dict[str, Any]:
    """The eleven outputs of every household: a simulation made, its inputs set, eleven variables calculated."""
    of_households, of_persons, household = given
    populations = system.instantiate_entities()
    populations["person"].count = len(household)
    populations["household"].count = len(next(iter(of_households.values())))
    populations["household"].members_entity_id = household
    simulation, month = Simulation(system, populations), period(on[:7])
    for name, values in (of_households | of_persons).items():
        simulation.set_input(name, month, values)
    return {name: simulation.calculate(name, month) for name in Outputs._fields}
