"""`doudi pack export` and `propose` against the real service: what is exported decides as the service does."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import uvicorn

from services.cli.token import development_token
from services.eligibility.app import create_app
from services.eligibility.settings import configuration
from services.eligibility.use_cases import published_policy
from tests.new_pack import ID, pack_files, request_body, sha256_of

PACKS = "/eligibility/v1/policy-packs"


def doudi(*arguments, stdin=None, **environment):
    command = [sys.executable, "-c", "from services.cli.main import main; main()", *arguments]
    surroundings = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, input=stdin, timeout=120, env=surroundings)
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.fixture(scope="module")
def url(configured):
    """The address of the service, which looks for new packs with every request."""
    listener = socket.create_server(("127.0.0.1", 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(published_policy, "REFRESH_SECONDS", -1.0)
        app = create_app(configuration())
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)
        app.state.runtime.database.close()


def token(number=1, role="policy_officer"):
    return development_token(role, f"{role}-{number}")


def call(url, method, path, body=None, number=1, role="policy_officer", key="k"):
    headers = {"Authorization": f"Bearer {token(number, role)}", "Idempotency-Key": key}
    return httpx.request(method, f"{url}{path}", json=body, headers=headers, trust_env=False, timeout=30)


@pytest.fixture
def folder_of(tmp_path):
    """Writes a pack's files into a folder."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / "pack" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return str(tmp_path / "pack")

    return write


def test_what_two_persons_published_is_exported_and_decides_alike(url, folder_of, tmp_path):
    settings = {"DOUDI_ELIGIBILITY_URL": url, "DOUDI_TOKEN": token()}
    code, out, err = doudi("pack", "propose", folder_of(pack_files("1", "760.00", "260.00")), "--json", **settings)
    assert (code, err) == (0, "")
    assert json.loads(out)["sha256"] == sha256_of(pack_files("1", "760.00", "260.00"))
    assert call(url, "POST", f"{PACKS}/{ID}/1/publish", {}, number=2).status_code == 200

    exported = tmp_path / "exported"
    code, out, err = doudi("pack", "export", str(exported), "--json", **settings)
    assert (code, err) == (0, "")
    assert {"id": ID, "version": "1", "sha256": sha256_of(pack_files("1", "760.00", "260.00"))} in json.loads(out)
    listed = call(url, "GET", f"{PACKS}?limit=500").json()["data"]
    assert [(each["id"], each["version"]) for each in json.loads(out)] == [(p["id"], p["version"]) for p in listed]

    simulation = {**request_body(), "parameters": {"work_cost_deduction": "0.00"}}
    asked = json.dumps(simulation).encode()
    code, alone, err = doudi("determine", "-", "--packs", str(exported), stdin=asked)
    assert (code, err) == (0, "")
    served = call(url, "POST", "/eligibility/v1/simulations", simulation)
    assert alone == served.content + b"\n"
    assert served.json()["results"][0]["monthly"] == "260.00"

    recorded = call(url, "POST", "/eligibility/v1/determinations", request_body(), role="caseworker", key="d").content
    code, alone, err = doudi("determine", "-", "--packs", str(exported), stdin=json.dumps(request_body()).encode())
    assert alone == b"{" + recorded.split(b",", 1)[1] + b"\n"


def test_the_shipped_packs_do_not_have_what_was_published(url):
    code, alone, _ = doudi("determine", "-", stdin=json.dumps(request_body()).encode())
    assert code == 0 and json.loads(alone)["results"][0]["outcome"] == "undetermined"


def test_a_faulty_pack_is_refused_with_its_places(url, folder_of):
    folder = folder_of(pack_files("2", monthly="1.00"))
    code, out, err = doudi("pack", "propose", folder, DOUDI_ELIGIBILITY_URL=url, DOUDI_TOKEN=token())
    assert code == 1 and "cases/standards.toml case the gap to the standard" in out.decode()
    assert len(err.splitlines()) == 1 and "规则包有误" in err and "unsound" in err


def test_a_folder_with_something_in_it_is_left_alone(url, tmp_path):
    (tmp_path / "mine").write_text("mine")
    code, _, err = doudi("pack", "export", str(tmp_path), DOUDI_ELIGIBILITY_URL=url, DOUDI_TOKEN=token())
    assert code == 1 and "not empty" in err and (tmp_path / "mine").read_text() == "mine"
    code, _, err = doudi("pack", "export", str(tmp_path / "mine"), DOUDI_ELIGIBILITY_URL=url, DOUDI_TOKEN=token())
    assert code == 1 and (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DOUDI_TOKEN": ""}, "no token"),
        ({"DOUDI_TOKEN": "x.y.z"}, "No valid token"),
        ({"DOUDI_ELIGIBILITY_URL": "http://127.0.0.1:9"}, "cannot be reached"),
    ],
)
@pytest.mark.parametrize("command", ["export", "propose"])
def test_what_is_in_the_way_is_said_in_a_line(url, folder_of, tmp_path, command, environment, said):
    place = str(tmp_path / "new") if command == "export" else folder_of(pack_files())
    given = {"DOUDI_ELIGIBILITY_URL": url, "DOUDI_TOKEN": token(), **environment}
    code, out, err = doudi("pack", command, place, **given)
    assert (code, out) == (1, b"") and len(err.splitlines()) == 1 and said in err
    assert not Path(tmp_path / "new").exists()


def lying(pack):
    """A service that lists one pack and serves `pack` for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            is_list = self.path.split("?")[0] == PACKS
            listed = {"data": [{"id": ID, "version": "1"}], "next": None}
            body = json.dumps(listed if is_list else pack).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sha256": "0" * 64}, "hash"),
        ({"id": "../../out"}, "no file's"),
        ({"files": {**pack_files(), "../out": "x"}}, "no file's"),
        ({"files": {**pack_files(), "/tmp/out": "x"}}, "no file's"),
        ({"files": {**pack_files(), "rules/more.toml": "x"}}, "hash"),
    ],
)
def test_what_is_no_pack_is_not_written(tmp_path, changes, said):
    files = pack_files()
    server = lying({"id": ID, "version": "1", "sha256": sha256_of(files), "files": files, **changes})
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        folder = tmp_path / "a" / "b"
        code, _, err = doudi("pack", "export", str(folder), DOUDI_ELIGIBILITY_URL=address, DOUDI_TOKEN="t")
    finally:
        server.shutdown()
        server.server_close()
    assert code == 1 and said in err and not folder.exists()
    assert not list(tmp_path.rglob("*out*"))
