"""Every command that a document tells its reader to run is run, against a system that is up."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.architecture import documents as look
from tests.architecture.documents import ROOT
from tests.end_to_end.running_doudi import PORT_SETTINGS, RunningDoudi, environment, free_ports

DOCUMENT_SECONDS = 240
A_DEFAULT_PORT = re.compile(r"\b810([1-4])\b")
BASH = shutil.which("bash")
SHELL, FAILING = (BASH, "set -euo pipefail") if BASH else ("sh", "set -eu")
"""A command that fails ends the run; before a pipe too, where bash is there to see it."""
DOUDI = """doudi() { "$PYTHON" -c 'from services.cli.main import main; main()' "$@"; }\n"""


def blocks_to_run(document):
    return [block.text for block in look.blocks(document.read_text(encoding="utf-8")) if block.info == "sh run"]


# A translation has the blocks of its original (tests/architecture/test_documents.py).
ORIGINALS = [document for document in look.documents() if not document.name.endswith(look.TWIN)]
TO_RUN = [document for document in ORIGINALS if blocks_to_run(document)]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    env = environment(tmp_path_factory.mktemp("documents"), free_ports(len(PORT_SETTINGS)))
    doudi = RunningDoudi(env)
    yield doudi
    doudi.interrupt()


@pytest.mark.parametrize("document", TO_RUN, ids=look.name_of)
def test_the_commands_of_a_document_run(document, running, tmp_path):
    done = subprocess.run(
        [SHELL, "-c", as_run_here("".join(blocks_to_run(document)), running.env, tmp_path)],
        cwd=ROOT,
        env={**running.env, "PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DOCUMENT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def as_run_here(commands, env, scratch):
    """The reader's commands with this run's ports, data folder, interpreter and scratch folder, ended by an error."""
    ports = [env[name] for name in PORT_SETTINGS]
    commands = A_DEFAULT_PORT.sub(lambda match: ports[int(match[1]) - 1], commands)
    commands = commands.replace("/tmp/", f"{scratch}/").replace(".data/", f"{env['DOUDI_DATA_DIR']}/")
    commands = commands.replace("./doudi ", "doudi ").replace(".venv/bin/python", '"$PYTHON"')
    return f"{FAILING}\n{DOUDI}{commands}"


FAILURES = ["false", "echo $not_set", 'x=$(false)\necho "$x"', "false | cat", "cat | false | cat"]


@pytest.mark.parametrize("command", FAILURES)
def test_a_command_that_fails_ends_the_run(command, tmp_path):
    if "|" in command and not BASH:
        pytest.skip("only bash sees a failure before a pipe")
    env = dict.fromkeys((*PORT_SETTINGS, "DOUDI_DATA_DIR"), "")
    done = subprocess.run(
        [SHELL, "-c", as_run_here(f"{command}\necho reached\n", env, tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0 and "reached" not in done.stdout
