"""The department against a receiver of its own: what it signs, what it sends again, and when it gives up."""

import base64
import json
import stat
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from sandbox.department import signed_post
from sandbox.department.__main__ import main
from sandbox.department.death_batch import MOST_ROWS, DeathBatch, RowsRefused, read_rows
from sandbox.department.key_pair import KeyRefused, make_key_pair, read_key

REQUIRED = ("@method", "@target-uri", "content-digest", "content-type")


class Receiver:
    """A real HTTP server that keeps what it gets and answers as told: a status, "silent" or "drip"."""

    def __init__(self):
        self.requests, self.answers = [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append(
                    SimpleNamespace(method="POST", url=receiver.url, headers=self.headers, body=body)
                )
                receiver.answer(self, receiver.answers.pop(0) if receiver.answers else 200)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # A client that gives up is what some tests are about, not an event to print.
        self.server.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self.server.server_port}/monitoring/v1/feeds/deaths/batches"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, handler, how):
        if how == "silent":
            time.sleep(1.5)
            return
        handler.send_response(how if isinstance(how, int) else 200)
        handler.end_headers()
        if how == "drip":
            for _ in range(30):
                handler.wfile.write(b" ")
                time.sleep(0.05)
        else:
            handler.wfile.write(b'{"state":"ACCEPTED"}')


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def key_file(tmp_path):
    return make_key_pair(tmp_path / "keys", "police-530113")


@pytest.fixture
def rows_file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("\ufeff公民身份号码,死亡日期,数据来源\n990101194901010018,2026-02-03,殡仪馆\n", encoding="utf-8")
    return path


def verify(request, public_key):
    key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(public_key["x"] + "="))
    resolver = MappingKeyResolver(public_keys={"police-530113": key}, private_keys={})
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=resolver)
    [result] = verifier.verify(request, max_age=timedelta(seconds=300), require_components=REQUIRED, body=request.body)
    return result


def send(receiver, key_file, rows_file, *more):
    command = ["send-deaths", "--url", receiver.url, "--key", str(key_file[0]), "--rows", str(rows_file)]
    return main([*command, "--batch-no", "2026-02-001", "--as-of", "2026-02-28", *more])


def test_a_batch_arrives_signed_and_whole(receiver, key_file, rows_file, capsys):
    assert send(receiver, key_file, rows_file) == 0
    [request] = receiver.requests
    result = verify(request, key_file[1])
    assert result.parameters["alg"] == "ed25519"
    assert abs(result.parameters["created"] - time.time()) < 60
    assert len(result.nonce) >= 16
    assert json.loads(request.body) == {
        "batch_no": "2026-02-001",
        "as_of": "2026-02-28",
        "mode": "delta",
        "row_count": 1,
        "rows": [{"id_number": "990101194901010018", "died_on": "2026-02-03", "source": "殡仪馆"}],
    }
    assert "ACCEPTED" in capsys.readouterr().out


def test_a_changed_body_or_target_breaks_the_signature(receiver, key_file, rows_file):
    send(receiver, key_file, rows_file)
    [request] = receiver.requests
    changed = SimpleNamespace(**vars(request) | {"body": request.body.replace(b"990101", b"990102")})
    moved = SimpleNamespace(**vars(request) | {"url": request.url + "?dry_run=true"})
    for broken in (changed, moved):
        with pytest.raises(InvalidSignature):
            verify(broken, key_file[1])


def test_a_failing_receiver_gets_the_same_bytes_under_a_new_nonce(receiver, key_file, rows_file, monkeypatch):
    monkeypatch.setattr(signed_post, "PAUSE_SECONDS", 0)
    receiver.answers = [503, 503, 200]
    assert send(receiver, key_file, rows_file) == 0
    assert len({request.body for request in receiver.requests}) == 1
    assert len({verify(request, key_file[1]).nonce for request in receiver.requests}) == 3


def test_it_gives_up_after_three_attempts(receiver, key_file, rows_file, monkeypatch, capsys):
    monkeypatch.setattr(signed_post, "PAUSE_SECONDS", 0)
    receiver.answers = [503, 503, 503, 200]
    assert send(receiver, key_file, rows_file) == 1
    assert len(receiver.requests) == 3
    assert "no answer" in capsys.readouterr().err


