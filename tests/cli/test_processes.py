"""The supervisor with real processes: order, deaths, kills of the parent, leftovers, signals, ports."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.cli import embedded_postgres, processes
from services.cli.ports import PortTaken, require_ports
from services.cli.processes import Processes, ProcessFailed

WRITE_AT_TERM = """
import signal, sys, time
def end(number, frame):
    open(sys.argv[1], "a").write(sys.argv[2] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(600)
"""

IGNORE_TERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)

LIFE_LINE = "from services.shared.runtime import parent; parent.ORDERLY_END_S = 1; parent.exit_with_parent()\n"

SERVE = """
import http.server, sys, time
time.sleep(0.5)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""

# A parent in the manner of `doudi run`: starts what is asked, says so, watches.
PARENT = """
import os, sys, time
from pathlib import Path
from services.cli import embedded_postgres
from services.cli.processes import Processes
data_dir, with_server, *programs = sys.argv[1:]
with Processes(Path(data_dir)) as running:
    print("entered", flush=True)
    if with_server == "server":
        embedded_postgres.start(Path(data_dir))
    for number, program in enumerate(programs):
        name = f"child{number}"
        running.start(name, [sys.executable, "-c", program, data_dir + "/ended", name], os.environ)
    print("started", flush=True)
    while True:
        running.poll()
        time.sleep(0.05)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    embedded_postgres.stop(tmp_path / "data")


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _python(program: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", program, *arguments]


def _until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _log(data_dir: Path, name: str) -> str:
    path = data_dir / f"logs/{name}.log"
    return path.read_text() if path.exists() else ""


def _pid(data_dir: Path, name: str) -> int:
    return int((data_dir / f"processes/{name}.pid").read_text().split()[0])


def _lives(pid: int) -> bool:
    return processes._started_at(pid) != ""


def _parent(data_dir: Path, *programs: str, server: bool = False) -> subprocess.Popen[str]:
    """A parent in a session of its own whose children have all said "up"."""
    command = _python(PARENT, str(data_dir), "server" if server else "", *programs)
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.read(len("entered\nstarted\n")) == "entered\nstarted\n"
    for number in range(len(programs)):
        _until(lambda number=number: "up" in _log(data_dir, f"child{number}"))
    return parent


def test_a_child_gets_its_arguments_and_environment_and_no_other(data_dir: Path) -> None:
    program = "import os, sys; print(sys.argv[1], sorted(os.environ), sys.stdin.read())"
    with Processes(data_dir) as running:
        running.start("one", _python(program, "a b"), {"LC_ALL": "C.UTF-8"})
        _until(lambda: "\n" in _log(data_dir, "one"))
    assert _log(data_dir, "one") == "a b ['DOUDI_PARENT_FD', 'LC_ALL'] \n"
    assert (data_dir / "logs/one.log").stat().st_mode & 0o077 == 0


def test_the_end_of_the_block_ends_all_side_by_side(data_dir: Path, tmp_path: Path) -> None:
    slow = WRITE_AT_TERM.replace("def end(number, frame):", "def end(number, frame):\n    time.sleep(1)")
    names = {f"child{number}" for number in range(5)}
    with Processes(data_dir) as running:
        for name in names:
            running.start(name, _python(slow, str(tmp_path / "ended"), name), os.environ)
        _until(lambda: all("up" in _log(data_dir, name) for name in names))
        started = time.monotonic()
    assert time.monotonic() - started < 4
    assert sorted((tmp_path / "ended").read_text().split()) == sorted(names)
    assert not list(data_dir.glob("processes/*.pid"))


def test_what_does_not_end_is_killed_with_what_it_started(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_TIMEOUT_S", 0.5)
    program = f"import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True)\n{IGNORE_TERM}"
    with Processes(data_dir) as running:
        running.start("stubborn", _python(program), os.environ)
        _until(lambda: "up" in _log(data_dir, "stubborn"))
        leader, grandchild = _pid(data_dir, "stubborn"), int(_log(data_dir, "stubborn").split()[0])
        started = time.monotonic()
    assert time.monotonic() - started < 5
    _until(lambda: not _lives(leader) and not _lives(grandchild))


def test_waits_until_every_address_is_ready(data_dir: Path, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Processes(data_dir) as running:
        running.start("web", _python(SERVE, str(free_port)), os.environ, f"http://127.0.0.1:{free_port}/ready")
        running.wait_ready()
        socket.create_connection(("127.0.0.1", free_port)).close()


def test_an_address_that_is_not_ready_in_time_is_named(data_dir: Path, free_port: int) -> None:
    with Processes(data_dir) as running:
        running.start("web", _python(SERVE, str(free_port)), os.environ, f"http://127.0.0.1:{free_port}/other")
        with pytest.raises(ProcessFailed, match=r"web 在 1.5 秒内未就绪 / web was not ready within 1.5 s"):
            running.wait_ready(timeout_s=1.5)


def test_a_process_that_dies_before_it_is_ready_is_shown_with_its_last_lines(data_dir: Path, free_port: int) -> None:
    program = "import sys; [print(n, flush=True) for n in range(100)]; sys.exit('no such setting')"
    with Processes(data_dir) as running:
        running.start("web", _python(program), os.environ, f"http://127.0.0.1:{free_port}/ready")
        with pytest.raises(ProcessFailed, match=r"web ended \(1\).*web\.log:\n89\n[^!]*\n99\nno such setting$"):
            running.wait_ready()


def test_a_dead_process_is_reported_and_restarted_so_many_times(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "RESTART_PAUSE_S", 0.01)
    deaths = []
    with Processes(data_dir) as running:
        running.start("brief", _python("print('here', flush=True); raise SystemExit(7)"), os.environ)
        running.start("lasting", _python("import time; time.sleep(600)"), os.environ)
        _until(lambda: deaths.extend(running.poll()) or len(deaths) == processes.RESTARTS_MAX + 1)
        time.sleep(0.2)
        assert running.poll() == []
    assert [death.is_final for death in deaths] == [False] * processes.RESTARTS_MAX + [True]
    assert {(death.name, death.exit_code) for death in deaths} == {("brief", 7)}
    assert _log(data_dir, "brief") == "here\n" * (processes.RESTARTS_MAX + 1)
    assert "将重启 / brief ended (7), restarting" in str(deaths[0])
    assert "不再重启 / brief ended (7), not restarted" in str(deaths[-1])


def test_deaths_long_ago_do_not_count(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "RESTART_PAUSE_S", 0.01)
    monkeypatch.setattr(processes, "RESTART_WINDOW_S", 0)
    deaths = []
    with Processes(data_dir) as running:
        running.start("brief", _python("raise SystemExit(7)"), os.environ)
        _until(lambda: deaths.extend(running.poll()) or len(deaths) == processes.RESTARTS_MAX + 2)
    assert not any(death.is_final for death in deaths)


def test_a_killed_process_is_reported_with_its_signal(data_dir: Path) -> None:
    deaths = []
    with Processes(data_dir) as running:
        running.start("victim", _python("import time; time.sleep(600)"), os.environ)
        os.kill(_pid(data_dir, "victim"), signal.SIGKILL)
        _until(lambda: deaths.extend(running.poll()) or bool(deaths))
    assert [death.exit_code for death in deaths] == [-signal.SIGKILL]


@pytest.mark.parametrize(("size", "is_cut"), [(1000, False), (1001, True)])
def test_a_log_is_cut_above_its_bound(data_dir: Path, monkeypatch: pytest.MonkeyPatch, size: int, is_cut: bool) -> None:
    monkeypatch.setattr(processes, "LOG_MAX_BYTES", 1000)
    go_on = data_dir / "go-on"
    program = (
        f"import os, sys, time; print('x' * {size - 1}, flush=True)\nwhile not os.path.exists(sys.argv[1]): pass\n"
    )
    with Processes(data_dir) as running:
        running.start("talker", _python(program + "print('more', flush=True); time.sleep(60)", str(go_on)), os.environ)
        _until(lambda: len(_log(data_dir, "talker")) == size)
        running.poll()
        go_on.touch()
        _until(lambda: _log(data_dir, "talker").endswith("more\n"))
    assert (_log(data_dir, "talker") == "more\n") == is_cut
    assert (data_dir / "logs/talker.log.1").exists() == is_cut


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_and_the_exit_code_says_which(data_dir: Path, number: signal.Signals) -> None:
    parent = _parent(data_dir, WRITE_AT_TERM, WRITE_AT_TERM, server=number == signal.SIGINT)
    parent.send_signal(number)
    assert parent.wait(timeout=30) == 128 + number
    assert sorted((data_dir / "ended").read_text().split()) == ["child0", "child1"]
    assert not embedded_postgres.is_running(data_dir)


def test_a_terminals_ctrl_c_reaches_the_parent_alone(data_dir: Path) -> None:
    parent = _parent(data_dir, WRITE_AT_TERM, WRITE_AT_TERM)
    os.killpg(parent.pid, signal.SIGINT)  # what a terminal does
    assert parent.wait(timeout=30) == 130
    assert sorted((data_dir / "ended").read_text().split()) == ["child0", "child1"]


def test_a_second_ctrl_c_does_not_break_the_ending_off(data_dir: Path) -> None:
    slow = WRITE_AT_TERM.replace("def end(number, frame):", "def end(number, frame):\n    time.sleep(0.5)")
    parent = _parent(data_dir, slow, slow)
    for _ in range(5):
        parent.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert parent.wait(timeout=30) == 130
    assert sorted((data_dir / "ended").read_text().split()) == ["child0", "child1"]


def test_a_signal_while_the_server_is_being_started_leaves_no_server(data_dir: Path) -> None:
    command = _python(PARENT, str(data_dir), "server")
    for delay_s in (0.1, 0.4, 0.7):
        parent = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        assert parent.stdout is not None
        with parent.stdout:
            assert parent.stdout.readline() == b"entered\n"
            time.sleep(delay_s)
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.wait(timeout=30) == 130
        assert not embedded_postgres._processes_in(data_dir / "postgres")


def test_children_end_when_their_parent_is_killed(data_dir: Path) -> None:
    with_child = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid)\n"
    parent = _parent(data_dir, LIFE_LINE + WRITE_AT_TERM, LIFE_LINE + with_child + IGNORE_TERM)
    pids = [_pid(data_dir, "child0"), _pid(data_dir, "child1"), int(_log(data_dir, "child1").split()[0])]
    assert all(map(_lives, pids))
    parent.kill()
    parent.wait()
    _until(lambda: not any(map(_lives, pids)))
    assert (data_dir / "ended").read_text() == "child0\n"


def test_a_module_that_knows_nothing_of_it_gets_a_life_line(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "unaware.py").write_text(
        "import sys, time; print('up', __name__, *sys.argv[1:], flush=True); time.sleep(600)"
    )
    program = f"""
import os, sys
sys.path.insert(0, {str(tmp_path)!r})
sys.argv = ["-m", "unaware", "a b"]
import runpy
runpy.run_module("services.shared.runtime.parent", run_name="__main__", alter_sys=True)
"""
    parent = _parent(data_dir, program)
    assert _log(data_dir, "child0") == "up __main__ a b\n"
    pid = _pid(data_dir, "child0")
    parent.kill()
    parent.wait()
    _until(lambda: not _lives(pid))


def test_the_next_run_ends_what_a_killed_one_left(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_TIMEOUT_S", 1)
    parent = _parent(data_dir, WRITE_AT_TERM, IGNORE_TERM)
    left = [_pid(data_dir, name) for name in ("child0", "child1")]
    parent.kill()
    parent.wait()
    assert all(map(_lives, left))  # neither watches its parent
    with Processes(data_dir):
        _until(lambda: not any(map(_lives, left)))
    assert (data_dir / "ended").read_text() == "child0\n"


def test_a_stranger_with_a_leftovers_number_is_left_alone(data_dir: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        (data_dir / "processes").mkdir(parents=True)
        (data_dir / "processes/old.pid").write_text(f"{stranger.pid} 12345")
        (data_dir / "processes/torn.pid").write_text("")
        with Processes(data_dir):
            with pytest.raises(subprocess.TimeoutExpired):
                stranger.wait(timeout=0.3)
            assert not list(data_dir.glob("processes/*.pid"))
        stranger.kill()


def test_two_runs_on_one_data_folder_are_refused_and_the_first_goes_on(data_dir: Path) -> None:
    parent = _parent(data_dir, WRITE_AT_TERM)
    with pytest.raises(ProcessFailed, match=r"^另一个 doudi run .* / another doudi run has .*DOUDI_DATA_DIR$"):
        Processes(data_dir)
    assert _lives(_pid(data_dir, "child0"))
    parent.terminate()
    parent.wait(timeout=30)


def test_a_port_that_is_taken_is_named_with_its_setting(free_port: int) -> None:
    require_ports("127.0.0.1", {"DOUDI_PAYMENTS_PORT": free_port})
    with socket.create_server(("127.0.0.1", free_port)), pytest.raises(PortTaken) as refusal:
        require_ports("127.0.0.1", {"DOUDI_PAYMENTS_PORT": free_port})
    message = str(refusal.value)
    assert f"端口 {free_port} 不可用" in message
    assert f"port {free_port} cannot be had" in message
    assert message.count("DOUDI_PAYMENTS_PORT") == 2
    assert "\n" not in message


@pytest.mark.parametrize("number", [0, 65536])
def test_a_number_that_is_no_port_is_refused(number: int) -> None:
    with pytest.raises(PortTaken, match=f"port {number} cannot be had .*1-65535"):
        require_ports("127.0.0.1", {"DOUDI_PAYMENTS_PORT": number})


def test_one_port_for_two_settings_is_found_out(free_port: int) -> None:
    with pytest.raises(PortTaken, match="DOUDI_SECOND_PORT"):
        require_ports("127.0.0.1", {"DOUDI_FIRST_PORT": free_port, "DOUDI_SECOND_PORT": free_port})


def test_a_host_that_is_not_this_machines_is_refused(free_port: int) -> None:
    with pytest.raises(PortTaken, match=r"192\.0\.2\.1"):
        require_ports("192.0.2.1", {"DOUDI_PAYMENTS_PORT": free_port})
