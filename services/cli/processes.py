"""The processes of one `doudi run`: started, watched, restarted a few times, ended whatever happens to the parent."""

import fcntl
import http.client
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from services.cli import embedded_postgres
from services.shared.runtime.parent import PARENT_FD

READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
"""For all processes together; what has not ended by then is killed."""

RESTARTS_MAX = 3
RESTART_WINDOW_S = 600
"""So many restarts of one process within so many seconds; the next death is final."""

RESTART_PAUSE_S = 1
LOG_MAX_BYTES = 16 * 1024 * 1024
LAST_LINES = 12
LAST_BYTES = 8 * 1024
POLL_S = 0.05


class ProcessFailed(Exception):
    """A process cannot be had; the message says in zh and en which and why, with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Death:
    """A process that ended by itself. `exit_code` is minus the signal's number when a signal ended it."""

    name: str
    exit_code: int
    is_final: bool
    log: Path
    last_lines: str

    def __str__(self) -> str:
        zh, en = ("不再重启", "not restarted") if self.is_final else ("将重启", "restarting")
        return (
            f"{self.name} 已退出（{self.exit_code}），{zh} / {self.name} ended ({self.exit_code}), {en}; {self.log}:\n"
            f"{self.last_lines}"
        )


@dataclass(slots=True)
class _Child:
    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready_url: str | None
    process: subprocess.Popen[bytes] | None = None
    restart_at: float | None = None
    deaths: list[float] = field(default_factory=list)


class Processes:
    """The children of one run on one data folder; used with `with`, which ends them, and then the embedded server.

    Inside the block Ctrl-C, SIGTERM and SIGHUP raise SystemExit(128 + signal). Each child leads a process group of its
    own, so a terminal's Ctrl-C reaches the parent alone, and holds a life line (services.shared.runtime.parent), so it
    ends even when the parent is killed. Logs are in `<data>/logs/<name>.log`.
    """

    def __init__(self, data_dir: Path) -> None:
        """Takes the data folder and ends what an earlier, killed run left; ProcessFailed when another run has it."""
        self._data_dir = data_dir.absolute()
        self._pids = self._data_dir / "processes"
        self._logs = self._data_dir / "logs"
        for folder in (self._pids, self._logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (self._pids / "lock").open("w")
        self._take_folder()
        self._life_line, self._parents_end = os.pipe()
        self._children: list[_Child] = []
        self._signals: dict[signal.Signals, object] = {}
        for pid_file in self._pids.glob("*.pid"):
            _end_leftover(pid_file)

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Who ignores one, as nohup does, wants it ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._signals[number] = signal.signal(number, _exit)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number in self._signals:
            signal.signal(number, signal.SIG_IGN)  # ending is bounded already
        self.stop_all()
        for number, handler in self._signals.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str], ready_url: str | None = None) -> None:
        """Starts a process and returns at once; `env` is all of its environment, `name` that of its log."""
        child = _Child(name, argv, env, ready_url)
        self._children.append(child)
        self._spawn(child)

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Waits until every `ready_url` answers 200; ProcessFailed when one does not in time, or a process ends."""
        deadline = time.monotonic() + timeout_s
        waiting = [child for child in self._children if child.ready_url]
        while waiting:
            for child in self._children:
                if child.process and child.process.poll() is not None:
                    raise ProcessFailed(str(self._death(child, is_final=True)))
            waiting = [child for child in waiting if not _answers(str(child.ready_url))]
            if waiting and time.monotonic() > deadline:
                raise ProcessFailed(self._late(waiting[0], timeout_s))
            time.sleep(POLL_S if waiting else 0)

    def poll(self) -> list[Death]:
        """What has ended by itself since the last call. Restarts what may be restarted; call it about once a second."""
        now = time.monotonic()
        deaths = []
        for child in self._children:
            self._bound_log(child.name)
            if child.restart_at is not None and now >= child.restart_at:
                self._spawn(child)
            elif child.process and child.process.poll() is not None:
                deaths.append(self._bury(child, now))
        return deaths

    def stop_all(self) -> None:
        """Ends all processes side by side, then the embedded server, and gives the data folder up."""
        deadline = time.monotonic() + STOP_TIMEOUT_S
        running = {child.name: child.process for child in reversed(self._children) if child.process}
        for process in running.values():
            process.terminate()
        for name, process in running.items():
            _await_end(process, deadline)
            (self._pids / f"{name}.pid").unlink(missing_ok=True)
        self._children.clear()
        embedded_postgres.stop(self._data_dir)
        for descriptor in (self._life_line, self._parents_end):
            os.close(descriptor)
        self._lock.close()

    def _take_folder(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise ProcessFailed(
                f"另一个 doudi run 正在使用 {self._data_dir}：请先结束它，或另设 DOUDI_DATA_DIR / "
                f"another doudi run has {self._data_dir}: end it first, or set another DOUDI_DATA_DIR"
            ) from None

    def _spawn(self, child: _Child) -> None:
        log = os.open(self._log(child.name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            child.process = subprocess.Popen(
                child.argv,
                env={**child.env, PARENT_FD: str(self._life_line)},
                pass_fds=[self._life_line],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        child.restart_at = None
        pid = child.process.pid
        (self._pids / f"{child.name}.pid").write_text(f"{pid} {_started_at(pid)}")

    def _bury(self, child: _Child, now: float) -> Death:
        child.deaths = [at for at in child.deaths if now - at < RESTART_WINDOW_S] + [now]
        is_final = len(child.deaths) > RESTARTS_MAX
        death = self._death(child, is_final)
        assert child.process is not None
        _kill_group(child.process.pid)  # what it started itself
        child.process = None
        child.restart_at = None if is_final else now + RESTART_PAUSE_S
        return death

    def _death(self, child: _Child, is_final: bool) -> Death:
        assert child.process is not None
        return Death(
            child.name, child.process.returncode, is_final, self._log(child.name), self._last_lines(child.name)
        )

    def _late(self, child: _Child, timeout_s: float) -> str:
        return (
            f"{child.name} 在 {timeout_s:g} 秒内未就绪 / {child.name} was not ready within {timeout_s:g} s; "
            f"{self._log(child.name)}:\n{self._last_lines(child.name)}"
        )

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _bound_log(self, name: str) -> None:
        log = self._log(name)
        # Copied and cut, not renamed: the process keeps writing to the file it has, at its end.
        if log.stat().st_size > LOG_MAX_BYTES:
            shutil.copy(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)

    def _last_lines(self, name: str) -> str:
        with self._log(name).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LAST_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LAST_LINES:])


def _exit(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _answers(url: str) -> bool:
    # Not through urllib or httpx: a proxy in the environment is not for this machine's own ports.
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=2)
    try:
        connection.request("GET", address.path or "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _await_end(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Waits until the deadline (monotonic) for a process that was told to end, and kills what is left of its group."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, deadline - time.monotonic()))
    _kill_group(process.pid)
    process.wait()


def _end_leftover(pid_file: Path) -> None:
    pid, _, started_at = pid_file.read_text().partition(" ")
    # The number alone may be another process by now.
    if pid.isdecimal() and started_at and _started_at(int(pid)) == started_at:
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while _started_at(int(pid)) == started_at and time.monotonic() < deadline:
            time.sleep(POLL_S)
        _kill_group(int(pid))
    pid_file.unlink()


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _started_at(pid: int) -> str:
    """When this live process started, in the words of the system; empty when there is none, or a zombie."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
        asked = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(asked, capture_output=True, text=True, timeout=10).stdout.strip()
    return "" if state == "Z" else rest[18]
