"""`python -m services.monitoring serve|worker`: one process of monitoring."""

import sys

import uvicorn

from services.monitoring.app import NAME, create_app, create_runtime
from services.monitoring.gateways.policy_pack import read_signals
from services.monitoring.jobs import handlers, schedules
from services.monitoring.settings import MonitoringSettings
from services.shared.runtime.environment import Configuration, SettingRefused, read_configuration
from services.shared.runtime.jobs import run_worker
from services.shared.runtime.logs import configure_logs
from services.shared.runtime.parent import exit_with_parent
from services.shared.runtime.service_client import ServiceClient


def main(arguments: list[str]) -> int:
    """Runs until it is told to stop; 2 when it was not understood or a setting is missing."""
    if arguments not in (["serve"], ["worker"]):
        sys.stderr.write("python -m services.monitoring serve|worker\n")
        return 2
    exit_with_parent()
    try:
        configuration = read_configuration(MonitoringSettings)
    except SettingRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    configure_logs(NAME, arguments[0], configuration.common.log_level)
    (serve if arguments == ["serve"] else work)(configuration)
    return 0


def serve(configuration: Configuration[MonitoringSettings]) -> None:
    """Answer requests on the configured port."""
    app, host, port = create_app(configuration), configuration.common.host, configuration.own.port
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, loop="uvloop", http="httptools")


def work(configuration: Configuration[MonitoringSettings]) -> None:
    """Run jobs and schedules."""
    runtime, own, common = create_runtime(configuration), configuration.own, configuration.common
    payments = ServiceClient("payments", common.payments_url, NAME, own.signing_key_file)
    url = own.database_url.get_secret_value()
    jobs = handlers(runtime, payments, read_signals())
    run_worker(url, runtime.database, runtime.tables, jobs, schedules(runtime), common.job_heartbeat_seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
