"""`doudi run` as a process of its own, on free ports and a data folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

PORT_SETTINGS = (
    "DOUDI_ELIGIBILITY_PORT",
    "DOUDI_MONITORING_PORT",
    "DOUDI_PAYMENTS_PORT",
    "DOUDI_TEST_BANK_PORT",
)
MAIN_JOB_SECONDS = 240
END_SECONDS = 60


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def environment(data_dir: Path, ports: list[int], **more: str) -> dict[str, str]:
    """This process's environment with Doudi's own settings replaced."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOUDI_")}
    chosen = {name: str(port) for name, port in zip(PORT_SETTINGS, ports, strict=True)}
    return {**inherited, **chosen, "DOUDI_DATA_DIR": str(data_dir), **more}


def doudi(env: dict[str, str], *arguments: str, timeout: float = MAIN_JOB_SECONDS) -> subprocess.CompletedProcess[str]:
    """Run a `doudi` command to its end."""
    command = [sys.executable, "-c", "from services.cli.main import main; main()", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout, check=False)


class RunningDoudi:
    """A `doudi run --json` that is up: its process, its result, and how to end it."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        command = [sys.executable, "-c", "from services.cli.main import main; main()", "run", "--json"]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # What never prints must not wait for ever.
        watchdog = threading.Timer(MAIN_JOB_SECONDS, self.process.kill)
        watchdog.start()
        self.result: dict[str, Any] = self._read_result()
        watchdog.cancel()

    def _read_result(self) -> dict[str, Any]:
        assert self.process.stdout is not None and self.process.stderr is not None
        text = ""
        for line in self.process.stdout:
            text += line
            if line == "}\n":
                return json.loads(text)
        raise AssertionError(text + self.process.stderr.read())

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(END_SECONDS)

    def kill(self) -> None:
        """kill -9 of the parent alone."""
        self.process.kill()
        self.process.wait(END_SECONDS)


def processes_of(data_dir: Path) -> list[int]:
    """The living processes that have this data folder in their environment or their arguments (Linux)."""
    marker, found = str(data_dir).encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text().rpartition(") ")[2][0]
        except OSError:
            continue
        if marker in words and state != "Z" and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def ended(data_dir: Path) -> bool:
    """Whether all of them end within the bound."""
    deadline = time.monotonic() + END_SECONDS
    while processes_of(data_dir) and time.monotonic() < deadline:
        time.sleep(0.2)
    return not processes_of(data_dir)
