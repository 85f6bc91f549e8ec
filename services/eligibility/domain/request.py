"""What is asked: a household's facts at a date and place, as they were sent and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Body = Mapping[str, Any]
"""A checked body: money in fen, dates as date numbers (20230801), absent keys absent; see the contract for names."""

TIERS: Mapping[str, str] = {
    "dibao": "basic",
    "dibao_single": "basic",
    "tekun": "basic",
    "orphan_allowance": "basic",
    "unsupported_child_allowance": "basic",
    "dibao_margin": "status",
    "rigid_expenditure": "status",
    "medical_aid": "special",
    "premium_aid": "special",
    "education_aid": "special",
    "housing_aid": "special",
    "employment_aid": "special",
    "disaster_relief": "special",
    "temporary_aid": "emergency",
    "small_advance": "emergency",
    "homeless_aid": "emergency",
    "emergency_medical_aid": "emergency",
    "child_rehabilitation": "special",
    "legal_aid": "special",
    "judicial_aid": "special",
    "heating_aid": "special",
    "funeral_aid": "special",
    "disability_living_subsidy": "linked",
    "disability_care_subsidy": "linked",
    "old_age_allowance": "linked",
    "elderly_care_subsidy": "linked",
    "living_supplement": "linked",
    "price_subsidy": "run",
    "festival_grant": "run",
}
"""Every programme that may be asked for, and its tier; packs say which have rules."""

PROGRAMMES = tuple(TIERS)


@dataclass(frozen=True, slots=True)
class DeterminationRequest:
    """One request. `programmes` is None when none are named, which asks for all that the packs hold."""

    as_of: date
    region: str
    household: Body = field(repr=False)
    events: tuple[Body, ...] | None = field(repr=False)
    programmes: tuple[str, ...] | None
    parameters: Mapping[str, str | bool | int]
    origins: tuple[Body, ...] = field(default=(), repr=False)
    """Where facts come from, for explanations; no answer hangs on them."""
    packs: tuple[Mapping[str, str], ...] = field(default=(), repr=False)
    """Packs to lay over those in force: the text of each file by its name."""

    @property
    def simulation(self) -> bool:
        """Whether figures or packs were replaced, so that the answer may never be recorded as a decision."""
        return bool(self.parameters or self.packs)
