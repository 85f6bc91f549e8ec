"""The EndToEndId of a payment line: its natural key, spelled so that the bank's answer can be matched by reading it."""

import re
from dataclasses import dataclass
from enum import IntEnum


class PaymentKind(IntEnum):
    """What a line pays: the month itself, arrears of it, an addition to it, or a grant that is not monthly."""

    REGULAR = 1
    ARREARS = 2
    TOP_UP = 3
    ONE_OFF = 4


LARGEST_BENEFICIARY = 10**12 - 1
LARGEST_TWO_DIGITS = 99
LENGTH = 31

_FORM = re.compile(r"DB(\d{6})(\d{12})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})B", re.ASCII)


class EndToEndIdInvalid(ValueError):
    """The text is not an EndToEndId of ours: wrong form, wrong check digits, or a month or kind that does not exist."""


@dataclass(frozen=True, slots=True)
class LineKey:
    """The natural key of a line; at most one live line exists for each.

    `month` is the entitlement month as (year, month), never the month of paying. `programme` is the number of the
    programme (1 to 99). `cause` is 0 for the month's own decision and n for its n-th later change. `sequence` counts
    the re-issues. Raises ValueError outside these bounds.
    """

    month: tuple[int, int]
    beneficiary: int
    programme: int
    kind: PaymentKind
    cause: int = 0
    sequence: int = 0

    def __post_init__(self) -> None:
        year, month = self.month
        if not (1949 <= year <= 9999 and 1 <= month <= 12):
            raise ValueError("the month of a line key does not exist")
        if not 1 <= self.beneficiary <= LARGEST_BENEFICIARY:
            raise ValueError("a beneficiary number has one to twelve digits")
        if not 1 <= self.programme <= LARGEST_TWO_DIGITS:
            raise ValueError("a programme number is 1 to 99")
        if not (0 <= self.cause <= LARGEST_TWO_DIGITS and 0 <= self.sequence <= LARGEST_TWO_DIGITS):
            raise ValueError("cause and sequence are 0 to 99")


def format_end_to_end_id(key: LineKey) -> str:
    """`DB`, yyyymm, beneficiary (12), programme, kind, cause, sequence, two check digits, `B`: 31 characters.

    The check digits are those of ISO 7064 MOD 97-10 over the 26 digits before them.
    """
    year, month = key.month
    digits = (
        f"{year:04d}{month:02d}{key.beneficiary:012d}{key.programme:02d}{key.kind:02d}{key.cause:02d}{key.sequence:02d}"
    )
    return f"DB{digits}{98 - int(digits) * 100 % 97:02d}B"


def parse_end_to_end_id(text: str) -> LineKey:
    """The key inside an EndToEndId. Raises EndToEndIdInvalid; the text itself is never repeated in the message."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise EndToEndIdInvalid("an EndToEndId is DB, 28 digits and B")
    if int("".join(match.groups())) % 97 != 1:
        raise EndToEndIdInvalid("the check digits of an EndToEndId do not fit")
    month, beneficiary, programme, kind, cause, sequence, _ = match.groups()
    try:
        return LineKey(
            (int(month[:4]), int(month[4:])),
            int(beneficiary),
            int(programme),
            PaymentKind(int(kind)),
            int(cause),
            int(sequence),
        )
    except ValueError as error:
        raise EndToEndIdInvalid("an EndToEndId names a month, programme or kind that does not exist") from error
