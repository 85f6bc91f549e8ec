"""Calls from one service to another: bounded in time, signed as the caller, never made inside a transaction."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.runtime.environment import SettingRefused
from services.shared.vocabulary.actor import NATION, Actor

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0
"""For each silence of the peer, and, from the answer's beginning on, for the whole of it."""
MAX_ANSWER_BYTES = 1_000_000
TOKEN_LIFETIME = timedelta(minutes=5)
SERVICE_ROLE = "service"
PASSING_REFUSALS = (401, 408, 429)
"""A 401 passes when keys or clocks have been put right; the message must not be lost for it."""
MAX_CODE_LENGTH = 100


@dataclass(eq=False)
class PeerUnavailable(Exception):
    """The peer gave no answer, or one that says to come again: nothing is known of the effect."""

    peer: str


@dataclass(eq=False)
class PeerRefused(Exception):
    """The peer understood and said no; sending the same again will not help."""

    peer: str
    status: int
    code: str


class ServiceClient:
    """One service's line to another; `identity` is the name that it signs its tokens with.

    Raises SettingRefused for a key file that cannot be used.
    """

    def __init__(self, peer: str, url: str, identity: str, signing_key_file: Path) -> None:
        self.peer = peer
        self._identity = identity
        self._key = _read_key(identity, signing_key_file)
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def post(self, path: str, body: Mapping[str, Any], idempotency_key: str) -> dict[str, Any]:
        """The peer's answer. Raises PeerUnavailable when the same should be sent again later, PeerRefused when not."""
        return self._call("POST", path, MAX_ANSWER_BYTES, body, {"Idempotency-Key": idempotency_key})

    def get(self, path: str, max_answer_bytes: int) -> dict[str, Any]:
        """What stands at `path`, at most so many bytes of it. Raises PeerUnavailable and PeerRefused as `post` does."""
        return self._call("GET", path, max_answer_bytes)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _call(
        self,
        method: str,
        path: str,
        max_answer_bytes: int,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        signed = {"Authorization": f"Bearer {self._token()}", **(headers or {})}
        try:
            with self._http.stream(method, path, json=body, headers=signed) as answer:
                said = _object_in(_read_within_bounds(answer, max_answer_bytes))
        except (httpx.HTTPError, _TooMuch):
            raise PeerUnavailable(self.peer) from None
        if answer.is_client_error and answer.status_code not in PASSING_REFUSALS:
            raise PeerRefused(self.peer, answer.status_code, str((said or {}).get("code", ""))[:MAX_CODE_LENGTH])
        if not answer.is_success or said is None:
            raise PeerUnavailable(self.peer)
        return said

    def _token(self) -> str:
        actor = Actor(self._identity, frozenset({SERVICE_ROLE}), (NATION,))
        return issue_token(self._key, self._identity, self._identity, actor, system_now(), TOKEN_LIFETIME)


class _TooMuch(Exception):
    """The answer is too long, or takes too long."""


def _read_key(identity: str, file: Path) -> OKPKey:
    try:
        key = OKPKey.import_key(file.read_text(encoding="utf-8"))
        if not key.is_private:
            raise ValueError
        return key
    except (OSError, ValueError, JoseError):
        name = f"DOUDI_{identity.upper()}_SIGNING_KEY_FILE"
        raise SettingRefused(f"{name} 指向的文件无法使用 / the file that it names cannot be used: {file}") from None


def _read_within_bounds(answer: httpx.Response, max_bytes: int) -> bytes:
    started, body = time.monotonic(), bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > max_bytes or time.monotonic() - started > ANSWER_SECONDS:
            raise _TooMuch
    return bytes(body)


def _object_in(body: bytes) -> dict[str, Any] | None:
    """The JSON object that `body` is; None for anything else, which no service of ours answers."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
