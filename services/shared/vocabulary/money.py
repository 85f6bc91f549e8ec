"""Money as integer fen, and its one spelling outside: yuan with two places, "738.00"."""

import re

FEN_PER_YUAN = 100
MAX_YUAN_DIGITS = 12
"""Digits before the point that any amount may have; more is a mistake of the sender."""
MAX_FEN = 10 ** (MAX_YUAN_DIGITS + 2) - 1

_SPELLING = re.compile(r"([0-9]{1,12})\.([0-9]{2})")


class NotMoney(ValueError):
    """The text is not an amount in yuan with two places, at most twelve digits before the point, not negative."""


def fen_of(text: str) -> int:
    """The fen in "738.00" (73800). Raises NotMoney for any other spelling, a sign or a thirteenth digit."""
    found = _SPELLING.fullmatch(text)
    if found is None:
        raise NotMoney("an amount is yuan with two places, such as 738.00")
    return int(found[1] + found[2])


def yuan_of(fen: int) -> str:
    """The amount as it is written outside: 73800 is "738.00"; a negative one has a leading minus."""
    sign, size = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{size // FEN_PER_YUAN}.{size % FEN_PER_YUAN:02d}"
