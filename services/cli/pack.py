"""`doudi pack`: its commands, and the module in which each lives."""

import typer

from services.cli.pack_cases import test
from services.cli.pack_diff import diff
from services.cli.pack_exchange import export, propose
from services.cli.pack_explain import explain
from services.cli.pack_new import new
from services.cli.pack_validate import validate

pack = typer.Typer(no_args_is_help=True, help="Check, test, compare, explain and start policy packs.")
for command in (validate, test, diff, explain, new, export, propose):
    pack.command()(command)
