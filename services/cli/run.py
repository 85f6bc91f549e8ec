"""`doudi run`: everything on this machine, the main job end to end, and then left up to look around in."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from services.cli.embedded_postgres import EmbeddedPostgresError
from services.cli.main_job.job import MainJobFailed, run_main_job
from services.cli.main_job.offices import Offices
from services.cli.main_job.report import Report
from services.cli.migrate import bring_up_to_date, data_dir
from services.cli.output import console, refuse
from services.cli.ports import PortTaken, require_ports
from services.cli.processes import Processes, ProcessFailed
from services.cli.provision import PORTS, SERVICES, read_environment_file

BANK_PORT_SETTING = "DOUDI_TEST_BANK_PORT"
BANK_PORT = 8104
HOST = "127.0.0.1"
WATCH_SECONDS = 1.0


def run(
    once: Annotated[bool, typer.Option("--once", help="Do the main job, then stop everything and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Start PostgreSQL, the services, their workers and the test bank; do the main job; stay up until Ctrl-C."""
    if os.environ.get("DOUDI_MODE") == "production":
        refuse("doudi run 带测试时钟与测试银行，不在生产环境运行 / has a test clock and a test bank: not in production")
    folder = data_dir()
    report = Report(as_json)
    try:
        (folder / "bank").mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        with Processes(folder) as processes:
            require_ports(os.environ.get("DOUDI_HOST", HOST), _ports(folder))
            report.stage("数据库", "database")
            environment = _environment(folder, bring_up_to_date(folder))
            _start_all(processes, environment, folder)
            report.stage("三个服务、工作进程与测试银行", "three services, their workers and the test bank")
            processes.wait_ready()
            offices = Offices(environment, folder)
            run_main_job(offices, report)
            report.finish(offices, is_over=once)
            if not once:
                _stay_up(processes)
    except OSError as error:
        refuse(f"数据目录无法使用 / the data folder cannot be used: {folder}: {error.strerror}")
    except (ProcessFailed, PortTaken, EmbeddedPostgresError, MainJobFailed) as failure:
        refuse(str(failure))


def _ports(folder: Path) -> dict[str, int]:
    defaults = {_port_setting(service): str(PORTS[service]) for service in SERVICES}
    given = {**defaults, BANK_PORT_SETTING: str(BANK_PORT), **read_environment_file(folder), **os.environ}
    try:
        return {name: int(given[name]) for name in (*defaults, BANK_PORT_SETTING)}
    except ValueError:
        refuse("端口须为数字 / a port must be a number: " + ", ".join((*defaults, BANK_PORT_SETTING)))


def _environment(folder: Path, made: dict[str, str]) -> dict[str, str]:
    """What every process of the run gets: what was made for it, the caller's environment, and addresses from ports."""
    environment = {"DOUDI_HOST": HOST, BANK_PORT_SETTING: str(BANK_PORT), **made, **os.environ}
    # The owner's address is for migrate alone.
    environment.pop("DOUDI_DATABASE_URL", None)
    environment.update(DOUDI_DATA_DIR=str(folder), DOUDI_TEST_CLOCK="true")
    host = environment["DOUDI_HOST"]
    for service in SERVICES:
        environment[f"DOUDI_{service.upper()}_URL"] = f"http://{host}:{environment[_port_setting(service)]}"
    environment["DOUDI_PAYMENTS_BANK_URL"] = f"http://{host}:{environment[BANK_PORT_SETTING]}"
    return environment


def _port_setting(service: str) -> str:
    return f"DOUDI_{service.upper()}_PORT"


def _start_all(processes: Processes, environment: dict[str, str], folder: Path) -> None:
    host, bank_port = environment["DOUDI_HOST"], environment[BANK_PORT_SETTING]
    key_file = environment["DOUDI_PAYMENTS_BANK_KEY_FILE"]
    with_life_line = [sys.executable, "-m", "services.shared.runtime.parent"]  # the bank knows nothing of one
    bank = [*with_life_line, "sandbox.test_bank", "--host", host, "--port", bank_port]
    bank += ["--data", str(folder / "bank"), "--key-file", key_file]
    processes.start("bank", bank, environment, f"{environment['DOUDI_PAYMENTS_BANK_URL']}/health")
    for service in SERVICES:
        module = [sys.executable, "-m", f"services.{service}"]
        url = environment[f"DOUDI_{service.upper()}_URL"]
        processes.start(service, [*module, "serve"], environment, f"{url}/{service}/v1/ready")
        processes.start(f"{service}-worker", [*module, "worker"], environment)


def _stay_up(processes: Processes) -> None:
    while True:
        for death in processes.poll():
            console.print(str(death), markup=False)
        time.sleep(WATCH_SECONDS)
