"""Eligibility's processes start by their command, and a mistake in it or in a setting is one clear line."""

import os
import socket
import subprocess
import sys

import httpx
import pytest

COMMAND = [sys.executable, "-m", "services.eligibility"]


def ended(arguments, environment=None):
    """What a process that cannot start says before it ends."""
    done = subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr and "Traceback" not in done.stdout
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", [[], ["serve", "worker"], ["help"], ["serve", "--workers", "0"]])
def test_a_wrong_command_is_one_line(arguments):
    code, said = ended(arguments)
    assert code == 2 and "python -m services.eligibility serve" in said


@pytest.mark.parametrize("process", ["serve", "worker"])
def test_a_missing_setting_is_named(service_environment, process):
    environment = os.environ | service_environment | {"DOUDI_DATA_DIR": "/nowhere"}
    del environment["DOUDI_ELIGIBILITY_DATABASE_URL"]
    code, said = ended([process], environment)
    assert code == 1 and "DOUDI_ELIGIBILITY_DATABASE_URL" in said


@pytest.mark.parametrize(
    ("setting", "process"),
    [
        ("DOUDI_ELIGIBILITY_SIGNING_KEY_FILE", "worker"),
        ("DOUDI_ELIGIBILITY_LOG_KEY_FILE", "worker"),
        ("DOUDI_ELIGIBILITY_PERSONAL_DATA_KEY_FILE", "worker"),
    ],
)
@pytest.mark.parametrize("content", [None, b"", b"no key", b"\xff\xfe"])
def test_a_key_file_that_cannot_be_used_is_named(service_environment, tmp_path, setting, process, content):
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    code, said = ended([process], os.environ | service_environment | {setting: str(file)})
    assert code == 1 and setting in said


def test_the_server_starts_with_several_processes_and_stops_when_told(service_environment, eligibility):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | service_environment | {"DOUDI_ELIGIBILITY_PORT": str(port)}
    command = [*COMMAND, "serve", "--workers", "2"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/eligibility/v1/ready"
        assert eligibility.eventually(lambda: answer_of(url)) == {"status": "ready", "database": "ok"}
    finally:
        process.terminate()
        assert process.wait(30) is not None


def answer_of(url):
    try:
        return httpx.get(url, trust_env=False, timeout=5).json()
    except httpx.HTTPError:
        return None
