"""Tokens: what is accepted, and every way in which one is not in order."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from services.shared.runtime.callers import (
    ALGORITHM,
    LEEWAY_SECONDS,
    MAX_REMEMBERED_TOKENS,
    MAX_SUBJECT_LENGTH,
    MAX_TOKEN_LENGTH,
    TrustedKeys,
    Unauthenticated,
    UntrustedKeys,
    issue_token,
)
from services.shared.vocabulary.actor import Actor

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
KEY = OKPKey.generate_key("Ed25519")
OTHER_KEY = OKPKey.generate_key("Ed25519")
ISSUER = "https://identity.example.gov.cn"


def entry(key: OKPKey, kid: str = "k1", issuer: str = ISSUER, roles: tuple[str, ...] = ("caseworker", "maker")) -> dict:
    return {**key.as_dict(private=False), "kid": kid, "iss": issuer, "roles": list(roles)}


TRUSTED = TrustedKeys({"keys": [entry(KEY), entry(OTHER_KEY, "k2", "other-office", ("auditor",))]}, False)


def claims(**changed) -> dict:
    good = {
        "iss": ISSUER,
        "sub": "ann",
        "aud": "doudi",
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(minutes=5)).timestamp()),
        "roles": ["caseworker"],
        "regions": ["420100"],
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not ...}


def token(header: dict | None = None, key=KEY, algorithm: str = ALGORITHM, **changed) -> str:
    header = {"alg": algorithm, "kid": "k1", "typ": "at+jwt", **(header or {})}
    return jwt.encode(header, claims(**changed), key, algorithms=[algorithm])


def is_refused(signed: str, now: datetime = NOW) -> bool:
    try:
        TRUSTED.actor_of(signed, now)
    except Unauthenticated:
        return True
    return False


def test_a_good_token_says_who_speaks_in_which_roles_and_where():
    assert TRUSTED.actor_of(token(), NOW) == Actor(f"{ISSUER}/ann", frozenset({"caseworker"}), ("420100",))


def test_a_token_that_we_issue_is_accepted():
    actor = Actor("ann", frozenset({"maker"}), ("420100", "360000"))
    signed = issue_token(KEY, "k1", ISSUER, actor, NOW, timedelta(minutes=5))
    assert TRUSTED.actor_of(signed, NOW) == Actor(f"{ISSUER}/ann", actor.roles, actor.regions)


@pytest.mark.parametrize("subject", ["00000000-0000-0000-0000-000000000000", "20260301000042"])
def test_a_subject_may_be_a_uuid_and_a_staff_number(subject):
    assert not is_refused(token(sub=subject))


@pytest.mark.parametrize("audience", ["doudi", ["doudi"], ["other", "doudi"]])
def test_the_audience_may_be_one_of_several(audience):
    assert not is_refused(token(aud=audience))


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "AT+JWT"])
def test_the_type_is_a_media_type(kind):
    assert not is_refused(token({"typ": kind}))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": {"doudi": 1}},
        {"aud": ...},
        {"iss": "https://elsewhere.example"},
        {"iss": "other-office"},
        {"iss": ...},
        {"sub": ...},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a" * (MAX_SUBJECT_LENGTH + 1)},
        {"sub": "42010219900307663X"},
        {"exp": ...},
        {"exp": "tomorrow"},
        {"iat": ...},
        {"nbf": "tomorrow"},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_or_missing_is_refused(changed):
    assert is_refused(token(**changed))


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"kid": "unknown"}, {"kid": "k2"}], ids=str)
def test_a_header_that_is_wrong_is_refused(header):
    assert is_refused(token(header))


def test_another_key_under_our_key_id_is_refused():
    assert is_refused(token(key=OTHER_KEY))


def test_it_expires_to_the_second_with_its_leeway():
    expires = NOW + timedelta(minutes=5)
    assert not is_refused(token(), expires + timedelta(seconds=LEEWAY_SECONDS - 1))
    assert is_refused(token(), expires + timedelta(seconds=LEEWAY_SECONDS))


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_it_is_not_yet_valid_before_its_time(claim):
    begins = NOW + timedelta(minutes=2)
    signed = token(**{claim: int(begins.timestamp())})
    assert not is_refused(signed, begins - timedelta(seconds=LEEWAY_SECONDS))
    assert is_refused(signed, begins - timedelta(seconds=LEEWAY_SECONDS + 1))


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_that_was_good_once_still_expires():
    signed, later = token(), NOW + timedelta(minutes=5, seconds=LEEWAY_SECONDS)
    assert not is_refused(signed, later - timedelta(seconds=1))
    assert is_refused(signed, later)
    assert not is_refused(signed)


def test_a_good_token_with_another_signature_is_not_the_good_one():
    signed = token()
    assert not is_refused(signed)
    head, payload, signature = signed.split(".")
    assert is_refused(f"{head}.{payload}.{signature[:-4]}AAAA")
    assert is_refused(f"{head}.{payload}.{token(key=OTHER_KEY).rsplit('.', 1)[1]}")


def test_no_more_than_a_bound_of_tokens_is_remembered():
    trusted = TrustedKeys({"keys": [entry(KEY)]}, False)
    for number in range(MAX_REMEMBERED_TOKENS + 1):
        trusted._vouched[number.to_bytes(32)] = None
    assert trusted.actor_of(token(), NOW).subject == f"{ISSUER}/ann"
    assert len(trusted._vouched) <= MAX_REMEMBERED_TOKENS


def test_an_unsigned_token_is_refused():
    assert is_refused(f"{part({'alg': 'none', 'kid': 'k1', 'typ': 'at+jwt'})}.{part(claims())}.")


def test_a_token_made_with_the_public_key_as_a_shared_secret_is_refused():
    secret = OctKey.import_key(str(KEY.as_dict(private=False)["x"]))
    assert is_refused(token(key=secret, algorithm="HS256"))


def test_an_altered_payload_is_refused():
    header, _, signature = token().split(".")
    assert is_refused(f"{header}.{part(claims(roles=['auditor']))}.{signature}")


def test_a_role_that_the_issuers_key_may_not_grant_is_not_granted():
    assert TRUSTED.actor_of(token(roles=["caseworker", "auditor", "service"]), NOW).roles == {"caseworker"}
    other = token({"kid": "k2"}, OTHER_KEY, iss="other-office", roles=["caseworker", "auditor"])
    assert TRUSTED.actor_of(other, NOW).roles == {"auditor"}


@pytest.mark.parametrize("roles", ["caseworker", None, {"caseworker": 1}, [["caseworker"]], 7], ids=str)
def test_roles_that_are_no_list_of_text_grant_nothing(roles):
    assert TRUSTED.actor_of(token(roles=roles), NOW).roles == frozenset()


def test_a_token_may_be_no_longer_than_its_bound():
    signed = token()
    room = MAX_TOKEN_LENGTH - len(token(sub="a"))
    longest = token(regions=["420100"] * (room * 3 // 4 // 10))
    assert len(signed) < len(longest) <= MAX_TOKEN_LENGTH and not is_refused(longest)
    assert is_refused(token(regions=["420100"] * 1000))


@pytest.mark.parametrize(
    "rubbish",
    [
        part({"kid": ["k1"], "alg": "Ed25519"}) + ".b.c",
        "",
        ".",
        "..",
        "a.b.c",
        "é.b.c",
        "\ud800.b.c",
        "WzFd.b.c",
        base64.b64encode(b"[" * 5000).decode() + ".b.c",
    ],
    ids=range(9),
)
def test_rubbish_is_refused_and_never_a_fault(rubbish):
    assert is_refused(rubbish)


def test_production_refuses_development_keys():
    jwks = {"keys": [entry(KEY), entry(OTHER_KEY, "dev-portal", "development")]}
    assert TrustedKeys(jwks, is_production=False)
    with pytest.raises(UntrustedKeys):
        TrustedKeys(jwks, is_production=True)


@pytest.mark.parametrize(
    "jwks",
    [
        {},
        {"keys": []},
        {"keys": [{"kid": "k1"}]},
        {"keys": [{**entry(KEY), "x": "short"}]},
        {"keys": [{**entry(KEY), "roles": "caseworker"}]},
        {"keys": [entry(KEY), entry(OTHER_KEY)]},
        {"keys": [entry(KEY, "k1", "https://a"), entry(OTHER_KEY, "k2", "https://a/b")]},
        [],
    ],
    ids=["no keys", "none", "incomplete", "bad key", "roles no list", "same kid", "issuer below another", "a list"],
)
def test_keys_that_cannot_be_trusted_are_refused_at_the_start(jwks):
    with pytest.raises(UntrustedKeys):
        TrustedKeys(jwks, is_production=False)


def test_a_file_that_is_missing_or_no_json_is_said_so(tmp_path):
    with pytest.raises(UntrustedKeys, match=r"absent\.json"):
        TrustedKeys.read(tmp_path / "absent.json", False)
    (tmp_path / "keys.json").write_text("{", encoding="utf-8")
    with pytest.raises(UntrustedKeys, match=r"keys\.json"):
        TrustedKeys.read(tmp_path / "keys.json", False)


def test_one_issuer_may_have_two_keys_while_it_changes_them():
    trusted = TrustedKeys({"keys": [entry(KEY), entry(OTHER_KEY, "k2")]}, False)
    assert trusted.actor_of(token({"kid": "k2"}, OTHER_KEY), NOW) == trusted.actor_of(token(), NOW)


@pytest.mark.parametrize("regions", [[""], ["4"], ["42"], ["abc"], ["4200000"], [None, 420000]])
def test_what_is_no_region_code_opens_no_region(regions):
    actor = TRUSTED.actor_of(token(regions=regions), NOW)
    assert actor.regions == () and not actor.covers("420100")
