"""The offline verifier accepts every honest proof and refuses every altered one, without ever a traceback."""

import ast
import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.shared.runtime import log_tree
from verifier import doudi_verify

ORIGIN = "doudi.example/payments"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
VKEY = log_tree.verifier_key(ORIGIN, KEY.public_key())
EVERY_SIZE = 70
VERIFIER = Path(doudi_verify.__file__).resolve()


class Log:
    def __init__(self, count, altered=None):
        self.nodes, self.records = {}, []
        for n in range(count):
            record = {"event_id": f"event_{n}", "action": "settled", "amount_fen": 73800 + n, "region": "530113"}
            self.append(record | {"amount_fen": 1} if n == altered else record)

    def append(self, record):
        leaf = log_tree.leaf_hash(log_tree.canonical_leaf(record))
        for level, index, node in log_tree.nodes_to_store(len(self.records), leaf, self.read):
            self.nodes[level, index] = node
        self.records.append(record)

    def read(self, level, index):
        return self.nodes[level, index]

    def checkpoint(self, size=None, key=KEY, origin=ORIGIN):
        size = len(self.records) if size is None else size
        return log_tree.sign_checkpoint(origin, size, log_tree.root(size, self.read), key)

    def proof(self, index, size=None):
        size = len(self.records) if size is None else size
        path = log_tree.inclusion_proof(index, size, self.read)
        return log_tree.proof_text(index, path, self.checkpoint(size))

    def consistency(self, old, new=None):
        new = len(self.records) if new is None else new
        path = log_tree.consistency_proof(old, new, self.read)
        return log_tree.consistency_text(old, path, self.checkpoint(new))


