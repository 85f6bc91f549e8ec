"""How `doudi` speaks: rich on a terminal, plain lines elsewhere, JSON where asked, refusals in one line."""

import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def refuse(message: str, exit_code: int = 1) -> NoReturn:
    """Say in one line (zh and en) what is wrong and what to do, and exit."""
    errors.print(message, markup=False)
    raise SystemExit(exit_code)


def print_json(value: Any) -> None:
    """One JSON document on standard output, there at once: the command may go on for days."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    sys.stdout.flush()


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; tab-separated lines elsewhere."""
    if not console.is_terminal:
        for row in [columns, *rows]:
            console.print("\t".join(row), markup=False)
        return
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        # What a cell says in square brackets, such as [base.x], is no markup.
        table.add_row(*map(Text, row))
    console.print(table)
