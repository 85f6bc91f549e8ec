"""The log's arithmetic against RFC 6962's own numbers, a naive definition and another implementation."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from services.shared.runtime import log_tree

EVERY_SIZE = 70
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

# The test tree of the certificate-transparency project, whose roots every RFC 6962 implementation repeats.
REFERENCE_LEAVES = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes.fromhex("606162636465666768696a6b6c6d6e6f")
]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Log:
    """A log whose nodes are kept in a dictionary that refuses to be overwritten, as the table does."""

    def __init__(self, leaves=()):
        self.nodes = {}
        self.size = 0
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf):
        for level, index, node in log_tree.nodes_to_store(self.size, log_tree.leaf_hash(leaf), self.read):
            assert (level, index) not in self.nodes, "a stored node never changes"
            self.nodes[level, index] = node
        self.size += 1

    def read(self, level, index):
        return self.nodes[level, index]


def leaves_of(count):
    return [b"leaf %d" % n for n in range(count)]


def naive_root(leaves):
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m, leaves):
    """RFC 6962 §2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m, leaves, is_whole):
    """RFC 6962 §2.1.2, word for word."""
    if m == len(leaves):
        return [] if is_whole else [naive_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], is_whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size):
    log = Log(REFERENCE_LEAVES[:size])
    assert log_tree.root(size, log.read).hex() == REFERENCE_ROOTS[size - 1]


def test_root_of_nothing_is_the_hash_of_nothing():
    assert log_tree.root(0, Log().read).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_every_past_root_stays_readable_to_seventy():
    leaves = leaves_of(EVERY_SIZE)
    log = Log(leaves)
    for size in range(EVERY_SIZE + 1):
        assert log_tree.root(size, log.read) == naive_root(leaves[:size])


def test_every_inclusion_proof_to_seventy_is_the_naive_one():
    leaves = leaves_of(EVERY_SIZE)
    log = Log(leaves)
    for size in range(1, EVERY_SIZE + 1):
        for index in range(size):
            assert log_tree.inclusion_proof(index, size, log.read) == naive_path(index, leaves[:size])


def test_every_consistency_proof_to_seventy_is_the_naive_one():
    leaves = leaves_of(EVERY_SIZE)
    log = Log(leaves)
    for new in range(1, EVERY_SIZE + 1):
        for old in range(1, new + 1):
            assert log_tree.consistency_proof(old, new, log.read) == naive_subproof(old, leaves[:new], True)


def test_another_implementation_gives_the_same_to_seventy():
    oracle = InmemoryTree(algorithm="sha256")
    log = Log(leaves_of(EVERY_SIZE))
    for leaf in leaves_of(EVERY_SIZE):
        oracle.append_entry(leaf)
    for size in range(1, EVERY_SIZE + 1):
        assert log_tree.root(size, log.read) == oracle.get_root(size)
        for index in range(size):
            # Its path begins with the leaf's own hash.
            theirs = oracle.prove_inclusion(index + 1, size).path[1:]
            assert log_tree.inclusion_proof(index, size, log.read) == theirs
        for old in range(1, size):
            # Its consistency proofs split a tree elsewhere than RFC 6962 does, so it judges our roots instead.
            proof = oracle.prove_consistency(old, size)
            proof.verify(log_tree.root(old, log.read), log_tree.root(size, log.read))


@pytest.mark.parametrize("old", [0, 9])
def test_nothing_to_show_is_an_empty_proof(old):
    assert log_tree.consistency_proof(old, 9, Log(leaves_of(9)).read) == []


def test_a_big_log_reads_few_nodes():
    size, reads = 2**62 + 2**40 + 12345, []

    def read(level, index):
        reads.append((level, index))
        return hashlib.sha256(b"%d/%d" % (level, index)).digest()

    log_tree.root(size, read)
    assert len(reads) == size.bit_count()
    reads.clear()
    assert len(log_tree.inclusion_proof(2**61, size, read)) <= 63
    assert len(reads) <= 126


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (4, 3), (0, 0)])
def test_a_leaf_outside_the_log_has_no_proof(index, size):
    with pytest.raises(ValueError, match="not in a log"):
        log_tree.inclusion_proof(index, size, Log(leaves_of(3)).read)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_a_log_does_not_shrink(old, new):
    with pytest.raises(ValueError, match="cannot extend"):
        log_tree.consistency_proof(old, new, Log(leaves_of(3)).read)


def test_a_log_is_bounded():
    with pytest.raises(ValueError, match="2\\^63"):
        log_tree.nodes_to_store(2**63 - 1, bytes(32), Log().read)
    with pytest.raises(ValueError, match="2\\^63"):
        log_tree.root(-1, Log().read)


leaf_values = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.booleans(),
    st.none(),
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), leaf_values, min_size=1))
def test_a_leaf_is_its_record_whatever_the_order(record):
    leaf = log_tree.canonical_leaf(record)
    assert leaf == log_tree.canonical_leaf(dict(reversed(record.items())))
    assert json.loads(leaf) == record
    assert b" " not in leaf.replace(b"\\", b"") or any(" " in str(part) for item in record.items() for part in item)


def test_a_leaf_has_one_spelling():
    record = {"b": "低保", "a": 73800, "c": None, "d": True}
    assert log_tree.canonical_leaf(record).decode() == '{"a":73800,"b":"低保","c":null,"d":true}'


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"amount": 738.0},
        {"amount": float("nan")},
        {"amount": 2**53},
        {"amount": -(2**53)},
        {"nested": {"a": 1}},
        {"list": [1]},
        {"bytes": b"x"},
        {1: "x"},
        {"text": "\ud800"},
    ],
)
def test_what_has_no_exact_spelling_is_no_leaf(record):
    with pytest.raises(ValueError):
        log_tree.canonical_leaf(record)


def test_a_refused_leaf_does_not_tell_its_value():
    with pytest.raises(ValueError) as refused:
        log_tree.canonical_leaf({"amount": 424242.5})
    assert "424242" not in str(refused.value)


def test_a_checkpoint_is_three_lines_and_a_signature():
    note = log_tree.sign_checkpoint("doudi.example/payments", 3, bytes(32), KEY)
    origin, size, root, empty, signature, end = note.split("\n")
    assert (origin, size, empty, end) == ("doudi.example/payments", "3", "", "")
    assert root == "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert signature.startswith("— doudi.example/payments ")


def test_the_key_text_is_that_of_the_go_tools():
    # The example key of Go's golang.org/x/mod/sumdb/note.
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    raw = bytes.fromhex("1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6")
    assert log_tree.verifier_key("PeterNeumann", Ed25519PublicKey.from_public_bytes(raw)) == text


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "a\u3000b", "a\x00b"])
def test_an_origin_that_would_break_the_note_is_refused(origin):
    with pytest.raises(ValueError, match="origin"):
        log_tree.sign_checkpoint(origin, 0, bytes(32), KEY)


def test_a_short_root_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        log_tree.checkpoint_body("doudi.example", 0, bytes(31))


def test_a_proof_is_the_c2sp_text():
    text = log_tree.proof_text(7, [bytes(32)], "CHECKPOINT\n")
    assert text == "c2sp.org/tlog-proof@v1\nindex 7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nCHECKPOINT\n"
    assert log_tree.proof_text(0, [], "CHECKPOINT\n") == "c2sp.org/tlog-proof@v1\nindex 0\n\nCHECKPOINT\n"
    assert log_tree.consistency_text(4, [], "CHECKPOINT\n") == "old 4\n\nCHECKPOINT\n"
