"""The paying bank over HTTP: bounded in time and size, and honest about not knowing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx

from services.payments.gateways.iso20022 import LARGEST_MESSAGE_BYTES, BankMessageInvalid

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0
WHOLE_CALL_SECONDS = 60.0
MOST_DAYS_AT_ONCE = 1_000

_COME_AGAIN = frozenset({401, 403, 408, 425, 429})


class BankUnavailable(Exception):
    """The bank gave no answer, or one that says to come again: nothing is known of the effect."""


class BankRefusedFile(Exception):
    """The bank read the message and will not take it, now or later; `code` is its HTTP status."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the bank answered {code}")
        self.code = code


class Bank:
    """One bank's line; every call ends within its deadline. Raises BankUnavailable whenever the effect is unknown."""

    def __init__(self, url: str, key_file: Path, answer_seconds: float = ANSWER_SECONDS) -> None:
        timeout = httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS)
        key = key_file.read_text(encoding="ascii").strip()
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, timeout=timeout, headers=headers, trust_env=False)

    def send(self, content: bytes) -> bytes:
        """Send a pain.001; the answer is a pain.002 about the file.

        Raises BankRefusedFile for a 4xx that sending again cannot change, BankUnavailable otherwise.
        """
        with self._call("POST", "/pay-files", content=content) as (status, body):
            if 400 <= status < 500:
                raise BankRefusedFile(status)
            return body

    def ask(self, msg_id: str) -> bytes | None:
        """What the bank answered to this file, or None when it never took it."""
        return self._get(f"/pay-files/{msg_id}")

    def report(self, msg_id: str) -> bytes | None:
        """The pain.002 with the file's transactions, or None when there is none yet."""
        return self._get(f"/pay-files/{msg_id}/report")

    def closed_days(self, after: date) -> list[date]:
        """The days after `after` for which a statement with entries exists, oldest first."""
        with self._call("GET", "/statements", params={"after": after.isoformat()}) as (status, body):
            if status != 200:
                raise BankUnavailable
            return _days(body)

    def statement(self, day: date) -> bytes | None:
        """The camt.053 of one day, or None while the day is not over."""
        return self._get(f"/statements/{day.isoformat()}")

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _get(self, path: str) -> bytes | None:
        with self._call("GET", path) as (status, body):
            if status == 404:
                return None
            if status != 200:
                raise BankUnavailable
            return body

    @contextmanager
    def _call(self, method: str, path: str, **options: object) -> Iterator[tuple[int, bytes]]:
        try:
            with self._http.stream(method, path, **options) as response:  # type: ignore[arg-type]
                status, body = response.status_code, _bounded(response)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise BankUnavailable from None
        if status >= 500 or status in _COME_AGAIN:
            raise BankUnavailable
        yield status, body


def _bounded(response: httpx.Response) -> bytes:
    body, ends_at = bytearray(), time.monotonic() + WHOLE_CALL_SECONDS
    for chunk in response.iter_bytes():
        body += chunk
        if time.monotonic() > ends_at:  # httpx bounds each wait, not their sum
            raise BankUnavailable
        if len(body) > LARGEST_MESSAGE_BYTES:
            raise BankMessageInvalid(f"an answer of the bank is larger than {LARGEST_MESSAGE_BYTES} bytes")
    return bytes(body)


def _days(body: bytes) -> list[date]:
    try:
        days = httpx.Response(200, content=body).json()["days"]
        return sorted(date.fromisoformat(day) for day in days[:MOST_DAYS_AT_ONCE])
    except (ValueError, KeyError, TypeError):
        raise BankMessageInvalid("the bank's list of closed days cannot be read") from None
