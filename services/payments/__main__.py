"""`python -m services.payments serve|worker`: one process of the service, alone."""

import sys

from services.payments.app import NAME, create_app, create_runtime
from services.payments.jobs import work
from services.payments.settings import configuration
from services.shared.runtime.process import run_process

if __name__ == "__main__":
    sys.exit(run_process(NAME, sys.argv[1:], configuration, create_runtime, create_app, work))
