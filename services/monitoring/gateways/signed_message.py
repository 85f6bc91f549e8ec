"""Whether a message was signed, as it arrived, by a registered department, just now (RFC 9421, RFC 9530)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from http_message_signatures import (
    ContentDigest,
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    VerifyResult,
)
from http_message_signatures.algorithms import ED25519

from services.monitoring.gateways.partner_keys import PartnerKey

MAX_AGE = timedelta(seconds=300)
MAX_SKEW = timedelta(seconds=60)
"""How far a sender's clock may be ahead of ours."""
COVERED = ("@method", "@target-uri", "content-digest", "content-type")
SHORTEST_NONCE, LONGEST_NONCE = 16, 128
MEDIA_TYPE = "application/json"


class SignatureMissing(Exception):
    """The message has no Signature or no Signature-Input."""


class ContentDigestWrong(Exception):
    """The body is not the one that Content-Digest names, or there is no Content-Digest."""


class UnknownKey(Exception):
    """No department registered a key of that id."""


@dataclass(eq=False)
class SignatureInvalid(Exception):
    """The signature is not of this message by this key, or does not cover what it must."""

    target: str


class SignatureStale(Exception):
    """The signature was made too long ago, or by a clock that is ahead."""


class FeedNotAllowed(Exception):
    """The key is a department's, but not for this feed."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A request as it arrived. `url` is where we are reached, not what the request claims."""

    method: str
    url: str
    headers: Any
    body: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """The department that signed, with which key, and the nonce that may not come again."""

    partner: str
    key_id: str
    region: str
    nonce: str


def verify_sender(message: ReceivedMessage, keys: Mapping[str, PartnerKey], feed: str, now: datetime) -> Sender:
    """Who signed the message. `now` is the machine's clock, never the business one.

    The target is compared with our own address, so that a message signed for another system is worth nothing here.
    Raises the errors of this module; nothing of the message may be used before.
    """
    if not {"signature", "signature-input"} <= {name.lower() for name in message.headers}:
        raise SignatureMissing
    _check_digest(message)
    signature = _verify(message, keys)
    created = datetime.fromtimestamp(int(signature.parameters["created"]), now.tzinfo)
    if not -MAX_SKEW <= now - created <= MAX_AGE:
        raise SignatureStale
    key = keys[str(signature.parameters["keyid"])]
    if feed not in key.feeds:
        raise FeedNotAllowed
    return Sender(key.partner, key.key_id, key.region, str(signature.nonce))


def _check_digest(message: ReceivedMessage) -> None:
    try:
        ContentDigest.verify(message.headers.get("content-digest", ""), message.body)
    except (HTTPMessageSignaturesException, ValueError):
        raise ContentDigestWrong from None


def _verify(message: ReceivedMessage, keys: Mapping[str, PartnerKey]) -> VerifyResult:
    resolver = _Resolver(keys)
    verifier = _Verifier(signature_algorithm=ED25519, key_resolver=resolver)
    try:
        [result] = verifier.verify(message, max_age=None, require_components=COVERED, body=message.body)
    except (HTTPMessageSignaturesException, ValueError, TypeError, OverflowError):
        if resolver.has_unknown_key:
            raise UnknownKey from None
        raise SignatureInvalid(message.url) from None
    nonce = result.nonce or ""
    if "alg" not in result.parameters or not SHORTEST_NONCE <= len(nonce) <= LONGEST_NONCE or not nonce.isprintable():
        raise SignatureInvalid(message.url)
    return result


class _Verifier(HTTPMessageVerifier):
    # Ages are judged here with our own bounds and their own error, so the library's are put out of the way.
    max_clock_skew = timedelta(days=36_500)


class _Resolver(HTTPSignatureKeyResolver):
    def __init__(self, keys: Mapping[str, PartnerKey]) -> None:
        self._keys = keys
        self.has_unknown_key = False

    def resolve_public_key(self, key_id: str) -> Any:
        key = self._keys.get(key_id)
        self.has_unknown_key = key is None
        if key is None:
            raise InvalidSignature("unknown key")
        return key.public_key
