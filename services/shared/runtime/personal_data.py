"""Personal data at rest: encryption by field, and a keyed index by which a value is found again.

AES-256-GCM (NIST SP 800-38D) with the table, column and row as associated data, so that a ciphertext moved
to another row does not open. The blind index is HMAC-SHA256 cut to 16 bytes: an ID number has so few possible
values that a plain hash of it is broken in minutes.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = 1
NONCE_BYTES = 12
KEY_BYTES = 32
INDEX_BYTES = 16


class PersonalDataUnreadable(Exception):
    """A ciphertext does not open: another row's, another key's, or altered."""


@dataclass(frozen=True, slots=True)
class FieldKeys:
    """Data keys by their number, the number that new values use, and the key of the blind index."""

    data: Mapping[int, bytes] = field(repr=False)
    active: int
    index: bytes = field(repr=False)


class PersonalData:
    """Encrypts, decrypts and indexes one service's personal data."""

    def __init__(self, keys: FieldKeys) -> None:
        self._ciphers = {number: AESGCM(key) for number, key in keys.data.items()}
        self._active = keys.active
        self._index_key = keys.index

    def encrypt(self, column: str, row: str, value: str) -> bytes:
        """`value` sealed for `column` ("table.column") of the row named `row`: version, key number, nonce, box."""
        nonce = os.urandom(NONCE_BYTES)
        box = self._ciphers[self._active].encrypt(nonce, value.encode(), _associated(column, row))
        return bytes((FORMAT, self._active)) + nonce + box

    def decrypt(self, column: str, row: str, sealed: bytes) -> str:
        """What was sealed. Raises PersonalDataUnreadable for anything that was not sealed for this place."""
        cipher = self._ciphers.get(sealed[1]) if len(sealed) > 2 + NONCE_BYTES and sealed[0] == FORMAT else None
        if cipher is None:
            raise PersonalDataUnreadable(column)
        nonce, box = sealed[2 : 2 + NONCE_BYTES], sealed[2 + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, box, _associated(column, row)).decode()
        except InvalidTag:
            raise PersonalDataUnreadable(column) from None

    def index_of(self, kind: str, value: str) -> bytes:
        """The 16-byte blind index of `value` as a `kind` ("id_number", "card_number"): equal values, equal index."""
        return hmac.new(self._index_key, f"{kind}|{value}".encode(), hashlib.sha256).digest()[:INDEX_BYTES]


def new_field_keys() -> FieldKeys:
    """Fresh keys from the system's random source."""
    return FieldKeys({1: os.urandom(KEY_BYTES)}, 1, os.urandom(KEY_BYTES))


def write_field_keys(path: Path, keys: FieldKeys) -> None:
    """Write `keys` as JSON that only the owner can read: whole, or, when it is interrupted, not at all."""
    body = {
        "data": {str(number): base64.b64encode(key).decode() for number, key in keys.data.items()},
        "active": keys.active,
        "index": base64.b64encode(keys.index).decode(),
    }
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(body), encoding="utf-8")
    draft.replace(path)


def read_field_keys(path: Path) -> FieldKeys:
    """The keys in the file that `write_field_keys` wrote."""
    body = json.loads(path.read_text(encoding="utf-8"))
    data = {int(number): base64.b64decode(key) for number, key in body["data"].items()}
    return FieldKeys(data, body["active"], base64.b64decode(body["index"]))


def _associated(column: str, row: str) -> bytes:
    return f"{column}|{row}".encode()
