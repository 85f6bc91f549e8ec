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
        with Processes(folder) as processes:
            environment = _environment(folder)
            require_ports(environment["DOUDI_HOST"], _ports(environment))
            report.stage("数据库", "database")
            environment |= _missing(bring_up_to_date(folder), environment)
            _start_all(processes, environment, folder)
            report.stage("三个服务、工作进程与测试银行", "three services, their workers and the test bank")
            processes.wait_ready()
            offices = Offices(environment, folder)
            run_main_job(offices, report)
            report.finish(offices)
            if not once:
                _stay_up(processes)
    except (ProcessFailed, PortTaken, EmbeddedPostgresError, MainJobFailed) as failure:
        refuse(str(failure))


def _environment(folder: Path) -> dict[str, str]:
    """What every process of the run gets: the caller's environment, the file's settings, and addresses from ports."""
    environment = {**read_environment_file(folder), **os.environ}
    environment.setdefault("DOUDI_HOST", "127.0.0.1")
    environment.update(DOUDI_DATA_DIR=str(folder), DOUDI_TEST_CLOCK="true")
    for service in SERVICES:
        port = environment.setdefault(f"DOUDI_{service.upper()}_PORT", str(PORTS[service]))
        environment[f"DOUDI_{service.upper()}_URL"] = f"http://{environment['DOUDI_HOST']}:{port}"
    bank_port = environment.setdefault(BANK_PORT_SETTING, str(BANK_PORT))
    environment["DOUDI_PAYMENTS_BANK_URL"] = f"http://{environment['DOUDI_HOST']}:{bank_port}"
    return environment


def _missing(made: dict[str, str], environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in made.items() if name not in os.environ or name not in environment}


def _ports(environment: dict[str, str]) -> dict[str, int]:
    names = [f"DOUDI_{service.upper()}_PORT" for service in SERVICES] + [BANK_PORT_SETTING]
    try:
        return {name: int(environment[name]) for name in names}
    except ValueError:
        refuse("端口须为数字 / a port must be a number: " + ", ".join(names))


def _start_all(processes: Processes, environment: dict[str, str], folder: Path) -> None:
    host, bank_port = environment["DOUDI_HOST"], environment[BANK_PORT_SETTING]
    key_file = environment["DOUDI_PAYMENTS_BANK_KEY_FILE"]
    bank = [sys.executable, "-m", "sandbox.test_bank", "--host", host, "--port", bank_port]
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
