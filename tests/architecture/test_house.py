"""The rules of the house that no linter knows: names, contracts, money without floats, nothing of a machine."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.house import ROOT, SERVICES

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
CODE = ("services", "sandbox", "verifier", "migrations")
MONEY = re.compile(r"(^|_)(fen|yuan|amount|money|balance|price|income|standard)(_|$)")
FLOATS_THAT_ARE_NO_MONEY = {
    "services/shared/runtime": "seconds of pauses, time-outs and durations",
    "services/cli": "seconds, and shares of a progress bar",
    "services/eligibility/use_cases/published_policy.py": "when it last looked",
}
"""Where a float may stand on a line that says nothing of seconds: file or folder, and what it counts."""

# Put together here, so that this file is not its own finding.
OF_A_MACHINE = re.compile(
    "|".join(
        (
            r"(?<![\w.])/" + r"work/",
            r"(?<![\w.])/" + r"root/",
            r"(?<![\w.])/" + r"home/\w",
            r"(?<![\w.])/" + r"tmp/doudi(?!-)",
            r"files\." + r"pythonhosted",
            r"\bpypi\." + r"org",
            r"--(extra-)?" + r"index-url [^`]",
            r"--(find-links|trusted-host) ?" + r"=?https?:",
        )
    )
)


GENERATED = re.compile(r"(^|/)(\.(?!ci/)|__pycache__|build/|[^/]+\.egg-info)")
NAMES_WHAT_IT_LOOKS_FOR = {"tests/architecture/test_documents.py"}


def files_of_the_repository() -> list[Path]:
    """What is, or would be, committed; without git, every file that is in no hidden or generated folder."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return [file for file in ROOT.rglob("*") if file.is_file() and not GENERATED.search(relative(file))]
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=120)


def test_the_import_contracts_hold():
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout


@pytest.fixture(scope="module")
def copy_of_the_house(tmp_path_factory):
    """The sources alone, to break a contract in."""
    copy = tmp_path_factory.mktemp("house")
    for folder in CODE:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


VIOLATIONS = {
    "services/payments/use_cases/violation.py": "import services.eligibility.domain.award",
    "services/shared/runtime/violation.py": "import services.cli.output",
    "services/payments/domain/violation.py": "import os",
    "services/shared/policy/violation.py": "import services.shared.runtime.clock",
    "services/shared/vocabulary/violation.py": "import random",
    "services/monitoring/use_cases/violation.py": "import sqlalchemy",
    "services/monitoring/domain/violation.py": "import services.monitoring.store.tables",
    "services/eligibility/api/violation.py": "import httpx",
    "services/eligibility/store/violation.py": "import fastapi",
    "services/eligibility/violation.py": "",
    "services/violation/__init__.py": "",
    "services/shared/violation/__init__.py": "",
    "sandbox/violation.py": "import services.shared.vocabulary.money",
    "verifier/violation.py": "import services.shared.runtime.log_tree",
}


def test_each_kind_of_violation_is_caught(copy_of_the_house):
    """All at once, to be quick: each has its line in the report."""
    for name, line in VIOLATIONS.items():
        (copy_of_the_house / name).parent.mkdir(exist_ok=True)
        (copy_of_the_house / name).write_text(f"{line}\n", encoding="utf-8")
    report = "".join(lint_imports(copy_of_the_house).stdout.split())
    missing = [
        name
        for name, line in VIOLATIONS.items()
        if (f"{module_of(name)}->{line.removeprefix('import ')}" if line else module_of(name)) not in report
    ]
    assert missing == []


def module_of(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_no_file_has_a_name_that_says_nothing():
    named = [relative(file) for file in files_of_the_repository() if file.stem.lower() in VAGUE_NAMES]
    folders = [relative(file) for file in files_of_the_repository() if VAGUE_NAMES & set(file.parts)]
    assert named + folders == []


def test_every_module_says_in_its_first_line_what_it_owns():
    silent = [
        relative(file)
        for file in python_files(*CODE)
        if (source := file.read_text("utf-8")).strip() and not ast.get_docstring(ast.parse(source))
    ]
    assert silent == []


def test_nothing_of_a_machine_or_a_registry_is_in_the_repository():
    found = []
    for file in files_of_the_repository():
        if relative(file) in NAMES_WHAT_IT_LOOKS_FOR:
            continue
        text = file.read_bytes().decode("utf-8", errors="replace")
        found += [f"{relative(file)}: {match[0]}" for match in OF_A_MACHINE.finditer(text)]
    assert found == []


def test_no_float_where_money_is():
    """A float call, a float literal or a float annotation stands only where a written list says what it counts."""
    found = []
    for file in python_files("services"):
        name = relative(file)
        if any(name == place or name.startswith(f"{place}/") for place in FLOATS_THAT_ARE_NO_MONEY):
            continue
        source = file.read_text("utf-8")
        tree, lines = ast.parse(source), source.splitlines()
        allowed = set(_asked_whether_they_are(tree))
        for node in ast.walk(tree):
            is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            is_name = isinstance(node, ast.Name) and node.id == "float"
            if (is_literal or is_name) and node not in allowed and "seconds" not in lines[node.lineno - 1].lower():
                found.append(f"{name}:{node.lineno}")
    assert found == []


def _asked_whether_they_are(tree: ast.AST) -> Iterator[ast.AST]:
    """The names in isinstance(value, float): that is how a float is refused."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            yield from ast.walk(node)


def test_money_is_never_made_a_float_anywhere():
    """By float(…), by a float factor or by true division, wherever one side has the name of money."""
    found = []
    for file in python_files(*CODE):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if _makes_a_float_of_money(node):
                found.append(f"{relative(file)}:{node.lineno}")
    assert found == []


def _makes_a_float_of_money(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
        return any(_names_money(argument) for argument in node.args)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _names_money(node.left) or _names_money(node.right)
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        has_float = any(isinstance(side, ast.Constant) and isinstance(side.value, float) for side in sides)
        return has_float and any(map(_names_money, sides))
    return False


def _names_money(node: ast.AST) -> bool:
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    names += [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)]
    return any(MONEY.search(name) for name in names)


@pytest.mark.parametrize(
    ("source", "is_caught"),
    [
        ("float(amount_fen)", True),
        ("award.amount_fen / 12", True),
        ("income_yuan * 0.8", True),
        ("amount_fen // 12", False),
        ("folder / name", False),
        ("delay * 0.5", False),
    ],
)
def test_the_check_on_floats_sees_what_it_should(source, is_caught):
    assert any(_makes_a_float_of_money(node) for node in ast.walk(ast.parse(source))) is is_caught


def test_every_service_is_there():
    assert sorted(path.parent.name for path in (ROOT / "services").glob("*/app.py")) == sorted(SERVICES)
