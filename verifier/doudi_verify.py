#!/usr/bin/env python3
"""Checks Doudi's signed log offline: a checkpoint's signature, a record's place in the log, and that the log only grew.

One file, Python 3.11 and `cryptography`, no network, nothing of Doudi's services: an auditor can read all of it.
The formats are C2SP's signed-note, tlog-checkpoint, tlog-proof and tlog-witness; the hashing is RFC 6962's.

    python doudi_verify.py checkpoint checkpoint.txt --key VKEY
    python doudi_verify.py proof payment.tlog-proof --leaf payment.json --key VKEY
    python doudi_verify.py proof payment-proof.json --key VKEY
    python doudi_verify.py consistency old.txt new.txt consistency.txt --key VKEY

Exit 0: it holds. Exit 1: it does not, or a file cannot be read. Exit 2: the command was not understood.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LARGEST_FILE_BYTES = 1 << 20
LARGEST_SIZE = 2**63 - 1
LARGEST_LEAF_INTEGER = 2**53 - 1
# A path in a log of at most 2^63 leaves has 63 hashes; a consistency proof has up to twice that.
MOST_HASHES = 126
# C2SP signed-note: at least 16 must be accepted.
MOST_SIGNATURES = 64
PROOF_HEADER = "c2sp.org/tlog-proof@v1"

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID_BYTES = 4
_ED25519 = b"\x01"

MESSAGES = {
    "checkpoint_holds": ("检查点的签名正确", "the checkpoint's signature is right"),
    "proof_holds": ("这条记录在日志中，未被改动", "the record is in the log, unaltered"),
    "consistency_holds": ("新日志完整包含旧日志，只有增加", "the new log holds the whole old log and only grew"),
    "file_unreadable": ("文件无法读取，请检查路径和权限", "the file cannot be read; check its path and permissions"),
    "file_too_large": ("文件超过1 MiB，不是证明文件", "the file is larger than 1 MiB, so it is no proof"),
    "file_not_text": ("文件不是UTF-8文本", "the file is not UTF-8 text"),
    "key_malformed": (
        "公钥格式不对，应为 名称+8位十六进制+base64，请向日志机构重新索取",
        "the key is not of the form name+8 hex digits+base64; ask the log's operator for it again",
    ),
    "key_id_differs": ("公钥的编号与内容不符，公钥可能抄错", "the key's id is not that of the key; it was miscopied"),
    "note_malformed": (
        "检查点格式不对（C2SP signed-note）",
        "the checkpoint is not a signed note (C2SP signed-note); save the answer's bytes unchanged",
    ),
    "checkpoint_malformed": (
        "检查点正文应为三行：来源、条数、根哈希",
        "the checkpoint's text is not origin, size and root, a line each (C2SP tlog-checkpoint)",
    ),
    "signature_missing": ("检查点没有由这个公钥作出的签名", "the checkpoint bears no signature of this key"),
    "signature_wrong": (
        "签名不对：检查点被改动，或不是这个日志的",
        "the signature is wrong: the checkpoint was altered or is not of this log",
    ),
    "origin_differs": ("检查点的来源与公钥的名称不同", "the checkpoint's origin is not the name of the key"),
    "proof_malformed": (
        "证明文件格式不对（C2SP tlog-proof）",
        "the proof is not a C2SP tlog-proof file; save the answer's bytes unchanged",
    ),
    "leaf_missing": ("没有给出记录，请用 --leaf 指明", "the record is not given; name its file with --leaf"),
    "leaf_malformed": (
        "记录不是扁平的JSON对象（只含文本、整数、真假、空值，无重复键）",
        "the record is not a flat JSON object of text, integers, booleans and nulls without repeated members",
    ),
    "index_outside": ("记录的序号超出日志的条数", "the record's index is not below the log's size"),
    "record_differs": (
        "不成立：记录被改动，或它不在这个日志中",
        "it does not hold: the record was altered or is not in this log",
    ),
    "consistency_malformed": (
        "一致性证明的格式不对：首行 old 条数，其后每行一个哈希",
        "the consistency proof is not `old SIZE`, then a hash a line (C2SP tlog-witness)",
    ),
    "sizes_differ": (
        "一致性证明不是这两个检查点之间的",
        "the consistency proof is not between these two checkpoints",
    ),
    "log_shrank": (
        "新检查点的条数少于旧检查点：日志被截短",
        "the new checkpoint is smaller than the old: entries are gone",
    ),
    "log_rewritten": (
        "不成立：旧日志中的记录被改动或删除",
        "it does not hold: entries of the old log were altered or removed",
    ),
}


class Refused(Exception):
    """The check does not hold or cannot be made; `code` is a key of `MESSAGES`."""

    def __init__(self, code: str) -> None:
        super().__init__(MESSAGES[code][1])
        self.code = code


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A log's public key under its name (C2SP signed-note)."""

    name: str
    key_id: bytes
    public_key: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log swore to: its first `size` leaves have this root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """A leaf's index, the hashes on its path, and the checkpoint's text they lead to."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str


# ---- the hashing (RFC 6962 §2.1, RFC 9162 §2.1) ----


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from_path(leaf: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes | None:
    """The root that the path from this leaf hash leads to; None if its length is wrong (RFC 9162 §2.1.3.2)."""
    place, last, current = index, size - 1, leaf
    for sibling in hashes:
        if last == 0:
            return None
        if place & 1 or place == last:
            current = node_hash(sibling, current)
            # A right edge has no sibling on these levels, so the path has no hash for them.
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        place, last = place >> 1, last >> 1
    return current if last == 0 else None


def logs_agree(old: Checkpoint, new: Checkpoint, hashes: Sequence[bytes]) -> bool:
    """Whether the new log (not smaller) is shown to begin with the whole old one (RFC 9162 §2.1.4.2)."""
    if old.size == new.size:
        return not hashes and old.root == new.root
    if old.size == 0:
        return not hashes and old.root == hashlib.sha256().digest()
    path = [old.root, *hashes] if old.size & (old.size - 1) == 0 else list(hashes)
    if not path:
        return False
    place, last = old.size - 1, new.size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_root = new_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old_root, new_root = node_hash(sibling, old_root), node_hash(sibling, new_root)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new_root = node_hash(new_root, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old_root == old.root and new_root == new.root


# ---- the formats ----


def parse_verifier_key(text: str) -> VerifierKey:
    """`name+hexkeyid+base64(0x01 || 32 bytes)`; the id must be that of the name and the key."""
    parts = text.strip().split("+", 2)
    if (
        len(parts) != 3
        or not parts[0]
        or any(c.isspace() for c in parts[0])
        or not re.fullmatch("[0-9a-f]{8}", parts[1])
    ):
        raise Refused("key_malformed")
    data = _base64(parts[2], "key_malformed")
    if len(data) != 33 or data[:1] != _ED25519:
        raise Refused("key_malformed")
    key_id = hashlib.sha256(parts[0].encode("utf-8", "replace") + b"\n" + data).digest()[:_KEY_ID_BYTES]
    if key_id.hex() != parts[1]:
        raise Refused("key_id_differs")
    return VerifierKey(parts[0], key_id, Ed25519PublicKey.from_public_bytes(data[1:]))


def open_checkpoint(text: str, key: VerifierKey, origin: str | None = None) -> Checkpoint:
    """The checkpoint, once its signature by `key` is found right; other signatures are passed over."""
    body, signatures = _split_note(text)
    mine = [rest for name, key_id, rest in signatures if name == key.name and key_id == key.key_id]
    if not mine:
        raise Refused("signature_missing")
    for signature in mine:
        try:
            key.public_key.verify(signature, body.encode())
        except InvalidSignature:
            raise Refused("signature_wrong") from None
    checkpoint = _parse_body(body)
    if checkpoint.origin != (origin or key.name):
        raise Refused("origin_differs")
    return checkpoint


def _split_note(text: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    body, separator, tail = text.rpartition("\n\n")
    lines = tail.removesuffix("\n").split("\n")
    is_text = _is_unicode(text) and not any(c < " " and c != "\n" for c in text)
    if not is_text or not separator or not tail.endswith("\n") or len(lines) > MOST_SIGNATURES:
        raise Refused("note_malformed")
    return body + "\n", [_parse_signature(line) for line in lines]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parse_signature(line: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    data = _base64(encoded, "note_malformed")
    if dash != "—" or not name or "+" in name or len(data) <= _KEY_ID_BYTES:
        raise Refused("note_malformed")
    return name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:]


def _parse_body(body: str) -> Checkpoint:
    lines = body.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise Refused("checkpoint_malformed")
    root = _hash(lines[2], "checkpoint_malformed")
    return Checkpoint(lines[0], _number(lines[1], "checkpoint_malformed"), root)


def parse_proof(text: str) -> Proof:
    """A C2SP tlog-proof file; its `extra` line is not authenticated and is passed over."""
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != PROOF_HEADER:
        raise Refused("proof_malformed")
    rest = lines[2:] if len(lines) > 1 and lines[1].startswith("extra ") else lines[1:]
    if not rest or not rest[0].startswith("index "):
        raise Refused("proof_malformed")
    index = _number(rest[0].removeprefix("index "), "proof_malformed")
    return Proof(index, _hashes(rest[1:], "proof_malformed"), checkpoint)


def parse_consistency(text: str) -> tuple[int, tuple[bytes, ...], str]:
    """`old SIZE`, a hash a line, and after an empty line perhaps the new checkpoint (C2SP tlog-witness)."""
    head, _, checkpoint = text.partition("\n\n")
    lines = head.removesuffix("\n").split("\n")
    if not lines[0].startswith("old "):
        raise Refused("consistency_malformed")
    old_size = _number(lines[0].removeprefix("old "), "consistency_malformed")
    return old_size, _hashes(lines[1:], "consistency_malformed"), checkpoint


def canonical_leaf(record: dict[str, Any]) -> bytes:
    """The bytes that the log hashed: JSON, keys sorted by code point, UTF-8, no spaces; flat and without floats."""
    if not record or not all(_is_exact(value) for value in record.values()):
        raise Refused("leaf_malformed")
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if not _is_unicode(text):
        raise Refused("leaf_malformed")
    return text.encode()


def _is_exact(value: object) -> bool:
    if value is None or isinstance(value, bool | str):
        return True
    return isinstance(value, int) and abs(value) <= LARGEST_LEAF_INTEGER


def parse_record(text: str) -> dict[str, Any]:
    """A JSON object without repeated member names, floats or NaN."""
    try:
        record = json.loads(text, object_pairs_hook=_unrepeated, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError):
        raise Refused("leaf_malformed") from None
    if not isinstance(record, dict):
        raise Refused("leaf_malformed")
    return record


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a member name is repeated")
    return record


def _no_float(_: str) -> Any:
    raise ValueError("only integers are exact")


def _base64(text: str, code: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(code) from None
    # One spelling a value: b64decode takes stray low bits, and then two files would be "the same" proof.
    if base64.b64encode(data).decode() != text:
        raise Refused(code)
    return data


def _hash(text: str, code: str) -> bytes:
    data = _base64(text, code)
    if len(data) != 32:
        raise Refused(code)
    return data


def _hashes(lines: Sequence[str], code: str) -> tuple[bytes, ...]:
    if len(lines) > MOST_HASHES:
        raise Refused(code)
    return tuple(_hash(line, code) for line in lines)


def _number(text: str, code: str) -> int:
    if not _DECIMAL.fullmatch(text) or int(text) > LARGEST_SIZE:
        raise Refused(code)
    return int(text)


# ---- the three checks ----


def check_checkpoint(checkpoint: str, key: VerifierKey, origin: str | None = None) -> dict[str, Any]:
    """What the signed checkpoint says. Raises `Refused`."""
    return _shown(open_checkpoint(checkpoint, key, origin))


def check_proof(proof: str, record: dict[str, Any], key: VerifierKey, origin: str | None = None) -> dict[str, Any]:
    """That the record is the leaf that the proof places in the signed log. Raises `Refused`."""
    parsed = parse_proof(proof)
    checkpoint = open_checkpoint(parsed.checkpoint, key, origin)
    if parsed.index >= checkpoint.size:
        raise Refused("index_outside")
    leaf = leaf_hash(canonical_leaf(record))
    if root_from_path(leaf, parsed.index, checkpoint.size, parsed.hashes) != checkpoint.root:
        raise Refused("record_differs")
    return _shown(checkpoint) | {"index": parsed.index, "leaf_hash": leaf.hex(), "leaf": record}


def check_consistency(old: str, new: str, proof: str, key: VerifierKey, origin: str | None = None) -> dict[str, Any]:
    """That the newer signed log begins with the whole older one. Raises `Refused`."""
    older, newer = open_checkpoint(old, key, origin), open_checkpoint(new, key, origin)
    if newer.size < older.size:
        raise Refused("log_shrank")
    old_size, hashes, enclosed = parse_consistency(proof)
    if old_size != older.size or (enclosed and open_checkpoint(enclosed, key, origin) != newer):
        raise Refused("sizes_differ")
    if not logs_agree(older, newer, hashes):
        raise Refused("log_rewritten")
    return _shown(newer) | {"old_size": older.size}


def _shown(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": base64.b64encode(checkpoint.root).decode()}


# ---- the command ----


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one check; prints what was found in Chinese and English, or one JSON object; 0 if it holds, else 1."""
    arguments = _parser().parse_args(argv)
    try:
        key = parse_verifier_key(arguments.key)
        answer: dict[str, Any] = {"ok": True, "code": f"{arguments.command}_holds"} | COMMANDS[arguments.command](
            arguments, key
        )
    except Refused as refused:
        answer = {"ok": False, "code": refused.code}
    zh, en = MESSAGES[answer["code"]]
    answer |= {"message_zh": zh, "message_en": en}
    _print(json.dumps(answer, ensure_ascii=True) if arguments.json else _prose(answer))
    return 0 if answer["ok"] else 1


