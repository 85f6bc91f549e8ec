"""Draws how cost grows with the population as an SVG, in the peers' environment.

PEERS_PYTHON -m benchmarks.population.plot RESULTS.json PLOT.svg
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot

LABELS = {
    "ours": "ours",
    "openfisca": "OpenFisca, look-ups by hand",
    "openfisca_looked_up": "OpenFisca, as documented",
    "duckdb": "DuckDB",
    "polars": "polars",
}
MARKERS = {"ours": "o", "openfisca": "s", "openfisca_looked_up": "D", "duckdb": "^", "polars": "v"}
PANELS = {"arrays": "in memory, arrays to arrays", "parquet": "Parquet to Parquet"}


def main(results: Path, target: Path) -> None:
    """A panel for what is in memory and one for files; both axes logarithmic."""
    found = json.loads(results.read_text(encoding="utf-8"))
    # Texts as texts, and no dates or random names, so that the same figures give the same file.
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "doudi", "font.family": "sans-serif"})
    figure, panels = pyplot.subplots(1, len(PANELS), figsize=(10, 4.5), sharey=True)
    for panel, (asked, title) in zip(panels, PANELS.items(), strict=True):
        _draw(panel, found["growth"][asked], title)
    panels[0].set_ylabel("CPU seconds")
    panels[0].legend()
    machine = found["machine"]
    figure.suptitle(f"{machine['processor']}, {machine['cores']} cores, load {found['load_average_before'][0]}", size=9)
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})


def _draw(panel: Any, growth: dict[str, dict[str, Any]], title: str) -> None:
    for engine, label in LABELS.items():
        points = [(int(rows), took[engine]["cpu_s"]) for rows, took in growth.items() if engine in took]
        if points:
            panel.loglog(*zip(*points, strict=True), marker=MARKERS[engine], label=label)
    panel.set_title(title)
    panel.set_xlabel("households")
    panel.grid(True, which="major", alpha=0.3)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
