"""What eligibility awards: who is owed what, from which month, and for how many persons."""

from dataclasses import dataclass
from datetime import date

from services.payments.domain.end_to_end_id import PaymentKind
from services.payments.domain.share import split_share

MOST_MEMBERS = 99


class AwardInvalid(ValueError):
    """The award contradicts itself."""


@dataclass(frozen=True, slots=True)
class Award:
    """One confirmed grant. A monthly one runs from the month `starts_on` (a first of month) until `ends_on`, which is
    not paid any more, or openly; a one-off has its day in `starts_on` and no end. Amounts in fen.

    Raises AwardInvalid for an amount below 1 fen, no member, months that are no firsts of a month,
    or an end that is not after the start.
    """

    id: str
    programme: str
    region: str
    kind: PaymentKind
    amount_fen: int
    starts_on: date
    ends_on: date | None
    members: int

    def __post_init__(self) -> None:
        if self.amount_fen < 1:
            raise AwardInvalid("an award is at least one fen")
        if not 1 <= self.members <= MOST_MEMBERS:
            raise AwardInvalid(f"an award is for 1 to {MOST_MEMBERS} persons")
        if self.is_monthly and any(day.day != 1 for day in (self.starts_on, self.ends_on) if day is not None):
            raise AwardInvalid("a monthly award starts and ends on the first of a month")
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            raise AwardInvalid("an award ends after it starts")

    @property
    def is_monthly(self) -> bool:
        """Whether it is owed anew each month."""
        return self.kind is PaymentKind.REGULAR

    def months_owed(self, until: date) -> tuple[date, ...]:
        """The firsts of the months owed that have begun by `until`, and always the first one; a one-off owes one."""
        months = [self.starts_on.replace(day=1)]
        while (following := self.month_after(months[-1])) is not None and following <= until:
            months.append(following)
        return tuple(months)

    def month_after(self, month: date) -> date | None:
        """The month owed after `month` (a first of month), or None when that was the last."""
        if not self.is_monthly:
            return None
        following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        return following if self.ends_on is None or following < self.ends_on else None

    def amount_without(self, stopped_members: int) -> int:
        """What stays owed, in fen, when the shares of `stopped_members` have been stopped by two persons; 0 for all."""
        if stopped_members >= self.members:
            return 0
        if stopped_members == 0:
            return self.amount_fen
        return split_share(self.amount_fen, self.members, stopped_members)[1]
