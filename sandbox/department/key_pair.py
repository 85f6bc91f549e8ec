"""The department's Ed25519 key pair: made once, the private half never leaves its file."""

import base64
import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

KEY_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
LARGEST_KEY_BYTES = 10_000


class KeyRefused(Exception):
    """The key cannot be made or read; the message says why and never holds key bytes."""


def make_key_pair(folder: Path, key_id: str) -> tuple[Path, dict[str, str]]:
    """Writes `KEY_ID.pem` (0600, PKCS #8) into the folder; returns its path and the public JWK.

    Raises `KeyRefused` when the name is no key id or the file exists: a key in use is never overwritten.
    """
    if not KEY_ID.fullmatch(key_id):
        raise KeyRefused("a key id is 1 to 63 of a-z 0-9 . _ - and begins with a letter or digit")
    key = Ed25519PrivateKey.generate()
    path = folder / f"{key_id}.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyRefused(f"{path} exists; choose another key id or move it away") from None
    except OSError as error:
        raise KeyRefused(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path, public_jwk(key, key_id)


def public_jwk(key: Ed25519PrivateKey, key_id: str) -> dict[str, str]:
    """The public half as the receiver registers it: a JSON Web Key (RFC 8037)."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).decode().rstrip("="), "kid": key_id}


def read_key(path: Path) -> Ed25519PrivateKey:
    """The private key of a PEM file. Raises `KeyRefused`."""
    try:
        with path.open("rb") as file:
            key = load_pem_private_key(file.read(LARGEST_KEY_BYTES), password=None)
    except OSError as error:
        raise KeyRefused(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise KeyRefused(f"{path} is not an unencrypted PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(f"{path} is not an Ed25519 key")
    return key
