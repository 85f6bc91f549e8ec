"""Posting a body under an RFC 9421 signature, with a deadline on every attempt."""

import secrets
import time
from dataclasses import dataclass

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

# Content-Digest is covered too: the signer adds it for the body that it is given.
COVERED = ("@method", "@target-uri", "content-type")
DEADLINE_SECONDS = 15.0
LARGEST_ANSWER_BYTES = 8_000_000
ATTEMPTS = 3
PAUSE_SECONDS = 0.5
NONCE_BYTES = 18


class NoAnswer(Exception):
    """The receiver did not answer in time, or not sensibly; sending the same batch again is safe."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said."""

    status: int
    body: bytes


def signed_request(url: str, body: bytes, key: Ed25519PrivateKey, key_id: str) -> httpx.Request:
    """The request with Content-Digest (RFC 9530) and an Ed25519 signature (RFC 9421) made now with a fresh nonce."""
    request = httpx.Request("POST", url, content=body, headers={"content-type": "application/json"})
    resolver = MappingKeyResolver(public_keys={}, private_keys={key_id: key})
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=resolver)
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    signer.sign(request, key_id=key_id, nonce=nonce, label="sig", covered_component_ids=COVERED, body=body)
    return request


def post_signed(url: str, body: bytes, key: Ed25519PrivateKey, key_id: str) -> Answer:
    """Posts, and again up to three times in all while nobody answers or the answer is 5xx, each time signed anew.

    The receiver knows a batch by its number and digest, so a batch sent twice counts once. Raises `NoAnswer`.
    """
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS * attempt)
        try:
            answer = _post(signed_request(url, body, key, key_id))
        except httpx.HTTPError as error:
            problem = f"{type(error).__name__} within {DEADLINE_SECONDS:g} s"
            continue
        if answer.status < 500:
            return answer
        problem = f"status {answer.status}"
    raise NoAnswer(f"no answer from the receiver after {ATTEMPTS} attempts: {problem}")


def _post(request: httpx.Request) -> Answer:
    ends_at = time.monotonic() + DEADLINE_SECONDS
    # No proxy from the environment: the receiver is in the department's own network.
    with httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False) as client:
        response = client.send(request, stream=True)
        try:
            return Answer(response.status_code, _read(response, ends_at))
        finally:
            response.close()


def _read(response: httpx.Response, ends_at: float) -> bytes:
    # httpx's timeout is for each read; a receiver that drips would never end.
    data = bytearray()
    for chunk in response.iter_bytes():
        data += chunk
        if time.monotonic() > ends_at:
            raise httpx.ReadTimeout("the answer took too long", request=response.request)
        if len(data) > LARGEST_ANSWER_BYTES:
            raise httpx.ReadError("the answer is too large", request=response.request)
    return bytes(data)
