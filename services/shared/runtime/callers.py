"""Callers: bearer tokens (JWT, RFC 9068) verified against pinned keys, and what a role may do where."""

import hashlib
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from services.shared.runtime.clock import system_now
from services.shared.runtime.environment import StartRefused
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.region import is_region_code

ALGORITHM = "Ed25519"
TOKEN_TYPES = ("at+jwt", "application/at+jwt")
"""What RFC 9068 §4 lets the header `typ` be, in any case of letters."""
AUDIENCE = "doudi"
LEEWAY_SECONDS = 30
MAX_TOKEN_LENGTH = 8_192
MAX_SUBJECT_LENGTH = 200
MAX_REMEMBERED_TOKENS = 1_000
COULD_BE_A_PERSON = re.compile(r"\d{15}")
"""A subject goes into logs and events, so an issuer that names people by their ID numbers is not understood."""
DEVELOPMENT_KEY_PREFIX = "dev-"
"""Key ids of keys that `doudi` generated; production refuses them."""


class Unauthenticated(Exception):
    """No token, or one that no pinned key vouches for now."""


class Forbidden(Exception):
    """The caller's roles or regions do not allow this."""


class UntrustedKeys(StartRefused):
    """The file of trusted keys may not be used here, and why."""


@dataclass(frozen=True, slots=True)
class _TrustedKey:
    public_key: OKPKey
    issuer: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Vouched:
    """A token whose signature and names were found in order: who it speaks for, and its times."""

    actor: Actor
    claims: Mapping[str, Any]


class TrustedKeys:
    """The issuers whose tokens count. Each key is pinned to its issuer and to the roles that it may grant.

    A JWKS whose keys carry `iss` and `roles` beside the standard members. Raises UntrustedKeys for one that is not
    so, and for a development key in production.
    """

    def __init__(self, jwks: Mapping[str, Any], is_production: bool) -> None:
        try:
            self._keys = {entry["kid"]: _trusted_key(entry) for entry in jwks["keys"]}
            is_whole = 0 < len(self._keys) == len(jwks["keys"])
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            is_whole = False
        if not is_whole:
            raise UntrustedKeys(
                "受信密钥文件有误：每个密钥须有唯一的 kid、iss、roles 及 Ed25519 公钥 / "
                "trusted keys: each needs its own kid, iss, roles and an Ed25519 public key"
            )
        if is_production and any(kid.startswith(DEVELOPMENT_KEY_PREFIX) for kid in self._keys):
            raise UntrustedKeys("生产环境不接受开发密钥 / production refuses development keys (kid dev-…)")
        _refuse_issuers_that_speak_for_another({key.issuer for key in self._keys.values()})
        self._vouched: dict[bytes, _Vouched] = {}

    @classmethod
    def read(cls, path: Path, is_production: bool) -> "TrustedKeys":
        """The keys in the JWKS file at `path`; raises UntrustedKeys when it cannot be read."""
        try:
            jwks = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise UntrustedKeys(f"受信密钥文件无法读取 / the file of trusted keys cannot be read: {path}") from None
        return cls(jwks, is_production)

    def actor_of(self, token: str, now: datetime) -> Actor:
        """Who `token` speaks for. Raises Unauthenticated for anything that is not wholly in order."""
        # A portal sends one token with thousands of requests; its signature does not change, only the hour does.
        seen = hashlib.sha256(token.encode(errors="replace")).digest()
        vouched = self._vouched.get(seen)
        if vouched is None:
            vouched = self._verified(token)
            if len(self._vouched) >= MAX_REMEMBERED_TOKENS:
                self._vouched.clear()
            self._vouched[seen] = vouched
        if not _in_time(vouched.claims, now):
            raise Unauthenticated
        return vouched.actor

    def _verified(self, token: str) -> "_Vouched":
        key = self._key_for(token)
        try:
            decoded = jwt.decode(token, key.public_key, algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            raise Unauthenticated from None
        claims = decoded.claims
        if str(decoded.header.get("typ")).lower() not in TOKEN_TYPES or claims.get("iss") != key.issuer:
            raise Unauthenticated
        if not (_is_for_us(claims.get("aud")) and _is_subject(claims.get("sub"))):
            raise Unauthenticated
        granted = frozenset(_strings(claims.get("roles"))) & key.roles
        actor = Actor(f"{key.issuer}/{claims['sub']}", granted, _regions(claims.get("regions")))
        return _Vouched(actor, {name: claims[name] for name in ("iat", "nbf", "exp") if name in claims})

    def _key_for(self, token: str) -> _TrustedKey:
        if len(token) > MAX_TOKEN_LENGTH:
            raise Unauthenticated
        try:
            header = json.loads(_unpadded_base64(token.split(".", 1)[0]))
            return self._keys[header["kid"]]
        except (ValueError, KeyError, TypeError, RecursionError):
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
    return jwt.encode({"alg": ALGORITHM, "kid": key_id, "typ": TOKEN_TYPES[0]}, claims, key, algorithms=[ALGORITHM])


def authenticate(request: Request) -> Actor:
    """The route dependency that every operation but the written open ones has: the caller, or 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return request.app.state.trusted_keys.actor_of(token.strip(), system_now())


def is_allowed(request: Request, actor: Actor, action: str) -> bool:
    """Whether the service's permission table allows `action` to a role of the actor."""
    return bool(actor.roles & request.app.state.permissions[action].roles)


def permitted(action: str) -> Callable[[Request], Awaitable[Actor]]:
    """A route dependency: the caller, who has a role that the service's permission table allows `action`."""

    async def check(request: Request) -> Actor:  # nothing waits here: a thread of its own would cost more than it
        actor = authenticate(request)
        if not is_allowed(request, actor, action):
            raise Forbidden
        request.scope["caller"] = actor.subject
        return actor

    check.action = action  # type: ignore[attr-defined]  # read by the test that every route has a caller
    return check


def _trusted_key(entry: Mapping[str, Any]) -> _TrustedKey:
    public: dict[str, str | list[str]] = {name: entry[name] for name in ("kty", "crv", "x")}
    issuer, roles = entry["iss"], entry["roles"]
    if public["crv"] != ALGORITHM or not _is_subject(issuer) or not isinstance(roles, list):
        raise ValueError
    return _TrustedKey(OKPKey.import_key(public), issuer, frozenset(_strings(roles)))


def _refuse_issuers_that_speak_for_another(issuers: Collection[str]) -> None:
    # A caller's name is "issuer/subject": of https://a and https://a/b, the first could name the second's people.
    for issuer in issuers:
        if any(other.startswith(f"{issuer}/") for other in issuers):
            raise UntrustedKeys(f"签发者的名称不得是另一签发者的开头 / an issuer's name begins another's: {issuer}")


def _in_time(claims: Mapping[str, Any], now: datetime) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp")
    begins = claims.get("nbf", issued)
    if not (isinstance(issued, int) and isinstance(expires, int) and isinstance(begins, int)):
        return False
    return max(issued, begins) - LEEWAY_SECONDS <= now.timestamp() < expires + LEEWAY_SECONDS


def _is_for_us(audience: object) -> bool:
    # RFC 7519 §4.1.3: one audience, or a list of them.
    return audience == AUDIENCE or AUDIENCE in _strings(audience)


def _is_subject(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= MAX_SUBJECT_LENGTH and not COULD_BE_A_PERSON.search(name)


def _regions(value: object) -> tuple[str, ...]:
    # An empty or short text would be the beginning of every place's code.
    return tuple(region for region in _strings(value) if is_region_code(region))


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _unpadded_base64(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
