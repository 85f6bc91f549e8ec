"""Starts the test bank as the process that it is, for tests that talk to it over HTTP."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

KEY = "a-key-for-tests-only"
ACCOUNT = "420100000000000001"
START_SECONDS = 30
CALL_SECONDS = 20


@dataclass
class RunningBank:
    """A bank process on its own port; `kill` and `start` it as a fault test likes, its book stays in `folder`."""

    folder: Path
    opening_yuan: int = 1_000_000
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "sandbox.test_bank", "--port", str(self.port), "--data", str(self.folder)]
        command += ["--account", ACCOUNT, "--opening-yuan", str(self.opening_yuan)]
        self.process = subprocess.Popen(command, env={**os.environ, "DOUDI_TEST_BANK_KEY": KEY})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/health", timeout=1, trust_env=False)
                return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise TimeoutError("the test bank did not start")

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: object) -> httpx.Response:
        return self.call("POST", path, **options)

    def call(self, method: str, path: str, **options: object) -> httpx.Response:
        options = {"timeout": CALL_SECONDS, "headers": {"Authorization": f"Bearer {KEY}"}, **options}
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            return client.request(method, path, **options)

    def put_clock(self, now: str) -> None:
        self.post("/test-helpers/clock", json={"now": now}).raise_for_status()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def running_bank(folder: Path, opening_yuan: int = 1_000_000) -> Iterator[RunningBank]:
    bank = RunningBank(folder, opening_yuan)
    bank.start()
    try:
        yield bank
    finally:
        bank.kill()
