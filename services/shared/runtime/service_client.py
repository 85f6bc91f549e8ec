"""Calls from one service to another: bounded in time, signed as the caller, never made inside a transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import OKPKey

from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.vocabulary.actor import NATION, Actor

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0
TOKEN_LIFETIME = timedelta(minutes=5)
SERVICE_ROLE = "service"


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
    """One service's line to another; `identity` is the name that it signs its tokens with."""

    def __init__(self, peer: str, url: str, identity: str, signing_key_file: Path) -> None:
        self.peer = peer
        self._identity = identity
        self._key = OKPKey.import_key(signing_key_file.read_text(encoding="utf-8"))
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def post(self, path: str, body: Mapping[str, Any], idempotency_key: str) -> dict[str, Any]:
        """The peer's answer. Raises PeerUnavailable when the same should be sent again later, PeerRefused when not."""
        headers = {"Authorization": f"Bearer {self._token()}", "Idempotency-Key": idempotency_key}
        try:
            answer = self._http.post(path, json=body, headers=headers)
        except httpx.HTTPError:
            raise PeerUnavailable(self.peer) from None
        if answer.status_code >= 500 or answer.status_code in (401, 408, 429):
            # A 401 passes when keys or clocks have been put right; the message must not be lost for it.
            raise PeerUnavailable(self.peer)
        if answer.is_error:
            raise PeerRefused(self.peer, answer.status_code, _code_of(answer))
        return answer.json()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _token(self) -> str:
        actor = Actor(self._identity, frozenset({SERVICE_ROLE}), (NATION,))
        return issue_token(self._key, self._identity, self._identity, actor, system_now(), TOKEN_LIFETIME)


def _code_of(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", ""))[:100]
    except ValueError:
        return ""
