"""JSON text on its way out, one character for each byte of its UTF-8, so that joining and encoding it only copies."""

from collections.abc import Sequence
from typing import Any

import orjson

NULL = "null"


def wire(value: Any) -> str:
    """The value as canonical JSON: keys sorted, no spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode("latin-1")


def wire_inside(text: str) -> str:
    """The text as it stands between the quotes of a JSON string."""
    return wire(text)[1:-1]


def wire_bytes(text: str) -> bytes:
    """The bytes to send."""
    return text.encode("latin-1")


def wire_list(items: Sequence[str]) -> str:
    """A JSON list of what is on its way already."""
    return f"[{','.join(items)}]" if items else "[]"
