"""A call to a peer: bounded in time and size, and sorted into answered, send again, and refused."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.shared.runtime import service_client
from services.shared.runtime.service_client import PeerRefused, PeerUnavailable, ServiceClient


class Peer(ThreadingHTTPServer):
    """Gives each request the prepared answer and keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = (200, b'{"ok":true}')
        self.pause_seconds = 0.0
        self.drips = False
        self.asked: list[tuple[str, dict, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.server.asked.append((self.path, dict(self.headers), body))
        time.sleep(self.server.pause_seconds)
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        try:
            for byte in [answer] if not self.server.drips else [answer[i : i + 1] for i in range(len(answer))]:
                self.wfile.write(byte)
                time.sleep(0.1 if self.server.drips else 0)
        except OSError:
            pass  # the client had enough

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def peer():
    """A peer over real HTTP."""
    server = Peer()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client_of(service_environment):
    """Makes clients as eligibility would, and closes them."""
    made = []

    def make(url: str) -> ServiceClient:
        key = Path(service_environment["DOUDI_ELIGIBILITY_SIGNING_KEY_FILE"])
        made.append(ServiceClient("payments", url, "eligibility", key))
        return made[-1]

    yield make
    for client in made:
        client.close()


def test_an_answer_is_given_and_the_request_was_signed_and_keyed(peer, client_of, service_environment):
    from services.shared.runtime.callers import TrustedKeys
    from services.shared.runtime.clock import system_now

    assert client_of(peer.url).post("/payments/v1/awards", {"amount": "1.00"}, "message_1") == {"ok": True}
    (path, headers, body) = peer.asked[0]
    assert (path, json.loads(body)) == ("/payments/v1/awards", {"amount": "1.00"})
    assert headers["Idempotency-Key"] == "message_1"
    trusted = TrustedKeys.read(Path(service_environment["DOUDI_TRUSTED_KEYS_FILE"]), False)
    actor = trusted.actor_of(headers["Authorization"].removeprefix("Bearer "), system_now())
    assert (actor.subject, actor.roles) == ("eligibility/eligibility", {"service"})


@pytest.mark.parametrize("status", [500, 502, 503, 504, 401, 408, 429, 302])
def test_what_may_pass_is_to_be_sent_again(peer, client_of, status):
    peer.answer = (status, b"{}")
    with pytest.raises(PeerUnavailable):
        client_of(peer.url).post("/", {}, "k")
    assert len(peer.asked) == 1, "sending again is the outbox's, with its pauses and its bound"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
def test_what_will_not_pass_is_refused_with_its_code(peer, client_of, status):
    peer.answer = (status, b'{"code":"idempotency_key_reused"}')
    with pytest.raises(PeerRefused) as refused:
        client_of(peer.url).post("/", {}, "k")
    assert (refused.value.status, refused.value.code) == (status, "idempotency_key_reused")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b'{"code":7}', b"\xff"])
def test_a_refusal_without_a_code_is_still_one(peer, client_of, body):
    peer.answer = (422, body)
    with pytest.raises(PeerRefused):
        client_of(peer.url).post("/", {}, "k")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff"])
def test_a_success_that_is_not_our_peers_is_none(peer, client_of, body):
    peer.answer = (200, body)
    with pytest.raises(PeerUnavailable):
        client_of(peer.url).post("/", {}, "k")


def test_a_peer_that_does_not_answer_in_time_is_unavailable(peer, client_of, monkeypatch):
    monkeypatch.setattr(service_client, "ANSWER_SECONDS", 0.3)
    peer.pause_seconds = 2
    started = time.monotonic()
    with pytest.raises(PeerUnavailable):
        client_of(peer.url).post("/", {}, "k")
    assert time.monotonic() - started < 1.5


def test_a_peer_that_answers_a_byte_at_a_time_is_unavailable_too(peer, client_of, monkeypatch):
    monkeypatch.setattr(service_client, "ANSWER_SECONDS", 0.5)
    peer.drips, peer.answer = True, (200, b'{"ok":"' + b"a" * 100 + b'"}')
    started = time.monotonic()
    with pytest.raises(PeerUnavailable):
        client_of(peer.url).post("/", {}, "k")
    assert time.monotonic() - started < 3


def test_an_answer_beyond_the_bound_is_not_read(peer, client_of, monkeypatch):
    monkeypatch.setattr(service_client, "MAX_ANSWER_BYTES", 20)
    client = client_of(peer.url)
    peer.answer = (200, b'{"a":"%s"}' % (b"b" * 12))
    assert client.post("/", {}, "k") == {"a": "b" * 12}
    peer.answer = (200, b'{"a":"%s"}' % (b"b" * 13))
    with pytest.raises(PeerUnavailable):
        client.post("/", {}, "k")


@pytest.mark.parametrize(("size", "is_read"), [(20, True), (21, False)])
def test_what_is_got_is_signed_and_bounded_as_the_caller_says(peer, client_of, size, is_read):
    peer.answer = (200, b'{"a":"%s"}' % (b"b" * (size - len(b'{"a":""}'))))
    if is_read:
        assert client_of(peer.url).get("/thing", 20) == {"a": "b" * 12}
    else:
        with pytest.raises(PeerUnavailable):
            client_of(peer.url).get("/thing", 20)
    [(path, headers, _)] = peer.asked
    assert path == "/thing" and headers["Authorization"].startswith("Bearer ") and "Idempotency-Key" not in headers


@pytest.mark.parametrize(("status", "error"), [(404, PeerRefused), (403, PeerRefused), (503, PeerUnavailable)])
def test_a_refused_get_is_sorted_as_a_refused_post_is(peer, client_of, status, error):
    peer.answer = (status, b"{}")
    with pytest.raises(error):
        client_of(peer.url).get("/thing", 20)


def test_a_port_where_nobody_listens_is_unavailable(client_of):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(PeerUnavailable):
            client_of(f"http://127.0.0.1:{taken.getsockname()[1]}").post("/", {}, "k")
