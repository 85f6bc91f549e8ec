"""Payments' processes start by their command, stop when told, and name the setting that is missing."""

import os
import subprocess
import sys
import time

import httpx
import pytest

from tests.running_bank import free_port

COMMAND = [sys.executable, "-m", "services.payments"]
START_SECONDS = 60


@pytest.mark.parametrize("arguments", [[], ["serve", "worker"], ["help"]])
def test_a_wrong_command_is_one_line(arguments: list[str]) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "python -m services.payments serve" in done.stderr


@pytest.mark.parametrize("process", ["serve", "worker"])
def test_a_missing_setting_is_named(service_environment: dict[str, str], process: str) -> None:
    environment = {**os.environ, **service_environment, "DOUDI_DATA_DIR": "/nowhere"}
    del environment["DOUDI_PAYMENTS_BANK_KEY_FILE"]
    done = subprocess.run([*COMMAND, process], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "DOUDI_PAYMENTS_BANK_KEY_FILE" in done.stderr


def test_the_server_starts_and_stops_when_told(service_environment: dict[str, str]) -> None:
    port = free_port()
    environment = {**os.environ, **service_environment, "DOUDI_PAYMENTS_PORT": str(port)}
    process = subprocess.Popen([*COMMAND, "serve"], env=environment, stdout=subprocess.DEVNULL)
    try:
        assert readiness(f"http://127.0.0.1:{port}/payments/v1/ready") == {"status": "ready", "database": "ok"}
    finally:
        process.terminate()
        assert process.wait(20) is not None


def test_the_worker_ends_when_told(service_environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [*COMMAND, "worker"], env={**os.environ, **service_environment}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert any("worker ready" in line for line in iter(process.stdout.readline, ""))
    finally:
        process.terminate()
        assert process.wait(30) == 0


def readiness(url: str) -> dict[str, str]:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            return httpx.get(url, trust_env=False, timeout=5).json()
        except httpx.ConnectError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")
