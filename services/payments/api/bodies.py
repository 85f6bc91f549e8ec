"""What bodies and queries of payments have in common: strictness, and the spelling of money, months and places."""

from datetime import date
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from services.payments.gateways.policy_pack import PaymentPack
from services.payments.use_cases.advance_lines import Who
from services.shared.runtime.callers import Forbidden
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import NATION, Actor, prefixes_of

MONTH_PATTERN = r"^(19[5-9]\d|[2-9]\d{3})-(0[1-9]|1[0-2])$"
REGION_PATTERN = r"^\d{6}$"
MONEY_PATTERN = r"^(0|[1-9]\d{0,11})\.\d{2}$"
ID_PATTERN = r"^[A-Za-z0-9_.:-]{1,60}$"


class StrictBody(BaseModel):
    """A body that takes nothing it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EmptyBody(StrictBody):
    """Nothing needs to be said."""


Identifier = Annotated[str, Field(pattern=ID_PATTERN)]


def who_of(request: Request, runtime: Runtime, actor: Actor) -> Who:
    """Who acts in this request, at the business time that the whole request has."""
    return Who(actor.subject, runtime.now(), request.scope.get("request_id", ""))


async def pack_of(request: Request) -> PaymentPack:
    """The dependency by which a route gets at the payment rules."""
    return request.app.state.payment_pack


def first_of_month(text: str) -> date:
    """The first day of "2023-09"."""
    return date(int(text[:4]), int(text[5:7]), 1)


def month_text(day: date) -> str:
    """ "2023-09" for any day of it."""
    return f"{day:%Y-%m}"


def require_nation(actor: Actor) -> None:
    """Raise Forbidden for a caller of some regions alone: what is asked for is of the whole paying office."""
    if not actor.covers(NATION):
        raise Forbidden


def prefixes_within(actor: Actor, region: str | None) -> tuple[str, ...]:
    """The digit prefixes of what the caller may see, narrowed to `region`. Raises NotFound outside their regions."""
    if region is None:
        return tuple(prefix for own in actor.regions for prefix in prefixes_of(own))
    if not actor.covers(region):
        raise NotFound
    return prefixes_of(region)
