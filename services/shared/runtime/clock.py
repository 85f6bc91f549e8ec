"""The clocks: the machine's, and the test clock that stands where it was put."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

Now = Callable[[], datetime]

CHINA_STANDARD_TIME = timezone(timedelta(hours=8), "CST")
"""The one legal time of China (UTC+8, no summer time): every due day and deadline is a day of it."""


class ClockMayNotGoBack(Exception):
    """The test clock only moves forward."""


def system_now() -> datetime:
    """The machine's instant, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one place that reads the machine's clock


def china_date(instant: datetime) -> date:
    """The calendar day in China at `instant`."""
    return instant.astimezone(CHINA_STANDARD_TIME).date()
