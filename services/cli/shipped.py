"""What each service's migration loads beside its tables."""

from sqlalchemy import Connection

from services.cli.migration import ShippedData
from services.payments.use_cases.load_calendar import load_calendar
from services.shared.runtime.clock import system_now


def _calendar_years(owner: Connection) -> None:
    load_calendar(owner, system_now())


SHIPPED: dict[str, ShippedData] = {"payments": _calendar_years}
