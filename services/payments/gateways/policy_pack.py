"""Reads the payment rules of a pack folder: due days, holds and programme numbers."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.payments.domain.due_day import DueRule, DueRuleMissing, DueTerms
from services.payments.domain.hold import HoldRule
from services.shared.runtime.environment import StartRefused

NATIONAL_PACK = Path(__file__).parent.parent / "policy_packs" / "cn"
LARGEST_FILE_BYTES = 256 * 1024


class PaymentPackInvalid(StartRefused):
    """A file of the pack cannot be used; the message names file and entry."""


@dataclass(frozen=True, slots=True)
class PaymentPack:
    """The rules by which lines are scheduled and held."""

    due_rules: dict[str, DueRule]
    hold_rule: HoldRule
    programme_numbers: dict[str, int]

    def due_rule(self, programme: str) -> DueRule:
        """When `programme` is paid. Raises DueRuleMissing when the pack does not say."""
        try:
            return self.due_rules[programme]
        except KeyError:
            raise DueRuleMissing(programme) from None

    def programme_number(self, programme: str) -> int:
        """The number of `programme` in an EndToEndId. Raises DueRuleMissing for a programme payments does not pay."""
        try:
            return self.programme_numbers[programme]
        except KeyError:
            raise DueRuleMissing(programme) from None


def read_payment_pack(folder: Path = NATIONAL_PACK) -> PaymentPack:
    """The pack in `folder`. Raises PaymentPackInvalid when a file is missing, too large, no TOML or inconsistent."""
    numbers = _read(folder / "programmes.toml").get("numbers", {})
    if len(set(numbers.values())) != len(numbers):
        raise PaymentPackInvalid("programmes.toml gives one number to two programmes")
    return PaymentPack(_due_rules(folder / "due_days.toml"), _hold_rule(folder / "holds.toml"), dict(numbers))


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise PaymentPackInvalid(f"{path.name} is larger than {LARGEST_FILE_BYTES} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PaymentPackInvalid(f"{path.name} cannot be read: {type(error).__name__}") from error


def _due_rules(path: Path) -> dict[str, DueRule]:
    rules: dict[str, DueRule] = {}
    for number, entry in enumerate(_read(path).get("due", [])):
        for rule in _rules_of(path, number, entry):
            if rule.programme in rules:
                raise PaymentPackInvalid(f"{path.name} has two due rules for {rule.programme}")
            rules[rule.programme] = rule
    return rules


def _rules_of(path: Path, number: int, entry: dict[str, Any]) -> list[DueRule]:
    try:
        terms = DueTerms(entry["terms"])
        day = entry.get("day_of_month")
        return [DueRule(name, terms, day, entry["instrument"], entry["article"]) for name in entry["programmes"]]
    except (KeyError, ValueError) as error:
        raise PaymentPackInvalid(f"{path.name}, due[{number}]: {error}") from error


def _hold_rule(path: Path) -> HoldRule:
    hold = _read(path).get("hold", {})
    try:
        return HoldRule(hold["answer_within_working_days"], hold["answered_by"])
    except (KeyError, ValueError) as error:
        raise PaymentPackInvalid(f"{path.name}, hold: {error}") from error
