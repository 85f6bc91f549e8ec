"""One process of a service, alone: it starts, is ready and ends when told; what is wrong it says in one line."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from sqlalchemy import create_engine, text

from services.cli.provision import SERVICES

PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def start(service_environment, free_port):
    """Starts `python -m services.SERVICE …` with these settings changed; ended with the test."""
    started = []

    def run(service: str, *arguments: str, **changed: str) -> subprocess.Popen[str]:
        prefix = f"DOUDI_{service.upper()}_"
        environment = {**os.environ, **service_environment, f"{prefix}PORT": str(free_port), **changed}
        command = [sys.executable, "-m", f"services.{service}", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, env=environment, **pipes))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def refusal_of(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "Traceback" not in out + err
    assert len(err.splitlines()) == 1, err
    return err


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_serves_and_ends_when_told(start, free_port, service):
    process = start(service, "serve")
    end = time.monotonic() + PATIENCE_SECONDS
    answer = None
    while time.monotonic() < end and process.poll() is None:
        try:
            answer = httpx.get(f"http://127.0.0.1:{free_port}/{service}/v1/ready", trust_env=False)
            break
        except httpx.ConnectError:
            time.sleep(0.1)
    assert answer is not None and answer.json() == {"status": "ready", "database": "ok"}
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, err) in [(0, ""), (-signal.SIGTERM, "")]
    lines = [json.loads(line) for line in out.splitlines()]
    assert "request" in [line["event"] for line in lines]


@pytest.mark.parametrize("service", SERVICES)
def test_a_worker_works_and_ends_when_told(start, service):
    process = start(service, "worker")
    assert json.loads(process.stdout.readline())["event"] == "worker ready"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_setting_that_is_missing_is_named_in_one_line(start, command, tmp_path):
    line = refusal_of(start("payments", command, DOUDI_PAYMENTS_PORT="", DOUDI_DATA_DIR=str(tmp_path)))
    assert "DOUDI_PAYMENTS_PORT" in line


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize("setting", ["LOG_KEY_FILE", "PERSONAL_DATA_KEY_FILE"])
def test_a_key_file_that_is_none_is_named_in_one_line(start, command, setting, tmp_path):
    for content in (None, "", "canary"):
        file = tmp_path / f"key-{content}"
        if content is not None:
            file.write_text(content, encoding="utf-8")
        line = refusal_of(start("payments", command, **{f"DOUDI_PAYMENTS_{setting}": str(file)}))
        assert f"DOUDI_PAYMENTS_{setting}" in line


def test_production_serves_with_no_development_key(start):
    line = refusal_of(start("payments", "serve", DOUDI_MODE="production", DOUDI_TEST_CLOCK="false"))
    assert "dev-" in line


def test_the_test_clock_is_refused_in_production(start):
    for command in ("serve", "worker"):
        assert "DOUDI_TEST_CLOCK" in refusal_of(start("payments", command, DOUDI_MODE="production"))


def test_a_file_of_trusted_keys_that_is_none_is_named(start, tmp_path):
    (tmp_path / "keys.json").write_text("[]", encoding="utf-8")
    for file in (tmp_path / "absent.json", tmp_path / "keys.json"):
        refusal_of(start("payments", "serve", DOUDI_TRUSTED_KEYS_FILE=str(file)))


def test_a_port_that_is_taken_is_said_so(start, free_port):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        out, err = start("payments", "serve").communicate(timeout=PATIENCE_SECONDS)
    assert "address already in use" in out.lower()
    assert "Traceback" not in out + err


@pytest.mark.parametrize("arguments", [(), ("serve", "now"), ("serve", "--workers", "0"), ("dance",)], ids=str)
def test_a_command_that_makes_no_sense_gets_the_usage(start, arguments):
    _, err = start("payments", *arguments).communicate(timeout=PATIENCE_SECONDS)
    assert "python -m services.payments serve" in err and len(err.splitlines()) == 1


def test_a_worker_that_loses_the_database_says_so_in_its_log_and_ends(start, owner_url):
    process = start("payments", "worker")
    assert json.loads(process.stdout.readline())["event"] == "worker ready"
    engine = create_engine(owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as owner:
        end_all = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'doudi_payments'"
        owner.execute(text(end_all))
    engine.dispose()
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "Traceback" not in out + err
    assert "worker ended" in [json.loads(line)["event"] for line in out.splitlines()]
