"""`python -m services.monitoring serve|worker`: one process of the service, alone."""

import sys

from services.monitoring.app import NAME, create_app, create_runtime
from services.monitoring.jobs import work
from services.monitoring.settings import configuration
from services.shared.runtime.process import run_process

if __name__ == "__main__":
    sys.exit(run_process(NAME, sys.argv[1:], configuration, create_runtime, create_app, work))
