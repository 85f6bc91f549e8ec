"""Only what a registered department signed, as it arrived, in the last five minutes, is heard."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519, HMAC_SHA256

from services.monitoring.gateways import signed_message
from services.monitoring.gateways.partner_keys import PartnerKey
from services.monitoring.gateways.signed_message import ReceivedMessage, Sender, verify_sender

URL = "http://127.0.0.1:8102/monitoring/v1/feeds/deaths/batches"
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {
    "police": PartnerKey("police", "police-530113", frozenset({"deaths"}), "530113", KEY.public_key()),
    "school": PartnerKey("school", "school", frozenset({"pupils"}), "530113", KEY.public_key()),
}
COVERED = ("@method", "@target-uri", "content-type")
NONCE = "0123456789abcdef"


def signed(body=b"{}", key=KEY, algorithm=ED25519, created=NOW, covered=COVERED, url=URL, **options):
    """A request signed as told, as the service would receive it."""
    request = httpx.Request("POST", url, content=body, headers={"content-type": "application/json"})
    options = {"key_id": "police", "nonce": NONCE, "label": "sig"} | options
    resolver = MappingKeyResolver(public_keys={}, private_keys={options["key_id"]: key})
    signer = HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=resolver)
    signer.sign(request, created=created, covered_component_ids=covered, body=body, **options)
    return received(request.headers, body)


def received(headers, body=b"{}", method="POST", url=URL):
    return ReceivedMessage(method, url, headers, body)


def changed(message, **headers):
    """The same message with other headers; None takes one away."""
    new = dict(message.headers.items())
    for name, value in headers.items():
        name = name.replace("_", "-")
        new.pop(name, None)
        if value is not None:
            new[name] = value
    return received(new, message.body)


def verify(message, now=NOW, feed="deaths"):
    return verify_sender(message, KEYS, feed, now)


def test_a_signed_message_names_its_sender():
    assert verify(signed()) == Sender("police-530113", "police", "530113", NONCE)


@pytest.mark.parametrize("seconds", [-60, 0, 299, 300])
def test_five_minutes_are_young_enough(seconds):
    assert verify(signed(), NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-61, 301, 86_400, -86_400])
def test_older_or_from_the_future_is_stale(seconds):
    with pytest.raises(signed_message.SignatureStale):
        verify(signed(), NOW + timedelta(seconds=seconds))


def test_a_tampered_body_is_no_longer_the_digests():
    message = signed(b'{"row_count": 1}')
    with pytest.raises(signed_message.ContentDigestWrong):
        verify(received(message.headers, b'{"row_count": 2}'))


def test_a_new_digest_for_a_tampered_body_breaks_the_signature():
    other = signed(b'{"row_count": 2}', key=Ed25519PrivateKey.generate())
    forged = changed(signed(b'{"row_count": 1}'), content_digest=other.headers["content-digest"])
    with pytest.raises(signed_message.SignatureInvalid):
        verify(received(forged.headers, b'{"row_count": 2}'))


@pytest.mark.parametrize("digest", [None, "", "sha-256=:AAAA:", "md5=:AAAA:", "\xff"])
def test_a_missing_or_strange_digest_is_refused(digest):
    with pytest.raises(signed_message.ContentDigestWrong):
        verify(changed(signed(), content_digest=digest))


@pytest.mark.parametrize("name", ["signature", "signature_input"])
def test_an_unsigned_message_is_refused(name):
    with pytest.raises(signed_message.SignatureMissing):
        verify(changed(signed(), **{name: None}))


def test_an_unknown_key_is_refused():
    with pytest.raises(signed_message.UnknownKey):
        verify(signed(key_id="stranger"))


def test_another_key_under_a_known_name_is_refused():
    with pytest.raises(signed_message.SignatureInvalid):
        verify(signed(key=Ed25519PrivateKey.generate()))


def test_a_key_of_another_feed_is_refused():
    with pytest.raises(signed_message.FeedNotAllowed):
        verify(signed(key_id="school"))


def test_a_message_signed_for_another_place_is_refused():
    elsewhere = signed(url="http://other.example/monitoring/v1/feeds/deaths/batches")
    for message in (elsewhere, signed(url=URL + "?dry_run=true"), received(signed().headers, method="PUT")):
        with pytest.raises(signed_message.SignatureInvalid):
            verify(message)


@pytest.mark.parametrize("left_out", COVERED)
def test_everything_that_matters_must_be_covered(left_out):
    with pytest.raises(signed_message.SignatureInvalid):
        verify(signed(covered=tuple(name for name in COVERED if name != left_out)))


def test_the_digest_itself_must_be_covered():
    request = httpx.Request("POST", URL, content=b"{}", headers={"content-type": "application/json"})
    signer = HTTPMessageSigner(
        signature_algorithm=ED25519, key_resolver=MappingKeyResolver(public_keys={}, private_keys={"police": KEY})
    )
    signer.sign(request, created=NOW, key_id="police", nonce=NONCE, covered_component_ids=COVERED)
    request.headers["content-digest"] = signed().headers["content-digest"]
    with pytest.raises(signed_message.SignatureInvalid):
        verify(received(request.headers))


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=gbk"])
def test_another_content_type_than_signed_is_refused(content_type):
    with pytest.raises(signed_message.SignatureInvalid):
        verify(changed(signed(), content_type=content_type))


@pytest.mark.parametrize("nonce", [None, "", "short", "0123456789abcde", "n" * 129])
def test_a_nonce_must_be_long_enough_and_not_too_long(nonce):
    with pytest.raises(signed_message.SignatureInvalid):
        verify(signed(nonce=nonce))


@pytest.mark.parametrize("nonce", ["n" * 16, "n" * 128])
def test_nonces_at_the_bounds_are_heard(nonce):
    assert verify(signed(nonce=nonce)).nonce == nonce


def test_the_algorithm_must_be_named_and_ours():
    with pytest.raises(signed_message.SignatureInvalid):
        verify(signed(include_alg=False))
    # The public key must never be taken for a shared secret.
    secret = KEY.public_key().public_bytes_raw()
    with pytest.raises(signed_message.SignatureInvalid):
        verify(signed(key=secret, algorithm=HMAC_SHA256))


@pytest.mark.parametrize(
    ("signature_input", "signature"),
    [
        ("", ""),
        ("garbage", "garbage"),
        ("sig=()", "sig=:AAAA:"),
        ('sig=("@method")', "sig=:AAAA:"),
        ("sig=(((", "sig=:AAAA:"),
        ('sig=("@method");created=99999999999999;keyid="police"', "sig=:AAAA:"),
        ('sig=("@method");created=-1;keyid="police";alg="ed25519"', "sig=:AAAA:"),
        ('sig=("@method");created="x";keyid=5', "sig=:AAAA:"),
        ('a=("@method");keyid="police", b=("@method");keyid="police"', "a=:AAAA:, b=:AAAA:"),
        ("sig=" + "(" * 10_000, "sig=:AAAA:"),
    ],
    ids=range(10),
)
def test_garbage_is_refused_and_never_a_fault_of_ours(signature_input, signature):
    message = changed(signed(), signature_input=signature_input, signature=signature)
    with pytest.raises((signed_message.SignatureInvalid, signed_message.SignatureMissing)):
        verify(message)


def test_two_signatures_are_refused():
    one = signed()
    both = changed(
        one,
        signature_input=one.headers["signature-input"]
        + ", "
        + one.headers["signature-input"].replace("sig=", "two=", 1),
        signature=one.headers["signature"] + ", " + one.headers["signature"].replace("sig=", "two=", 1),
    )
    with pytest.raises(signed_message.SignatureInvalid):
        verify(both)