def _run_checkpoint(arguments: argparse.Namespace, key: VerifierKey) -> dict[str, Any]:
    return check_checkpoint(_read(arguments.file), key, arguments.origin)


def _run_proof(arguments: argparse.Namespace, key: VerifierKey) -> dict[str, Any]:
    text = _read(arguments.file)
    # The API gives both in one JSON object; a tlog-proof file is never one.
    document = parse_record(text) if text.lstrip().startswith("{") else {"proof": text}
    proof, record = document.get("proof"), document.get("leaf")
    if arguments.leaf:
        given = parse_record(_read(arguments.leaf))
        record = given["leaf"] if isinstance(given.get("leaf"), dict) else given
    if not isinstance(proof, str):
        raise Refused("proof_malformed")
    if not isinstance(record, dict):
        raise Refused("leaf_missing")
    return check_proof(proof, record, key, arguments.origin)


def _run_consistency(arguments: argparse.Namespace, key: VerifierKey) -> dict[str, Any]:
    old, new, proof = _read(arguments.old), _read(arguments.new), _read(arguments.proof)
    return check_consistency(old, new, proof, key, arguments.origin)


COMMANDS = {"checkpoint": _run_checkpoint, "proof": _run_proof, "consistency": _run_consistency}


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--key", required=True, metavar="VKEY", help="日志的公钥 the log's key: name+id+base64")
    common.add_argument("--origin", help="检查点的来源，默认为公钥名称 the checkpoint's origin; default the key's name")
    common.add_argument("--json", action="store_true", help="输出一个JSON对象 print one JSON object")
    parser = argparse.ArgumentParser(
        prog="doudi verify", description="离线核验兜底的签名日志 Check Doudi's log offline"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    checkpoint = commands.add_parser(
        "checkpoint", parents=[common], help="核验检查点的签名 check a checkpoint's signature"
    )
    checkpoint.add_argument("file")
    proof = commands.add_parser(
        "proof", parents=[common], help="核验一条记录在日志中 check that a record is in the log"
    )
    proof.add_argument("file", help="tlog-proof 文件，或接口返回的JSON a tlog-proof, or the API's JSON")
    proof.add_argument("--leaf", help="记录的JSON文件 the record's JSON file")
    consistency = commands.add_parser(
        "consistency", parents=[common], help="核验日志只增不改 check that the log only grew"
    )
    for name in ("old", "new", "proof"):
        consistency.add_argument(name)
    return parser


def _read(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError):
        raise Refused("file_unreadable") from None
    if len(data) > LARGEST_FILE_BYTES:
        raise Refused("file_too_large")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused("file_not_text") from None


def _prose(answer: dict[str, Any]) -> str:
    sign = "通过 OK" if answer["ok"] else f"不通过 FAILED ({answer['code']})"
    lines = [f"{sign}: {answer['message_zh']}; {answer['message_en']}"]
    for name in ("origin", "old_size", "size", "root", "index", "leaf_hash"):
        if name in answer:
            lines.append(f"  {name:<10}{_printable(answer[name])}")
    lines += [f"  leaf.{_printable(name)} = {_printable(value)}" for name, value in answer.get("leaf", {}).items()]
    return "\n".join(lines)


def _printable(value: object) -> str:
    # A record may hold control characters made to fool a terminal.
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in str(value))


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


if __name__ == "__main__":
    sys.exit(main())
