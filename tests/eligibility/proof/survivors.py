"""The mutants that no household can give away, and why: survivors.txt, one a line after the reason for them."""

from functools import cache
from pathlib import Path

EQUIVALENT = "equivalent:"
"""Begins the reason of mutants that differ from their rule for no household at all."""
LIST = Path(__file__).parent / "survivors.txt"


@cache
def listed() -> dict[str, str]:
    """Each survivor by its name, with the reason: the last line before it that begins with `#`."""
    found: dict[str, str] = {}
    reason = ""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            reason = line.removeprefix("#").strip()
        elif line.strip():
            found[line.strip()] = reason
    return found


def equivalent() -> frozenset[str]:
    """Those of the list that can be given away by no household."""
    return frozenset(name for name, reason in listed().items() if reason.startswith(EQUIVALENT))
