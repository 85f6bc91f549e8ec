"""The command `doudi`: what it offers, and the module in which each command lives."""

import sys
from importlib import import_module

import typer
from typer._click.exceptions import MissingParameter, NoArgsIsHelpError, UsageError

from services.cli.output import refuse

USAGE_ERROR = 2

COMMANDS = {
    "run": "run",
    "determine": "determine",
    "screen": "screen",
    "population": "population",
    "simulate": "simulate",
    "pack": "pack",
    "migrate": "migrate",
    "doctor": "doctor",
    "token": "token",
    "retry": "retry",
    "verify": "verify",
}
"""Command → module of this package. A module offers a function, or a typer app, of the command's name."""


def main() -> None:
    """Run `doudi`."""
    only = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        raise SystemExit(build_app(only)(standalone_mode=False))
    except NoArgsIsHelpError as help_wanted:
        refuse(help_wanted.format_message(), USAGE_ERROR)
    except UsageError as error:
        # Neither what was typed nor the library's text, which repeats it.
        name = f" {only}" if only in COMMANDS else ""
        missing = f" ({error.param.name})" if isinstance(error, MissingParameter) and error.param else ""
        refuse(
            f"命令用法有误{missing}，见 doudi{name} --help / wrong usage{missing}: see doudi{name} --help", USAGE_ERROR
        )


def build_app(only: str | None = None) -> typer.Typer:
    """The typer application; with `only` a known command, nothing else is imported for it."""
    app = typer.Typer(
        name="doudi",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="兜底 Doudi: tiered social assistance, from the rule to the last fen.",
    )
    # With one command alone typer would drop the command's name; a callback keeps it.
    app.callback()(lambda: None)
    for command in [only] if only in COMMANDS else COMMANDS:
        module = import_module(f"services.cli.{COMMANDS[command]}")
        offered = getattr(module, command)
        if isinstance(offered, typer.Typer):
            app.add_typer(offered, name=command)
        else:
            takes_all = getattr(offered, "takes_all_arguments", False)
            settings = {"allow_extra_args": True, "ignore_unknown_options": True} if takes_all else {}
            app.command(name=command, context_settings=settings, add_help_option=not takes_all)(offered)
    return app
