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
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise SignalPackInvalid(f"{file}: {error}") from None
    by_feed = {signal.feed: signal for signal in signals}
    if len(by_feed) != len(signals):
        raise SignalPackInvalid(f"{file}: two signals listen to one feed")
    return by_feed


def _signal(file: Path, entry: Mapping[str, Any], pack: str, version: str) -> Signal:
    names = {field.name for field in fields(Signal)} - {"pack", "pack_version"}
    if entry.keys() != names:
        raise SignalPackInvalid(f"{file}: missing or unknown keys: {sorted(entry.keys() ^ names)}")
    signal = Signal(**entry, pack=pack, pack_version=version)
    whole = (signal.deadline_working_days, signal.limit_months)
    if signal.grade not in GRADES or not all(type(number) is int and number > 0 for number in whole):
        raise SignalPackInvalid(f"{file}: {signal.id} has a wrong grade, deadline or limit")
    return signal
