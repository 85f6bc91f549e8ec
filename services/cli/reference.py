"""The reference pages that are made from the code: settings, problems, and the examples of environment files.

`python -m services.cli.reference` writes them; `--check` writes nothing and exits 1 when one is stale.
"""

import sys
import types
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from services.cli.provision import PORTS, SERVICES
from services.shared.runtime.environment import DEFAULT_DATA_DIR, CommonSettings, ServiceSettings
from services.shared.runtime.problems import FAULT, HTTP_PROBLEMS, OTHER_HTTP, SHARED_PROBLEMS, Problem

ROOT = Path(__file__).resolve().parents[2]
SETTINGS_PAGE = ROOT / "docs" / "reference" / "settings.md"
PROBLEMS_PAGE = ROOT / "docs" / "reference" / "problems.md"
EXAMPLES = ROOT / "deploy" / "systemd"
MADE_BY = "made by `python -m services.cli.reference`; change the code instead"
TYPE_NAMES = {bool: "true / false", int: "whole number", str: "text", Path: "path", SecretStr: "address, secret"}
KEY_FILE_KINDS = {"signing_key_file": "pem", "log_key_file": "pem", "bank_key_file": "key"}
OWNER_ADDRESS = (
    "DOUDI_DATABASE_URL",
    "address, secret",
    "the embedded server",
    "the owner's database address; `doudi migrate` alone reads it",
)

Row = tuple[str, ...]


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which are stale; returns the exit code."""
    stale = [path for path, content in pages().items() if not path.exists() or path.read_text("utf-8") != content]
    if "--check" not in arguments:
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages()[path], encoding="utf-8")
    for path in stale:
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 1 if stale and "--check" in arguments else 0


def pages() -> dict[Path, str]:
    """Each page's path and what it must hold."""
    return {
        SETTINGS_PAGE: settings_page(),
        PROBLEMS_PAGE: problems_page(),
        **{
            EXAMPLES / f"{service or 'doudi'}.env.example": example_environment(service, kind)
            for service, kind in settings_classes().items()
        },
    }


def settings_classes() -> dict[str, type[BaseSettings]]:
    """The common settings under "", and each service's own under its name."""
    return {"": CommonSettings, **{service: _own_settings(service) for service in SERVICES}}


def settings_page() -> str:
    """Every setting: its name, what it takes, its default and what it means."""
    parts = [
        f"<!-- {MADE_BY} -->",
        "# Settings 设置\n",
        "Read once, when a process starts: first from the environment, then from `doudi.env` in the data folder, which "
        "`doudi migrate` writes. What is missing or wrong is named in one line, and the process does not start.\n",
        "进程启动时读取一次：先环境变量，后数据目录中的 `doudi.env`（由 `doudi migrate` 写入）。"
        "缺少或有误的设置会一行列出，进程不启动。\n",
    ]
    for service, kind in settings_classes().items():
        parts.append(f"## {service or 'Every process 所有进程'}\n")
        rows = [_setting_row(service, kind, name) for name in kind.model_fields]
        parts.append(_table(("name 名称", "takes 取值", "default 默认", "meaning 含义"), rows))
    parts.append("## migrate\n")
    name, *others = OWNER_ADDRESS
    parts.append(_table(("name 名称", "takes 取值", "default 默认", "meaning 含义"), [(f"`{name}`", *others)]))
    return "\n".join(parts)


def problems_page() -> str:
    """Every problem that a service answers with: code, status, what it means and what to do."""
    parts = [
        f"<!-- {MADE_BY} -->",
        "# Problems 错误\n",
        "Each error is a problem (RFC 9457) with a stable `code`; `text` is in both languages, and what was sent is "
        "never repeated. In braces: what the error itself says.\n",
        "每个错误都是一个 problem（RFC 9457），`code` 不变；`text` 含中英文，绝不回显所发送的内容。"
        "花括号内由具体错误填写。\n",
    ]
    shared = [*SHARED_PROBLEMS.values(), *HTTP_PROBLEMS.values(), OTHER_HTTP, FAULT]
    parts += ["## Every service 所有服务\n", _problem_table(shared)]
    for service in SERVICES:
        catalogue = import_module(f"services.{service}.errors").CATALOGUE
        parts += [f"## {service}\n", _problem_table(list(catalogue.values()))]
    return "\n".join(parts)


def example_environment(service: str, kind: type[BaseSettings]) -> str:
    """Settings for production, a file for each service: what must be set stands, what has a default is a comment."""
    name = f"/etc/doudi/{service or 'doudi'}.env"
    lines = [f"# {MADE_BY}", f"# 生产环境的设置，复制为 / settings of production, copy to {name} (0600 root:root)"]
    for setting, field in kind.model_fields.items():
        lines += [f"# {field.description}", _example_line(service, setting, field.default)]
    return "\n".join([*lines, ""])


def _example_line(service: str, name: str, default: object) -> str:
    variable = _variable(service, name)
    if name == "mode":
        return f"{variable}=production"
    if name in ("data_dir", "trusted_keys_file") or default is PydanticUndefined:
        return f"{variable}={_example_of(service, name)}"
    return f"#{variable}={_shown(default)}"


def _example_of(service: str, name: str) -> str:
    if name == "data_dir":
        return "/var/lib/doudi"
    if name == "port":
        return str(PORTS[service])
    if name == "database_url":
        return f"postgresql+psycopg://doudi_{service}:PASSWORD@db.example:5432/doudi?sslmode=verify-full"
    file = f"{service}-{name}" if service else name
    stem = file.removesuffix("_file").removesuffix("_key").replace("_", "-")
    return f"/etc/doudi/keys/{stem}.{KEY_FILE_KINDS.get(name, 'json')}"


def _own_settings(service: str) -> type[BaseSettings]:
    offered = vars(import_module(f"services.{service}.settings")).values()
    own = (kind for kind in offered if isinstance(kind, type) and issubclass(kind, ServiceSettings))
    return next(kind for kind in own if kind is not ServiceSettings)


def _setting_row(service: str, kind: type[BaseSettings], name: str) -> Row:
    field = kind.model_fields[name]
    default = "**must be set 必填**" if field.is_required() else f"`{_shown(field.default)}`"
    return (f"`{_variable(service, name)}`", _takes(field.annotation), default, field.description or "")


def _variable(service: str, name: str) -> str:
    return f"DOUDI_{service}_{name}".upper() if service else f"DOUDI_{name}".upper()


def _shown(default: object) -> str:
    if default == DEFAULT_DATA_DIR:
        return ".data"
    return "–" if default is None else str(default).lower() if isinstance(default, bool) else str(default)


def _takes(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " / ".join(map(str, get_args(annotation)))
    if isinstance(annotation, types.UnionType):
        return _takes(next(kind for kind in get_args(annotation) if kind is not types.NoneType))
    return TYPE_NAMES[annotation]


def _problem_table(problems: list[Problem]) -> str:
    rows = [
        (f"`{p.code}`", str(p.status), f"{p.zh}。{p.remedy_zh}。", f"{p.en}. {p.remedy_en}.")
        for p in sorted(problems, key=lambda problem: problem.code)
    ]
    return _table(("code", "status", "中文", "English"), rows)


def _table(header: Row, rows: Sequence[Row]) -> str:
    return "\n".join(_lines(header, rows)) + "\n"


def _lines(header: Row, rows: Sequence[Row]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield "|---" * len(header) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
