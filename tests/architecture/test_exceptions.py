"""Exceptions can carry a traceback, which Python itself writes onto them."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def frozen_exceptions():
    """Every exception class that is a frozen dataclass, as file:line."""
    for folder in ("services", "sandbox", "verifier"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and is_exception(node) and is_frozen(node):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}"


def is_exception(node):
    return any(ast.unparse(base).endswith(("Exception", "Error")) for base in node.bases)


def is_frozen(node):
    return any("frozen=True" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_no_exception_is_frozen():
    # contextlib sets __traceback__ on what passes through a `with`; on a frozen dataclass that raises a TypeError
    # in its place, and the domain error becomes a fault of ours. Use @dataclass(eq=False).
    assert list(frozen_exceptions()) == []
