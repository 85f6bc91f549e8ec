"""The arithmetic of a transparency log: Merkle tree, proofs and signed checkpoints, over any store of nodes."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HASH_BYTES = 32
# Leaves are counted in a PostgreSQL bigint.
LARGEST_SIZE = 2**63 - 1
# Beyond this a JSON number is not the same number in every language (RFC 7493 §2.2).
LARGEST_LEAF_INTEGER = 2**53 - 1
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_ED25519 = b"\x01"

LeafValue = str | int | bool | None
ReadNode = Callable[[int, int], bytes]
"""`read_node(level, index)`: the stored hash over leaves `index << level` up to `(index + 1) << level`."""


def canonical_leaf(mapping: Mapping[str, LeafValue]) -> bytes:
    """The one byte string of a flat record: JSON, keys sorted by code point, UTF-8, no spaces.

    Raises `ValueError` for an empty record, a float, a nested value, an integer beyond 2^53 - 1 (its reading
    differs between languages) and text that is not Unicode. The value itself is never in the message.
    """
    if not mapping:
        raise ValueError("a leaf holds at least one member")
    for name, value in mapping.items():
        _check_member(name, value)
    text = json.dumps(dict(mapping), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError("a leaf holds text that is not Unicode (a lone surrogate)") from None


def _check_member(name: object, value: object) -> None:
    if not isinstance(name, str):
        raise ValueError("a leaf's member names are text")
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if not isinstance(value, int):
        raise ValueError(
            f"leaf member {name} is {type(value).__name__}; only text, integer, boolean and null are exact"
        )
    if abs(value) > LARGEST_LEAF_INTEGER:
        raise ValueError(f"leaf member {name} is an integer beyond 2^53 - 1; write it as text")


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf), 32 bytes (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), 32 bytes (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def nodes_to_store(size: int, leaf: bytes, read_node: ReadNode) -> list[tuple[int, int, bytes]]:
    """The nodes that appending one leaf hash to a log of `size` leaves makes final, as (level, index, hash).

    Only perfect subtrees are stored, so a stored node never changes: the table can be INSERT-only. Reads at most
    one node a level, all of them stored by earlier appends; the first item is always the leaf itself.
    """
    _check_size(size + 1)
    level, index, current = 0, size, leaf
    nodes = [(level, index, current)]
    while index & 1:
        current = node_hash(read_node(level, index - 1), current)
        level, index = level + 1, index >> 1
        nodes.append((level, index, current))
    return nodes


def root(size: int, read_node: ReadNode) -> bytes:
    """The Merkle tree hash of the first `size` leaves, 32 bytes (RFC 6962 §2.1); of none, SHA-256 of nothing."""
    _check_size(size)
    return hashlib.sha256().digest() if size == 0 else _range_root(0, size, read_node)


def inclusion_proof(index: int, size: int, read_node: ReadNode) -> list[bytes]:
    """The hashes from the leaf's sibling up to the root's child (RFC 6962 §2.1.1); at most 63 of them.

    Raises `ValueError` unless 0 <= index < size.
    """
    _check_size(size)
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a log of {size}")
    start, length, siblings = 0, size, []
    while length > 1:
        left = _left_length(length)
        if index < start + left:
            siblings.append(_range_root(start + left, length - left, read_node))
            length = left
        else:
            siblings.append(_range_root(start, left, read_node))
            start, length = start + left, length - left
    return siblings[::-1]


def consistency_proof(old: int, new: int, read_node: ReadNode) -> list[bytes]:
    """The hashes that show the first `old` leaves of a log of `new` to be the old log (RFC 6962 §2.1.2).

    Empty when `old` is 0 or `new`: there is nothing to show. Raises `ValueError` unless 0 <= old <= new.
    """
    _check_size(new)
    if not 0 <= old <= new:
        raise ValueError(f"a log of {new} leaves cannot extend one of {old}")
    if old in (0, new):
        return []
    start, kept, length, whole, hashes = 0, old, new, True, []
    while kept != length:
        left = _left_length(length)
        if kept <= left:
            hashes.append(_range_root(start + left, length - left, read_node))
            length = left
        else:
            hashes.append(_range_root(start, left, read_node))
            start, kept, length, whole = start + left, kept - left, length - left, False
    if not whole:
        hashes.append(_range_root(start, length, read_node))
    return hashes[::-1]


def _check_size(size: int) -> None:
    if not 0 <= size <= LARGEST_SIZE:
        raise ValueError(f"a log has 0 to 2^63 - 1 leaves, not {size}")


def _left_length(length: int) -> int:
    """The largest power of two below `length` (length > 1)."""
    return 1 << ((length - 1).bit_length() - 1)


def _range_root(start: int, length: int, read_node: ReadNode) -> bytes:
    # RFC 6962 only ever splits at powers of two, so a range of a power's length is a stored perfect subtree.
    if length & (length - 1) == 0:
        level = length.bit_length() - 1
        return read_node(level, start >> level)
    left = _left_length(length)
    return node_hash(_range_root(start, left, read_node), _range_root(start + left, length - left, read_node))


def checkpoint_body(origin: str, size: int, root_hash: bytes) -> str:
    """The text that a checkpoint's signatures cover: origin, size and base64 root, a line each (C2SP tlog-checkpoint).

    `origin` is also the key's name, so it has neither spaces nor a plus sign. Raises `ValueError`.
    """
    _check_key_name(origin)
    _check_size(size)
    if len(root_hash) != HASH_BYTES:
        raise ValueError("a root is 32 bytes")
    return f"{origin}\n{size}\n{_base64(root_hash)}\n"


def sign_checkpoint(origin: str, size: int, root_hash: bytes, key: Ed25519PrivateKey) -> str:
    """A whole signed checkpoint: body, empty line, one Ed25519 signature line (C2SP signed-note, tlog-checkpoint)."""
    body = checkpoint_body(origin, size, root_hash)
    signature = _key_id(origin, key.public_key()) + key.sign(body.encode())
    return f"{body}\n— {origin} {_base64(signature)}\n"


def verifier_key(name: str, public_key: Ed25519PublicKey) -> str:
    """The public key as auditors keep it: `name+hexkeyid+base64(0x01 || key)` (C2SP signed-note, "vkey")."""
    return f"{name}+{_key_id(name, public_key).hex()}+{_base64(_ED25519 + _raw(public_key))}"


def proof_text(index: int, hashes: Sequence[bytes], checkpoint: str) -> str:
    """A `.tlog-proof` file: that leaf `index` is in the log of this checkpoint (C2SP tlog-proof)."""
    return "\n".join([PROOF_HEADER, f"index {index}", *map(_base64, hashes), "", checkpoint])


def consistency_text(old_size: int, hashes: Sequence[bytes], checkpoint: str) -> str:
    """That the log of this checkpoint extends one of `old_size`: the body of C2SP tlog-witness `add-checkpoint`."""
    return "\n".join([f"old {old_size}", *map(_base64, hashes), "", checkpoint])


def _check_key_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise ValueError("a log's origin is not empty and has neither spaces nor a plus sign (C2SP signed-note)")


def _key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    _check_key_name(name)
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + _raw(public_key)).digest()[:4]


def _raw(public_key: Ed25519PublicKey) -> bytes:
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
