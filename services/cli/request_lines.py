"""Reads requests from a file with one JSON document a line."""

from collections.abc import Iterator
from typing import BinaryIO

from services.eligibility.api.household_body import MAX_BODY_BYTES, parse_request
from services.eligibility.domain.request import DeterminationRequest
from services.shared.vocabulary.invalid_body import InvalidBody

Line = tuple[int, DeterminationRequest | InvalidBody]
"""The number of a line, and the request on it or why there is none."""


def requests_in(lines: BinaryIO) -> Iterator[Line]:
    """Each line that is not empty, with its number; one that is longer than a request may be is passed over."""
    number = 0
    while line := lines.readline(MAX_BODY_BYTES + 1):
        number += 1
        read = line
        while not read.endswith(b"\n") and (read := lines.readline(MAX_BODY_BYTES)):
            pass
        if line.strip():
            yield number, _request(line)


def _request(line: bytes) -> DeterminationRequest | InvalidBody:
    try:
        return parse_request(line)
    except InvalidBody as invalid:
        return invalid
