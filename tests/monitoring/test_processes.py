"""Monitoring's processes start by their command, and a mistake in it is one clear line."""

import os
import socket
import subprocess
import sys
import time

import httpx
import pytest

COMMAND = [sys.executable, "-m", "services.monitoring"]


@pytest.mark.parametrize("arguments", [[], ["serve", "worker"], ["help"]])
def test_a_wrong_command_is_one_line(arguments):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "python -m services.monitoring serve" in done.stderr


def test_a_missing_setting_is_named(service_environment):
    environment = os.environ | service_environment | {"DOUDI_DATA_DIR": "/nowhere"}
    del environment["DOUDI_MONITORING_PARTNER_KEYS_FILE"]
    done = subprocess.run([*COMMAND, "serve"], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "DOUDI_MONITORING_PARTNER_KEYS_FILE" in done.stderr and "Traceback" not in done.stderr


def test_the_server_starts_and_stops_when_told(service_environment):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | service_environment | {"DOUDI_MONITORING_PORT": str(port)}
    process = subprocess.Popen([*COMMAND, "serve"], env=environment, stdout=subprocess.DEVNULL)
    try:
        assert readiness(f"http://127.0.0.1:{port}/monitoring/v1/ready") == {"status": "ready", "database": "ok"}
    finally:
        process.terminate()
        assert process.wait(20) is not None


def readiness(url):
    for _ in range(200):
        try:
            return httpx.get(url, trust_env=False, timeout=5).json()
        except httpx.ConnectError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")
