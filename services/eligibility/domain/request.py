"""What is asked: a household's facts at a date and place, as they were sent and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Body = Mapping[str, Any]
"""A checked body: money in fen, dates as date numbers (20230801), absent keys absent; see the contract for names."""

PROGRAMMES = (
    "dibao",
    "dibao_single",
    "tekun",
    "orphan_allowance",
    "unsupported_child_allowance",
    "dibao_margin",
    "rigid_expenditure",
    "medical_aid",
    "premium_aid",
    "education_aid",
    "housing_aid",
    "employment_aid",
    "disaster_relief",
    "temporary_aid",
    "small_advance",
    "homeless_aid",
    "emergency_medical_aid",
    "child_rehabilitation",
    "legal_aid",
    "judicial_aid",
    "heating_aid",
    "funeral_aid",
    "disability_living_subsidy",
    "disability_care_subsidy",
    "old_age_allowance",
    "elderly_care_subsidy",
    "living_supplement",
    "price_subsidy",
    "festival_grant",
)


@dataclass(frozen=True, slots=True)
class DeterminationRequest:
    """One request. `programmes` is None when none are named, which asks for all that the packs hold."""

    as_of: date
    region: str
    household: Body = field(repr=False)
    events: tuple[Body, ...] | None = field(repr=False)
    programmes: tuple[str, ...] | None
    parameters: Mapping[str, str | bool | int]

    @property
    def simulation(self) -> bool:
        """Whether figures were replaced, so that the answer may never be recorded as a decision."""
        return bool(self.parameters)
