"""The launcher `./doudi` on a small checkout: real venv, real pip, wheels from a folder instead of an index."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LAUNCHER = ROOT / "doudi"
TOOLS = ["sh", "dirname", "readlink", "cat", "cmp", "mkdir", "mv", "rm", "sleep"]

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "doudi"
version = "0"
"""

# Builds the checkout without setuptools, which a new venv of Python 3.12 lacks; waits while a file `slow` exists.
BACKEND = """
import os, time, zipfile
from pathlib import Path

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    root = Path(__file__).parent
    Path(root, "building").write_text(os.environ.get("PIP_NO_CACHE_DIR", ""))
    while Path(root, "slow").exists():
        time.sleep(0.05)
    info = "doudi-0.dist-info"
    with zipfile.ZipFile(Path(wheel_directory, "doudi-0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("doudi.pth", str(root))
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: doudi\\nVersion: 0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\\ndoudi = command:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return "doudi-0-py3-none-any.whl"
"""

COMMAND = """
import os, sys
def main():
    import dependency
    if "descriptor" in sys.argv:
        os.fstat(9)
    print("command", os.getcwd(), *sys.argv[1:])
    return 3 if "fail" in sys.argv else 0
"""


class Checkout:
    """A folder with the launcher and what it installs, and an environment in which only one Python is found."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = home / "检出 checkout"
        self.wheels = home / "wheels"
        self.bin = home / "bin"
        for folder in (self.root, self.wheels, self.bin):
            folder.mkdir()
        shutil.copy(LAUNCHER, self.root)
        for name, content in {"pyproject.toml": PYPROJECT, "backend.py": BACKEND, "command.py": COMMAND}.items():
            (self.root / name).write_text(content)
        pins = _wheel(self.wheels, "dependency", "1")
        (self.root / "requirements.lock").write_text(pins)
        for lock in ("requirements-dev.lock", "requirements-spark.lock"):
            (self.root / lock).write_text(pins + _wheel(self.wheels, "pytest", "1"))
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        (self.bin / "python3").symlink_to(Path(sys.base_prefix, "bin", "python3"))
        self.environment = {
            "PATH": str(self.bin),
            "HOME": str(home),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": os.devnull,
        }

    def start(
        self, *arguments: str, script: Path | None = None, cwd: Path | None = None, environment: Mapping[str, str] = {}
    ) -> subprocess.Popen[str]:
        """A launcher in its own process group."""
        return subprocess.Popen(
            [script or self.root / "doudi", *arguments],
            cwd=cwd or self.home,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **how: Any) -> tuple[int, str, str]:
        """Exit code, output and error output of a launcher that ends by itself."""
        with self.start(*arguments, **how) as launcher:
            output, errors = launcher.communicate(timeout=120)
            return launcher.returncode, output, errors

    def outdate(self) -> None:
        """Makes the next launcher install again, into the same venv."""
        with (self.root / "requirements.lock").open("a") as lock:
            lock.write("# another comment\n")

    def start_slow_installation(self) -> subprocess.Popen[str]:
        """A launcher whose pip is in the middle and waits there until `finish_slow_installation`."""
        (self.root / "slow").touch()
        launcher = self.start("first")
        while not (self.root / "building").exists():
            assert launcher.poll() is None
            time.sleep(0.05)
        return launcher

    def finish_slow_installation(self) -> None:
        (self.root / "slow").unlink()

    def fake_python(self, script: str) -> None:
        """Replaces the Python that is found."""
        (self.bin / "python3").unlink()
        (self.bin / "python3").write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / "python3").chmod(0o755)


def _wheel(folder: Path, name: str, version: str) -> str:
    """Writes a wheel with one module that, run, prints its arguments; its line in a lock file."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(
            f"{name}.py", f"import os, sys\nif __name__ == '__main__': print('{name}', os.getcwd(), *sys.argv[1:])\n"
        )
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which `./doudi` has run once."""
    checkout = Checkout(tmp_path_factory.mktemp("installed"))
    code, output, errors = checkout.run("once")
    assert (code, output) == (0, f"command {checkout.home} once\n"), errors
    assert errors.count("\n") == 1
    assert "正在按 requirements.lock 安装" in errors
    assert "Installing requirements.lock" in errors
    return checkout


def test_a_later_run_calls_no_pip_and_says_nothing(installed: Checkout) -> None:
    [pip] = (installed.root / ".venv").glob("lib/python*/site-packages/pip")
    hidden = pip.rename(pip.with_name("hidden"))
    wheels = installed.wheels.rename(installed.wheels.with_name("hidden-wheels"))
    try:
        assert installed.run("a b", "c") == (0, f"command {installed.home} a b c\n", "")
    finally:
        hidden.rename(pip)
        wheels.rename(installed.wheels)


def test_works_through_links_and_from_any_folder(installed: Checkout, tmp_path: Path) -> None:
    for folder in ("bin", "elsewhere"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bin/doudi").symlink_to(installed.root / "doudi")
    (tmp_path / "relative").symlink_to("bin/doudi")
    cwd = tmp_path / "elsewhere"
    assert installed.run("x", script=tmp_path / "relative", cwd=cwd) == (0, f"command {cwd} x\n", "")


def test_works_by_a_relative_name_in_a_shell_with_cdpath(installed: Checkout) -> None:
    script = (installed.root / "doudi").relative_to(installed.home)
    done = installed.run("x", script=script, environment={"CDPATH": str(installed.home)})
    assert done == (0, f"command {installed.home} x\n", "")


def test_the_exit_code_is_the_commands(installed: Checkout) -> None:
    assert installed.run("fail")[0] == 3


def test_variables_for_another_python_do_no_harm(installed: Checkout, tmp_path: Path) -> None:
    installed.outdate()
    (tmp_path / "dependency.py").write_text("raise SystemExit('the wrong module')")
    poison = {"PYTHONHOME": "/nonexistent", "PYTHONPATH": str(tmp_path), "PIP_USER": "1"}
    assert installed.run("x", environment=poison)[:2] == (0, f"command {installed.home} x\n")


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "/nonexistent/home"}])
def test_no_home_is_needed(installed: Checkout, tmp_path: Path, home: dict[str, str]) -> None:
    installed.outdate()
    installed.environment.pop("HOME", None)
    code, output, errors = installed.run("x", cwd=tmp_path, environment=home)
    assert (code, output, errors.count("\n")) == (0, f"command {tmp_path} x\n", 1)
    assert not list(tmp_path.iterdir())
    assert (installed.root / "building").read_text() == "1"  # else pip would make its cache in a folder named "~"


def test_a_changed_lock_is_installed_once(installed: Checkout) -> None:
    (installed.root / "requirements.lock").write_text(_wheel(installed.wheels, "dependency", "2"))
    code, _, errors = installed.run("x")
    assert (code, errors.count("\n")) == (0, 1)
    assert list((installed.root / ".venv").glob("lib/python*/site-packages/dependency-2.dist-info"))
    assert installed.run("x")[2] == ""


def test_the_command_does_not_hold_the_lock_of_the_installation(installed: Checkout) -> None:
    installed.outdate()
    assert "Bad file descriptor" in installed.run("descriptor")[2]


def test_a_wheel_that_is_not_the_locked_one_is_refused(installed: Checkout) -> None:
    lock = installed.root / "requirements.lock"
    right = _wheel(installed.wheels, "dependency", "3")
    name, _ = right.split("sha256:")
    lock.write_text(f"{name}sha256:{'0' * 64}\n")
    code, output, errors = installed.run("x")
    assert code != 0
    assert output == ""
    assert errors.splitlines()[-1].startswith("安装未完成")
    lock.write_text(right)
    assert installed.run("x")[0] == 0


def test_a_venv_whose_python_is_gone_is_made_anew(installed: Checkout) -> None:
    for python in (installed.root / ".venv/bin").glob("python*"):
        python.unlink()
        python.symlink_to("/nonexistent/python")
    assert installed.run("x")[:2] == (0, f"command {installed.home} x\n")


def test_an_interrupted_installation_starts_over(fresh: Checkout) -> None:
    launcher = fresh.start_slow_installation()
    os.killpg(launcher.pid, signal.SIGKILL)
    launcher.communicate()
    half_done = fresh.root / ".venv/half-done"
    half_done.touch()
    fresh.finish_slow_installation()
    assert fresh.run("x")[:2] == (0, f"command {fresh.home} x\n")
    assert not half_done.exists()


def test_two_at_once_install_once(fresh: Checkout) -> None:
    both = [fresh.start(name) for name in ("one", "two")]
    ended = [launcher.communicate(timeout=120) for launcher in both]
    assert [launcher.returncode for launcher in both] == [0, 0]
    assert [output for output, _ in ended] == [f"command {fresh.home} one\n", f"command {fresh.home} two\n"]
    assert sum(errors.count("\n") for _, errors in ended) == 1


def test_the_next_waits_for_the_pip_of_a_killed_launcher(fresh: Checkout) -> None:
    first = fresh.start_slow_installation()
    first.kill()  # the shell alone; its pip goes on
    first.wait()
    second = fresh.start("second")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(timeout=1)
    fresh.finish_slow_installation()
    output, _ = second.communicate(timeout=120)
    assert (second.returncode, output) == (0, f"command {fresh.home} second\n")


def test_a_moved_checkout_works_again_without_wheels(fresh: Checkout) -> None:
    fresh.run("x")
    fresh.root = fresh.root.rename(fresh.home / "moved")
    shutil.rmtree(fresh.wheels)
    assert fresh.run("x")[:2] == (0, f"command {fresh.home} x\n")


def test_tests_run_at_the_root_with_the_developers_lock(fresh: Checkout) -> None:
    code, output, errors = fresh.run("test", "-k", "a b")
    assert (code, output) == (0, f"pytest {fresh.root} -k a b\n")
    assert "requirements-dev.lock" in errors
    assert fresh.run("x")[2] == ""  # that lock holds the other
    assert fresh.run("test")[1] == f"pytest {fresh.root} --numprocesses=auto --dist=loadfile\n"


def test_what_needs_spark_runs_in_an_environment_of_its_own(fresh: Checkout) -> None:
    code, output, errors = fresh.run("test", "--spark", "-k", "bytes")
    assert (code, output) == (0, f"pytest {fresh.root} tests/spark -k bytes\n")
    assert ".venv-spark" in errors and not (fresh.root / ".venv").exists()
    assert fresh.run("test", "--spark") == (0, f"pytest {fresh.root} tests/spark\n", "")


@pytest.mark.parametrize("arguments", [("test", "--browser"), ("test", "--fuzz"), ("faults",)])
def test_what_is_not_there_yet_says_so(fresh: Checkout, arguments: tuple[str, ...]) -> None:
    code, output, errors = fresh.run(*arguments)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert " ".join(arguments) in errors


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 14, 0)])
def test_another_python_is_refused_in_one_line(fresh: Checkout, version: tuple[int, int, int]) -> None:
    real = Path(sys.base_prefix, "bin", "python3")
    # Not a wrapper that prints a number: the launcher's own check runs, on a Python that says it is another version.
    fresh.fake_python(f"shift; exec '{real}' -c \"import sys; sys.version_info = {version!r}\n$1\"")
    code, output, errors = fresh.run("run")
    assert (code, output, errors.count("\n")) == (1, "", 1)
    found = "python3 " + ".".join(map(str, version))
    assert f"找到的是：{found}" in errors
    assert f"found: {found}" in errors
    assert not (fresh.root / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 9)])
def test_the_first_and_last_python_are_accepted(fresh: Checkout, version: tuple[int, int, int]) -> None:
    real = Path(sys.base_prefix, "bin", "python3")
    claim = f"import sys; sys.version_info = {version!r}"
    fresh.fake_python(f"case $2 in *ensurepip*) exec '{real}' -c \"{claim}\n$2\";; *) echo accepted >&2; exit 1;; esac")
    assert fresh.run("x")[2].startswith("accepted")


def test_a_python_without_ensurepip_is_refused_with_what_to_install(fresh: Checkout) -> None:
    real = Path(sys.base_prefix, "bin", "python3")
    fresh.fake_python(f"shift; exec '{real}' -c \"import sys; sys.modules['ensurepip'] = None\n$1\"")
    code, _, errors = fresh.run("run")
    assert (code, errors.count("\n")) == (1, 1)
    assert "(no venv, ensurepip)" in errors
    assert "apt install python3 python3-venv" in errors


@pytest.mark.parametrize("script", ["echo 'command not found' >&2; exit 127", None])
def test_a_python_that_does_not_run_is_as_none(fresh: Checkout, script: str | None) -> None:
    fresh.fake_python(script) if script else (fresh.bin / "python3").unlink()
    code, _, errors = fresh.run("run")
    assert (code, errors.count("\n")) == (1, 1)
    assert "found: none" in errors


def test_the_developers_lock_holds_every_pin_of_the_other() -> None:
    def pins(name: str) -> set[str]:
        return {line.split()[0] for line in (ROOT / name).read_text().splitlines() if line[:1].isalnum()}

    assert pins("requirements.lock") < pins("requirements-dev.lock")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "doudi", "pyproject.toml"])
def test_nothing_names_an_index(name: str) -> None:
    content = (ROOT / name).read_text()
    assert "index-url" not in content
    assert "://" not in content