LOG = Log(EVERY_SIZE)
VERIFIER_KEY = doudi_verify.parse_verifier_key(VKEY)


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the command on texts saved as files; gives the exit code and the JSON answer."""

    def run_command(command, *texts, key=VKEY, **options):
        names = []
        for number, text in enumerate(texts):
            path = tmp_path / f"{number}.txt"
            path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
            names.append(str(path))
        for option, value in options.items():
            path = tmp_path / option
            path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            names += [f"--{option}", str(path)]
        code = doudi_verify.main([command, *names, "--key", key, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run_command


def refusal(check, *arguments):
    with pytest.raises(doudi_verify.Refused) as refused:
        check(*arguments)
    return refused.value.code


def test_every_record_of_every_log_to_seventy_is_proved():
    for size in range(1, EVERY_SIZE + 1):
        for index in range(size):
            found = doudi_verify.check_proof(LOG.proof(index, size), LOG.records[index], VERIFIER_KEY)
            assert (found["index"], found["size"]) == (index, size)


def test_every_growth_to_seventy_is_proved():
    for new in range(EVERY_SIZE + 1):
        for old in range(new + 1):
            found = doudi_verify.check_consistency(
                LOG.checkpoint(old), LOG.checkpoint(new), LOG.consistency(old, new), VERIFIER_KEY
            )
            assert (found["old_size"], found["size"]) == (old, new)


def test_another_record_is_refused_at_every_place():
    for size in (1, 2, 3, 7, 8, 9, 64, 70):
        for index in range(size):
            other = LOG.records[index] | {"amount_fen": 1}
            assert refusal(doudi_verify.check_proof, LOG.proof(index, size), other, VERIFIER_KEY) == "record_differs"


def test_a_proof_of_another_place_is_refused():
    lines = LOG.proof(5).split("\n")
    for index in range(EVERY_SIZE):
        if index == 5:
            continue
        moved = "\n".join([lines[0], f"index {index}", *lines[2:]])
        assert refusal(doudi_verify.check_proof, moved, LOG.records[5], VERIFIER_KEY) == "record_differs"


@pytest.mark.parametrize("index", [70, 71, 2**63 - 1])
def test_an_index_beyond_the_log_is_refused(index):
    lines = LOG.proof(5).split("\n")
    moved = "\n".join([lines[0], f"index {index}", *lines[2:]])
    assert refusal(doudi_verify.check_proof, moved, LOG.records[5], VERIFIER_KEY) == "index_outside"


def test_every_altered_hash_of_a_path_is_refused():
    head, _, checkpoint = LOG.proof(37).partition("\n\n")
    lines = head.split("\n")
    assert len(lines) > 6
    for number in range(2, len(lines)):
        raw = bytearray(base64.b64decode(lines[number]))
        raw[0] ^= 1
        altered = [*lines[:number], base64.b64encode(raw).decode(), *lines[number + 1 :]]
        for broken in (altered, lines[:number] + lines[number + 1 :], [*lines, lines[-1]]):
            text = "\n".join(broken) + "\n\n" + checkpoint
            assert refusal(doudi_verify.check_proof, text, LOG.records[37], VERIFIER_KEY) == "record_differs"


@pytest.mark.parametrize("size", [1, 2, 3, 8, 9, 33, 69])
def test_a_rewritten_log_cannot_show_that_it_grew(size):
    for altered in range(size):
        rewritten = Log(EVERY_SIZE, altered=altered)
        for proof in (rewritten.consistency(size), LOG.consistency(size).partition("\n\n")[0] + "\n"):
            code = refusal(
                doudi_verify.check_consistency, LOG.checkpoint(size), rewritten.checkpoint(), proof, VERIFIER_KEY
            )
            assert code == "log_rewritten"


def test_every_altered_hash_of_a_growth_is_refused():
    for old in (1, 6, 8, 37, 64):
        head, _, _ = LOG.consistency(old).partition("\n\n")
        lines = head.split("\n")
        for number in range(1, len(lines)):
            raw = bytearray(base64.b64decode(lines[number]))
            raw[31] ^= 0x80
            altered = [*lines[:number], base64.b64encode(raw).decode(), *lines[number + 1 :]]
            for broken in (altered, lines[:number] + lines[number + 1 :], [*lines, lines[-1]]):
                arguments = (LOG.checkpoint(old), LOG.checkpoint(), "\n".join(broken) + "\n", VERIFIER_KEY)
                assert refusal(doudi_verify.check_consistency, *arguments) == "log_rewritten"


@pytest.mark.parametrize("claimed", [9, 12, 16, 2**62])
def test_a_root_signed_under_another_size_proves_nothing(claimed):
    path = log_tree.inclusion_proof(6, 8, LOG.read)
    note = log_tree.sign_checkpoint(ORIGIN, claimed, log_tree.root(8, LOG.read), KEY)
    proof = log_tree.proof_text(6, path, note)
    assert refusal(doudi_verify.check_proof, proof, LOG.records[6], VERIFIER_KEY) == "record_differs"
    growth = (LOG.checkpoint(6), note, log_tree.consistency_text(6, log_tree.consistency_proof(6, 8, LOG.read), note))
    assert refusal(doudi_verify.check_consistency, *growth, VERIFIER_KEY) == "log_rewritten"


def test_a_path_of_the_wrong_length_leads_nowhere():
    leaf, sibling = bytes(32), bytes(32)
    assert doudi_verify.root_from_path(leaf, 0, 2, [sibling]) is not None
    for hashes in ([], [sibling, sibling]):
        assert doudi_verify.root_from_path(leaf, 0, 2, hashes) is None


def test_a_hash_has_one_spelling():
    lines = LOG.proof(37).split("\n")
    stray = lines[2][:-2] + chr(ord(lines[2][-2]) + 1) + "="
    assert base64.b64decode(stray) == base64.b64decode(lines[2])
    text = "\n".join([*lines[:2], stray, *lines[3:]])
    assert refusal(doudi_verify.check_proof, text, LOG.records[37], VERIFIER_KEY) == "proof_malformed"


def test_a_forked_log_of_the_same_size_is_refused():
    fork = Log(EVERY_SIZE, altered=3)
    arguments = (LOG.checkpoint(), fork.checkpoint(), "old 70\n", VERIFIER_KEY)
    assert refusal(doudi_verify.check_consistency, *arguments) == "log_rewritten"


def test_a_truncated_log_is_refused():
    arguments = (LOG.checkpoint(), LOG.checkpoint(69), LOG.consistency(69), VERIFIER_KEY)
    assert refusal(doudi_verify.check_consistency, *arguments) == "log_shrank"


def test_a_growth_between_other_checkpoints_is_refused():
    for proof in (LOG.consistency(6), LOG.consistency(7, 69)):
        arguments = (LOG.checkpoint(7), LOG.checkpoint(), proof, VERIFIER_KEY)
        assert refusal(doudi_verify.check_consistency, *arguments) == "sizes_differ"


def test_every_changed_character_of_a_checkpoint_is_refused():
    note = LOG.checkpoint()
    for place, character in enumerate(note):
        altered = note[:place] + ("B" if character == "A" else "A") + note[place + 1 :]
        with pytest.raises(doudi_verify.Refused):
            doudi_verify.check_checkpoint(altered, VERIFIER_KEY)


def test_a_checkpoint_of_another_key_is_refused():
    assert refusal(doudi_verify.check_checkpoint, LOG.checkpoint(key=OTHER_KEY), VERIFIER_KEY) == "signature_missing"


def test_a_checkpoint_of_another_log_is_refused():
    body = log_tree.checkpoint_body("doudi.example/monitoring", 1, bytes(32))
    signature = VERIFIER_KEY.key_id + KEY.sign(body.encode())
    note = f"{body}\n— {ORIGIN} {base64.b64encode(signature).decode()}\n"
    assert refusal(doudi_verify.check_checkpoint, note, VERIFIER_KEY) == "origin_differs"
    assert doudi_verify.check_checkpoint(note, VERIFIER_KEY, "doudi.example/monitoring")["size"] == 1


def test_a_witness_beside_the_log_is_passed_over():
    witness = base64.b64encode(b"\x01\x02\x03\x04" + bytes(72)).decode()
    assert (
        doudi_verify.check_checkpoint(LOG.checkpoint() + f"— witness.example {witness}\n", VERIFIER_KEY)["size"] == 70
    )


def test_a_second_wrong_signature_of_the_same_key_is_refused():
    forged = base64.b64encode(VERIFIER_KEY.key_id + bytes(64)).decode()
    note = LOG.checkpoint() + f"— {ORIGIN} {forged}\n"
    assert refusal(doudi_verify.check_checkpoint, note, VERIFIER_KEY) == "signature_wrong"


@pytest.mark.parametrize(("count", "code"), [(63, None), (64, "note_malformed")])
def test_signatures_are_bounded(count, code):
    line = f"— witness.example {base64.b64encode(bytes(68)).decode()}\n"
    note = LOG.checkpoint() + line * count
    if code:
        assert refusal(doudi_verify.check_checkpoint, note, VERIFIER_KEY) == code
    else:
        assert doudi_verify.check_checkpoint(note, VERIFIER_KEY)["size"] == 70


def test_hashes_are_bounded():
    line = base64.b64encode(bytes(32)).decode()
    for count, code in ((126, "record_differs"), (127, "proof_malformed")):
        text = log_tree.proof_text(0, [bytes(32)] * count, LOG.checkpoint())
        assert text.count(line) == count
        assert refusal(doudi_verify.check_proof, text, LOG.records[0], VERIFIER_KEY) == code


def test_the_extra_line_is_passed_over():
    text = LOG.proof(5).replace("\nindex", "\nextra YWJj\nindex", 1)
    assert doudi_verify.check_proof(text, LOG.records[5], VERIFIER_KEY)["index"] == 5


def test_the_example_note_of_the_go_tools_holds():
    key = doudi_verify.parse_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    # Its signature is right; only then is it found to be no checkpoint.
    assert refusal(doudi_verify.check_checkpoint, note, key) == "checkpoint_malformed"
    assert refusal(doudi_verify.check_checkpoint, note.replace("is.", "was."), key) == "signature_wrong"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "key_malformed"),
        ("a+b", "key_malformed"),
        (VKEY.replace("+", " ", 1), "key_malformed"),
        (VKEY[:-4], "key_malformed"),
        (VKEY[:-1] + "!", "key_malformed"),
        (VKEY.replace("payments", "payment"), "key_id_differs"),
        ("\udcff+00000000+AA==", "key_malformed"),
    ],
)
def test_a_miscopied_key_is_refused(run, key, code):
    assert run("checkpoint", LOG.checkpoint(), key=key) == (1, {"ok": False, "code": code} | messages(code))


def messages(code):
    zh, en = doudi_verify.MESSAGES[code]
    return {"message_zh": zh, "message_en": en}


def test_the_command_takes_proof_and_record_apart_or_together(run):
    code, answer = run("proof", LOG.proof(5), leaf=LOG.records[5])
    assert (code, answer["ok"], answer["leaf"]) == (0, True, LOG.records[5])
    document = json.dumps({"disbursement_id": "d_1", "leaf": LOG.records[5], "proof": LOG.proof(5)})
    assert run("proof", document)[0] == 0
    assert run("proof", LOG.proof(5), leaf=document)[0] == 0
    assert run("proof", document, leaf=LOG.records[6])[1]["code"] == "record_differs"


def test_the_command_checks_growth(run):
    code, answer = run("consistency", LOG.checkpoint(7), LOG.checkpoint(), LOG.consistency(7))
    assert (code, answer["old_size"], answer["size"]) == (0, 7, 70)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ('{"a": 1, "a": 2}', "leaf_malformed"),
        ('{"a": 1.0}', "leaf_malformed"),
        ('{"a": NaN}', "leaf_malformed"),
        ('{"a": [1]}', "leaf_malformed"),
        ('{"a": 9007199254740992}', "leaf_malformed"),
        ('{"a": "\\ud800"}', "leaf_malformed"),
        pytest.param("[" * 200_000, "leaf_malformed", id="deep lists"),
        pytest.param('{"a":' * 100_000, "leaf_malformed", id="deep objects"),
        pytest.param("9" * 10_000, "leaf_malformed", id="long number"),
        ("", "leaf_malformed"),
        ("{}", "leaf_malformed"),
        ("null", "leaf_malformed"),
        ('{"a": 9007199254740991}', "record_differs"),
    ],
)
def test_a_hostile_record_is_refused(run, record, code):
    assert run("proof", LOG.proof(5), leaf=record)[1]["code"] == code


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        ("", "leaf_missing"),
        ("{}", "proof_malformed"),
        ('{"proof": 5}', "proof_malformed"),
        ('{"proof": "\\ud800"}', "leaf_missing"),
        (
            '{"proof": "c2sp.org/tlog-proof@v1\\nindex 0\\n\\n\\ud800\\n\\n\\u2014 x AAAAAAA=\\n", "leaf": {"a": 1}}',
            "note_malformed",
        ),
        ("c2sp.org/tlog-proof@v1\n\n", "leaf_missing"),
        (b"\xff\xfe", "file_not_text"),
        pytest.param(b"\x00" * (1 << 20), "leaf_missing", id="at the bound"),
        pytest.param(b"\x00" * ((1 << 20) + 1), "file_too_large", id="one byte above"),
    ],
)
def test_a_hostile_proof_is_refused(run, proof, code):
    assert run("proof", proof)[:1] == (1,)
    assert run("proof", proof)[1]["code"] == code


@pytest.mark.parametrize(
    "number", ["-1", "00", "+5", "5 ", "٥", "9223372036854775808", pytest.param("9" * 5000, id="long"), ""]
)
def test_a_number_has_one_spelling(number):
    text = LOG.proof(5).replace("index 5", f"index {number}")
    assert refusal(doudi_verify.check_proof, text, LOG.records[5], VERIFIER_KEY) == "proof_malformed"


def test_a_missing_file_is_one_clear_answer(capsys):
    for name in ("/nowhere/at/all", "/", "with\0nul"):
        assert doudi_verify.main(["checkpoint", name, "--key", VKEY]) == 1
        assert "file_unreadable" in capsys.readouterr().out


def test_a_record_cannot_write_to_the_terminal(tmp_path, capsys):
    record = {"event_id": "x\x1b[2J\r通过"}
    log = Log(0)
    log.append(record)
    document = tmp_path / "proof.json"
    document.write_text(json.dumps({"leaf": record, "proof": log.proof(0)}))
    assert doudi_verify.main(["proof", str(document), "--key", VKEY]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\r" not in out
    assert "通过 OK" in out


scraps = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.tuples(st.integers(0, 600), st.binary(max_size=4)).map(lambda cut: splice(LOG.proof(37).encode(), *cut)),
    st.tuples(st.integers(0, 300), st.binary(max_size=4)).map(lambda cut: splice(LOG.checkpoint().encode(), *cut)),
)


def splice(data, place, new):
    return data[:place] + new + data[place + len(new) :]


@settings(max_examples=150, deadline=None)
@given(scraps, scraps)
def test_no_input_makes_a_traceback(tmp_path_factory, first, second):
    folder = tmp_path_factory.mktemp("scraps")
    (folder / "a").write_bytes(first)
    (folder / "b").write_bytes(second)
    a, b = str(folder / "a"), str(folder / "b")
    for arguments in (["checkpoint", a], ["proof", a, "--leaf", b], ["consistency", a, b, a]):
        assert doudi_verify.main([*arguments, "--key", VKEY, "--json"]) in (0, 1)


def test_it_runs_alone_from_any_folder(tmp_path):
    (tmp_path / "checkpoint.txt").write_text(LOG.checkpoint())
    command = [sys.executable, str(VERIFIER), "checkpoint", "checkpoint.txt", "--key", VKEY]
    environment = {"PYTHONIOENCODING": "ascii", "PATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"OK" in done.stdout
    command[3] = "missing.txt"
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False).returncode == 1


def test_it_needs_only_python_and_cryptography():
    roots = set()
    for node in ast.walk(ast.parse(VERIFIER.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            roots.add(node.module.split(".")[0])
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}
    assert not roots & {"socket", "urllib", "http", "subprocess"}