@pytest.mark.parametrize("status", [400, 401, 409, 422])
def test_a_refusal_is_shown_and_not_repeated(receiver, key_file, rows_file, status, capsys):
    receiver.answers = [status]
    assert send(receiver, key_file, rows_file) == 1
    assert len(receiver.requests) == 1
    assert "ACCEPTED" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["silent", "drip"])
def test_every_call_has_a_deadline(receiver, key_file, rows_file, monkeypatch, how):
    monkeypatch.setattr(signed_post, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(signed_post, "DEADLINE_SECONDS", 0.3)
    receiver.answers = [how] * 3
    started = time.monotonic()
    assert send(receiver, key_file, rows_file) == 1
    assert time.monotonic() - started < 4


def test_nobody_listening_is_one_clear_line(key_file, rows_file, monkeypatch, capsys):
    monkeypatch.setattr(signed_post, "PAUSE_SECONDS", 0)
    assert send(SimpleNamespace(url="http://127.0.0.1:9/"), key_file, rows_file) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_keygen_prints_what_the_receiver_registers(tmp_path, capsys):
    assert main(["keygen", "--key-id", "police-530113", "--folder", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    path = tmp_path / "police-530113.pem"
    jwk = json.loads(out)
    assert (jwk["kty"], jwk["crv"], jwk["kid"]) == ("OKP", "Ed25519", "police-530113")
    assert "d" not in jwk
    assert isinstance(read_key(path), Ed25519PrivateKey)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "PRIVATE" not in out + err


def test_a_key_in_use_is_never_overwritten(tmp_path, key_file):
    before = key_file[0].read_bytes()
    with pytest.raises(KeyRefused, match="exists"):
        make_key_pair(key_file[0].parent, "police-530113")
    assert key_file[0].read_bytes() == before


@pytest.mark.parametrize("key_id", ["", "../x", "A", "a" * 64, "a b", "-a"])
def test_a_key_id_is_a_plain_name(tmp_path, key_id):
    with pytest.raises(KeyRefused, match="key id"):
        make_key_pair(tmp_path, key_id)


def test_what_is_no_key_is_refused_without_showing_it(tmp_path):
    path = tmp_path / "key.pem"
    for content in ("not a key secret", ""):
        path.write_text(content)
        with pytest.raises(KeyRefused) as refused:
            read_key(path)
        assert "secret" not in str(refused.value)
    with pytest.raises(KeyRefused, match="cannot be read"):
        read_key(tmp_path / "missing.pem")


def test_the_same_batch_is_the_same_bytes():
    row = {"id_number": "990101194901010018", "died_on": "2026-02-03"}
    assert DeathBatch("1", "2026-02-28", (row,)).body() == DeathBatch("1", "2026-02-28", (row,)).body()
    assert b'"row_count":9' in DeathBatch("1", "2026-02-28", (row,), row_count=9).body()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("id_number,source\n9,x\n", "lacks"),
        ("[1]", "not an object"),
        ("[{", "neither"),
        ("[" * 100_000, "neither"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("id_number,died_on\n" + "9,2026-01-01\n" * (MOST_ROWS + 1), "5001 rows"),
    ],
    ids=["no date", "no object", "no json", "deep", "no text", "too many"],
)
def test_a_file_that_cannot_be_sent_is_refused(tmp_path, content, problem):
    path = tmp_path / "rows"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RowsRefused, match=problem):
        read_rows(path)


def test_as_many_rows_as_allowed_are_read(tmp_path):
    path = tmp_path / "rows"
    path.write_text("id_number,died_on\n" + "9,2026-01-01\n" * MOST_ROWS)
    assert len(read_rows(path)) == MOST_ROWS


def test_bad_rows_are_sent_as_they_are(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('[{"id_number": "3.3E+17", "died_on": "2030-13-01", "more": 1}]')
    assert read_rows(path) == ({"id_number": "3.3E+17", "died_on": "2030-13-01"},)
