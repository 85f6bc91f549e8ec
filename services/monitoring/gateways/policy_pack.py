"""Monitoring's policy packs: which signals the rules know, read from TOML once at the start."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from services.monitoring.domain.signal import GRADES, Signal
from services.shared.runtime.environment import StartRefused

PACKS = Path(__file__).resolve().parents[1] / "policy_packs"
NATIONAL_PACK = "cn"


class SignalPackInvalid(StartRefused):
    """The pack's file is not what a pack is; the message says where."""


def read_signals(folder: Path = PACKS / NATIONAL_PACK) -> Mapping[str, Signal]:
    """The pack's signals by the feed that they listen to. Raises SignalPackInvalid."""
    file = folder / "signals.toml"
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        pack, version = document["pack"]["id"], document["pack"]["version"]
        signals = [_signal(file, entry, pack, version) for entry in document["signals"]]
    except KeyError as error:
        raise SignalPackInvalid(f"{file}：缺少 {error}，请补上 / it lacks {error}; add it") from None
    except (OSError, ValueError) as error:
        raise SignalPackInvalid(
            f"{file}：无法读取，请核对文件（{error}） / it cannot be read; check the file ({error})"
        ) from None
    by_feed = {signal.feed: signal for signal in signals}
    if len(by_feed) != len(signals):
        raise SignalPackInvalid(
            f"{file}：两条规则用同一数据来源，请只留一条 / two signals listen to one feed; keep one of them"
        )
    return by_feed


def _signal(file: Path, entry: Mapping[str, Any], pack: str, version: str) -> Signal:
    names = {field.name for field in fields(Signal)} - {"pack", "pack_version"}
    if entry.keys() != names:
        wrong = ", ".join(sorted(entry.keys() ^ names))
        raise SignalPackInvalid(
            f"{file}：缺少或多出 {wrong}，请补上或删去 / missing or unknown: {wrong}; add or delete"
        )
    signal = Signal(**entry, pack=pack, pack_version=version)
    whole = (signal.deadline_working_days, signal.limit_months)
    if signal.grade not in GRADES or not all(type(number) is int and number > 0 for number in whole):
        raise SignalPackInvalid(
            f"{file}：{signal.id} 的 grade 须为 {'、'.join(GRADES)} 之一，"
            "deadline_working_days 和 limit_months 须为正整数"
            f" / {signal.id}: grade must be one of {', '.join(GRADES)},"
            " deadline_working_days and limit_months positive whole numbers"
        )
    return signal
