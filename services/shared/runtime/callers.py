"""Callers: bearer tokens (JWT, RFC 9068) verified against pinned keys, and what a role may do where."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from services.shared.runtime.clock import system_now
from services.shared.vocabulary.actor import Actor

ALGORITHM = "Ed25519"
TOKEN_TYPE = "at+jwt"
AUDIENCE = "doudi"
LEEWAY_SECONDS = 30
MAX_TOKEN_LENGTH = 8_192
DEVELOPMENT_KEY_PREFIX = "dev-"
"""Key ids of keys that `doudi` generated; production refuses them."""


class Unauthenticated(Exception):
    """No token, or one that no pinned key vouches for now."""


class Forbidden(Exception):
    """The caller's roles or regions do not allow this."""


class UntrustedKeys(Exception):
    """The file of trusted keys may not be used here, and why."""


class TrustedKeys:
    """The issuers whose tokens count. Each key is pinned to its issuer and to the roles that it may grant.

    A JWKS whose keys carry `iss` and `roles` beside the standard members. Raises UntrustedKeys for a development
    key in production.
    """

    def __init__(self, jwks: Mapping[str, Any], is_production: bool) -> None:
        self._keys = {entry["kid"]: entry for entry in jwks["keys"]}
        if is_production and any(kid.startswith(DEVELOPMENT_KEY_PREFIX) for kid in self._keys):
            raise UntrustedKeys("生产环境不接受开发密钥 / production refuses development keys (kid dev-…)")

    @classmethod
    def read(cls, path: Path, is_production: bool) -> "TrustedKeys":
        """The keys in the JWKS file at `path`."""
        return cls(json.loads(path.read_text(encoding="utf-8")), is_production)

    def actor_of(self, token: str, now: datetime) -> Actor:
        """Who `token` speaks for. Raises Unauthenticated for anything that is not wholly in order."""
        entry = self._entry_for(token)
        try:
            decoded = jwt.decode(token, OKPKey.import_key(_public(entry)), algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            raise Unauthenticated from None
        claims = decoded.claims
        if decoded.header.get("typ") != TOKEN_TYPE or not _in_time(claims, now) or claims.get("aud") != AUDIENCE:
            raise Unauthenticated
        if claims.get("iss") != entry["iss"] or not isinstance(claims.get("sub"), str):
            raise Unauthenticated
        granted = frozenset(_strings(claims.get("roles"))) & frozenset(entry["roles"])
        return Actor(f"{entry['iss']}/{claims['sub']}", granted, tuple(_strings(claims.get("regions"))))

    def _entry_for(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN_LENGTH:
            raise Unauthenticated
        try:
            header = json.loads(_unpadded_base64(token.split(".", 1)[0]))
            return self._keys[header["kid"]]
        except (ValueError, KeyError, TypeError):
            raise Unauthenticated from None


def issue_token(key: OKPKey, key_id: str, issuer: str, actor: Actor, now: datetime, lifetime: timedelta) -> str:
    """A token for `actor`, whose subject is the name within `issuer`, signed by `key`."""
    claims = {
        "iss": issuer,
        "sub": actor.subject,
        "aud": AUDIENCE,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "roles": sorted(actor.roles),
        "regions": list(actor.regions),
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key_id, "typ": TOKEN_TYPE}, claims, key, algorithms=[ALGORITHM])


def authenticate(request: Request) -> Actor:
    """The route dependency that every operation but the written open ones has: the caller, or 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return request.app.state.trusted_keys.actor_of(token.strip(), system_now())


def permitted(action: str) -> Callable[[Request], Actor]:
    """A route dependency: the caller, who has a role that the service's permission table allows `action`."""

    def check(request: Request) -> Actor:
        actor = authenticate(request)
        if not actor.roles & request.app.state.permissions[action].roles:
            raise Forbidden
        request.scope["caller"] = actor.subject
        return actor

    check.action = action  # type: ignore[attr-defined]  # read by the test that every route has a caller
    return check


def _public(entry: Mapping[str, Any]) -> dict[str, str]:
    return {name: entry[name] for name in ("kty", "crv", "x")}


def _in_time(claims: Mapping[str, Any], now: datetime) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int):
        return False
    return issued - LEEWAY_SECONDS <= now.timestamp() < expires + LEEWAY_SECONDS


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _unpadded_base64(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
