"""Screens parts on this machine: in this process, or in several beside it."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from typing import Any

from services.eligibility.use_cases.screening.part import Done, Tell, screen_part
from services.eligibility.use_cases.screening.plan import Part, Plan
from services.eligibility.use_cases.screening.refusal import ScreeningStopped

TELL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Processes:
    """So many processes, this one alone when it is one."""

    count: int = 1

    def __call__(self, plan: Plan, parts: Sequence[Part], tell: Tell) -> Iterator[Done]:
        """The parts, each when it is finished. Raises ScreeningStopped."""
        if self.count == 1:
            for part in parts:
                yield screen_part(plan, part, tell)
        else:
            yield from _in_several(plan, parts, min(self.count, len(parts)) or 1, tell)


def _in_several(plan: Plan, parts: Sequence[Part], count: int, tell: Tell) -> Iterator[Done]:
    context = get_context("spawn")
    rows = context.Value("q", 0)
    with ProcessPoolExecutor(count, context, initializer=_begin, initargs=(plan, rows)) as pool:
        try:
            yield from _each_when_finished([pool.submit(_screen, part) for part in parts], rows, tell)
        except BrokenProcessPool:
            raise ScreeningStopped(
                "一个工作进程被终止（可能内存不足，或输入已损坏）。减少 --processes 后再运行同一命令，已完成的部分保留",
                "a worker process was ended (too little memory perhaps, or a damaged input). Run the same command "
                "again with fewer --processes: finished parts are kept",
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _each_when_finished(pending: list[Future[Done]], rows: Any, tell: Tell) -> Iterator[Done]:
    waiting, told = set(pending), 0
    while waiting:
        done, waiting = wait(waiting, TELL_SECONDS, FIRST_COMPLETED)
        told, before = rows.value, told
        tell(told - before)
        for each in done:
            yield each.result()


# --- in a worker ------------------------------------------------------------------------------------------------------

_given: dict[str, Any] = {}


def _begin(plan: Plan, rows: Any) -> None:
    # The parent ends the work when it is interrupted, and a parent that was killed cannot say so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _given.update(plan=plan, rows=rows)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _screen(part: Part) -> Done:
    return screen_part(_given["plan"], part, _count)


def _count(more: int) -> None:
    with _given["rows"].get_lock():
        _given["rows"].value += more
