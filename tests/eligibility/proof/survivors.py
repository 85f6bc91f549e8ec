"""The mutants that no household gives away, and why: survivors.txt, one a line after the reason for them.

A reason begins with `equivalent` where none could at all.
"""

from functools import cache
from pathlib import Path

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
