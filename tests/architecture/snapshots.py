"""Each service's OpenAPI as it was agreed: `python -m tests.architecture.snapshots` compares, `--update` writes.

A change of an API shows in a commit as the change of its snapshot, for the people who call it.
"""

import json
import sys
from pathlib import Path

from tests.architecture.house import ROOT, SERVICES, app_of

FOLDER = ROOT / "docs" / "reference" / "openapi"


def snapshot_of(service: str) -> Path:
    """Where the service's snapshot lies."""
    return FOLDER / f"{service}.json"


def openapi_of(service: str) -> str:
    """The service's OpenAPI document as text, keys sorted."""
    return json.dumps(app_of(service).openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def is_stale(service: str) -> bool:
    """True when the snapshot is not what the service now offers."""
    return not snapshot_of(service).exists() or snapshot_of(service).read_text("utf-8") != openapi_of(service)


def main(arguments: list[str]) -> int:
    """Name the stale snapshots, or write them."""
    stale = [service for service in SERVICES if is_stale(service)]
    for service in stale:
        sys.stdout.write(f"{snapshot_of(service).relative_to(ROOT)}\n")
        if "--update" in arguments:
            FOLDER.mkdir(parents=True, exist_ok=True)
            snapshot_of(service).write_text(openapi_of(service), encoding="utf-8")
    return 1 if stale and "--update" not in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
