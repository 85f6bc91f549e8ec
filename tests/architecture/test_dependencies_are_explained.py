"""Each dependency has an entry in docs/explanation/dependencies.md, and each entry a dependency."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENTRY = re.compile(r"^### `([a-z0-9-]+)`(?: and `([a-z0-9-]+)`)? · (.+)$", re.MULTILINE)
SECTIONS = {
    "## At run time": "run",
    "## For whole populations": "population",
    "## For a cluster": "spark",
    "## For tests and checks": "dev",
    "## For the comparison alone": "peer",
}
PEERS = ROOT / "benchmarks" / "comparison" / "peers.in"
GPL = re.compile(r"(?<!L)GPL")


def declared():
    """Name of each dependency → whether it is needed to run, for populations, by tests alone, or is a peer."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    peers = [line for line in PEERS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    # What we use ourselves and measure too has its entry where we use it.
    named = {"peer": peers, "run": project["dependencies"], **project["optional-dependencies"]}
    return {name_in(line): kind for kind, lines in named.items() for line in lines}


def name_in(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-").replace(".", "-")


def entries():
    """Name of each entry → section and licence."""
    text = (ROOT / "docs" / "explanation" / "dependencies.md").read_text(encoding="utf-8")
    found = {}
    for part in re.split(r"(?=^## )", text, flags=re.MULTILINE):
        kind = SECTIONS.get(part.splitlines()[0]) if part else None
        for first, second, licence in ENTRY.findall(part) if kind else ():
            found.update({name: (kind, licence) for name in (first, second) if name})
    return found


def test_every_dependency_has_an_entry_where_it_belongs_and_every_entry_a_dependency():
    assert {name: kind for name, (kind, _) in entries().items()} == declared()


def test_nothing_under_the_gpl_is_needed_to_run():
    checks = ("dev", "peer")
    assert [name for name, (kind, licence) in entries().items() if kind not in checks and GPL.search(licence)] == []
