"""`python -m services.eligibility serve|worker`: one process of the service, alone."""

import sys

from services.eligibility.app import create_app, create_runtime
from services.eligibility.jobs import work
from services.eligibility.settings import configuration
from services.shared.runtime.process import run_process

if __name__ == "__main__":
    sys.exit(run_process("eligibility", sys.argv[1:], configuration, create_runtime, create_app, work))
