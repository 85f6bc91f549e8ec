"""How the main job is shown: a bar and a line a step on a terminal, plain lines elsewhere, a table at the end."""

import shlex
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from services.cli.main_job.offices import Offices
from services.cli.main_job.story import FOLDER
from services.cli.migration import ROOT
from services.cli.output import console, print_json, print_table
from services.shared.runtime.environment import DEFAULT_DATA_DIR

COLUMNS = (
    "户 who",
    "项目 programme",
    "金额 amount",
    "月份 month",
    "应付 due",
    "到账 settled",
    "状态 state",
    "法条 law",
)


@dataclass(frozen=True, slots=True)
class Paid:
    """One line of the table: what came of one payment."""

    household: str
    programme: str
    amount: str
    month: str
    due_on: str
    settled_on: str
    state: str
    law: str


@dataclass
class Report:
    """Collects what the main job did, and shows it as it happens."""

    as_json: bool
    steps: list[str] = field(default_factory=list)
    payments: list[Paid] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    _progress: Progress | None = None
    _task: TaskID | None = None

    def stage(self, zh: str, en: str) -> None:
        """Say what is being started."""
        self._say(f"· {zh} / {en}")

    def begin(self, total: int) -> None:
        """Show a bar over the steps of the main job."""
        if console.is_terminal and not self.as_json:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=console, transient=True)
            self._progress.start()
            self._task = self._progress.add_task("主流程 / main job", total=total)

    def step(self, zh: str, en: str) -> None:
        """One step is done."""
        self.steps.append(f"{zh} / {en}")
        self._say(f"✓ {zh} / {en}")
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)

    def end(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()

    def finish(self, offices: Offices, is_over: bool) -> None:
        """The table and the books; unless everything ends now, the addresses and three calls that work as pasted."""
        if self.as_json:
            facts = {"payments": [asdict(paid) for paid in self.payments], **self.facts, "urls": offices.urls}
            print_json({"steps": self.steps, **facts, "curls": [] if is_over else _curls(offices)})
            return
        rows = [tuple(str(value) for value in asdict(paid).values()) for paid in self.payments]
        print_table("主流程 / main job", COLUMNS, rows)
        for name, value in self.facts.items():
            console.print(f"{name}: {value}", markup=False)
        if is_over:
            return
        for name, url in offices.urls.items():
            console.print(f"{name:12} {url}/{name}/docs", markup=False)
        for line in _curls(offices):
            console.print(line, markup=False)

    def _say(self, line: str) -> None:
        if not self.as_json:
            console.print(line, markup=False)


def doudi_as_typed(offices: Offices) -> str:
    """How the reader's shell calls `doudi` for this data folder, from wherever it stands."""
    is_default = offices.data_dir == DEFAULT_DATA_DIR
    folder = "" if is_default else f"DOUDI_DATA_DIR={shlex.quote(str(offices.data_dir))} "
    return folder + shlex.quote(str(ROOT / "doudi"))


def _curls(offices: Offices) -> list[str]:
    eligibility, payments = offices.urls["eligibility"], offices.urls["payments"]
    request = shlex.quote(f"@{FOLDER / 'requests' / 'wuhan_family.json'}")

    def curl(role: str, rest: str) -> str:
        return f'curl -s -H "Authorization: Bearer $({doudi_as_typed(offices)} token {role})" {rest}'

    return [
        curl(
            "caseworker",
            f"-H 'Content-Type: application/json' --data {request} {eligibility}/eligibility/v1/simulations",
        ),
        curl("auditor", f"'{payments}/payments/v1/disbursements?month=2025-09&region=530113'"),
        curl("auditor", f"{payments}/payments/v1/holds"),
    ]
