"""`doudi population`: request bodies, one JSON a line, as the Parquet file that `doudi screen` reads."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from services.cli.output import console, print_json, refuse
from services.cli.request_lines import requests_in
from services.cli.screen import REFUSED, REJECTED, refuse_without_extra


def population(
    households: Annotated[Path, typer.Argument(metavar="HOUSEHOLDS.jsonl", help="A request body a line.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.parquet", help="The population file, which is made.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Write households as a population file; wrong lines are listed beside it, in OUT.parquet.rejects.jsonl.

    Exits 3 when there were wrong lines; the others are written.
    """
    try:
        from services.eligibility.use_cases.write_population import write_population
    except ModuleNotFoundError as missing:
        refuse_without_extra(missing)
    rejects = target.with_name(f"{target.name}.rejects.jsonl")
    rejects.unlink(missing_ok=True)
    wrong = 0
    try:
        with households.open("rb") as lines:
            for each in write_population(requests_in(lines), target):
                wrong += 1
                # Opened for each: mostly there is none, and then no file.
                with rejects.open("a", encoding="utf-8") as listed:
                    said = {"line": each.number, "errors": [asdict(error) for error in each.errors]}
                    listed.write(json.dumps(said, ensure_ascii=False) + "\n")
    except OSError as error:
        refuse(f"无法读写 / cannot be read or written: {error.filename or target} ({error.strerror})", REFUSED)
    if as_json:
        print_json({"target": str(target), "wrong_lines": wrong})
    elif wrong:
        console.print(
            f"{wrong} 行有误，没有写入，见 {rejects} / lines that are wrong and were not written: {wrong}, see there",
            markup=False,
        )
    raise SystemExit(REJECTED if wrong else 0)
