"""Where the parts are gathered: one run at a time, going on where the last one of the same plan was killed."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.eligibility.use_cases.screening.part import REJECTS
from services.eligibility.use_cases.screening.plan import Plan
from services.eligibility.use_cases.screening.refusal import ScreeningRefused, ScreeningStopped

MANIFEST = "_screen.json"
LOCK = ".lock"
BESIDE = ".*.beside"
LEAST_BYTES_A_ROW = 4
"""Less than any results take; whether there is room for all is asked again after each part."""


def is_complete(plan: Plan) -> bool:
    """Whether the target is there, whole and of this plan. Raises ScreeningRefused where it is something else."""
    if not plan.target.exists():
        return False
    if _manifest_in(plan.target) == plan.manifest:
        return True
    raise _other(plan, plan.target)


@contextmanager
def unfinished_folder(plan: Plan) -> Iterator[None]:
    """The folder to gather parts in, for this process alone; kept when something fails.

    Raises ScreeningRefused where it cannot be written, is another plan's, or another process gathers there.
    """
    try:
        (plan.unfinished / REJECTS).mkdir(parents=True, exist_ok=True)
        lock = os.open(plan.unfinished / LOCK, os.O_CREAT | os.O_RDWR, 0o666)
    except OSError as error:
        raise ScreeningRefused(
            f"无法写入 {plan.target.parent}：{error.strerror}。换一个输出位置，或更正权限",
            f"{plan.target.parent} cannot be written: {error.strerror}. Name another place, or mend the rights",
        ) from None
    try:
        _lock(plan, lock)
        _begin(plan)
        yield
    finally:
        os.close(lock)


def complete(plan: Plan) -> None:
    """Give the folder, whose parts are all there, the target's name."""
    # An executor that was lost on the way leaves what it had begun.
    _sweep(plan)
    (plan.unfinished / LOCK).unlink()
    plan.unfinished.rename(plan.target)


def check_space(plan: Plan, rows_left: int, rows: int = 0, of_bytes: int = 0) -> None:
    """Raises ScreeningStopped where the disk has less room than the rows left will take, if `rows` took `of_bytes`.

    Before there are such rows it raises ScreeningRefused, for the least that rows take.
    """
    needed = rows_left * of_bytes // rows if rows else rows_left * LEAST_BYTES_A_ROW
    free, refused = shutil.disk_usage(plan.unfinished).free, ScreeningStopped if rows else ScreeningRefused
    if needed > free:
        raise refused(
            f"{plan.target.parent} 剩余 {free} 字节，至少还需 {needed}。腾出空间后再运行同一命令，已完成的部分保留",
            f"{plan.target.parent} has {free} bytes left and at least {needed} are needed. Make room and run the same "
            "command again: finished parts are kept",
        )


def _lock(plan: Plan, lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ScreeningRefused(
            f"另一个进程正在写 {plan.target}。等它结束，或换一个输出位置",
            f"another process is writing {plan.target}. Wait for it, or name another place",
        ) from None


def _sweep(plan: Plan) -> None:
    for folder in (plan.unfinished, plan.unfinished / REJECTS):
        for left in folder.glob(BESIDE):
            left.unlink(missing_ok=True)


def _begin(plan: Plan) -> None:
    _sweep(plan)
    manifest = _manifest_in(plan.unfinished)
    if manifest is None and not any(plan.unfinished.glob("*.parquet")):
        beside = plan.unfinished / f".{MANIFEST}.beside"
        beside.write_text(json.dumps(plan.manifest, indent=1) + "\n", encoding="utf-8")
        beside.replace(plan.unfinished / MANIFEST)
    elif manifest != plan.manifest:
        raise _other(plan, plan.unfinished)


def _manifest_in(folder: Path) -> Mapping[str, Any] | None:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


NAMES = {
    "input": ("输入", "input"),
    "as_of": ("日期", "date"),
    "columns": ("列的设定", "columns"),
    "packs": ("规则包", "packs"),
    "engine": ("程序版本", "version of the program"),
    "parts": ("输入", "input"),
    "format": ("程序版本", "version of the program"),
}


def _other(plan: Plan, found: Path) -> ScreeningRefused:
    manifest = _manifest_in(found)
    if manifest is None:
        zh, en = "不是筛查的结果", "is no result of a screening"
    else:
        names = list(dict.fromkeys(NAMES[key] for key, value in plan.manifest.items() if manifest.get(key) != value))
        zh = f"是另一次筛查的结果（不同之处：{'、'.join(name[0] for name in names)}）"
        en = f"is another screening's (what differs: {', '.join(name[1] for name in names)})"
    return ScreeningRefused(
        f"{found} 已存在，{zh}。删除它，或换一个输出位置",
        f"{found} exists and {en}. Delete it, or name another place",
    )
