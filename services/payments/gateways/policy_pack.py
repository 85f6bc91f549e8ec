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
    """A file of the pack cannot be used; the message names file and entry, in zh and en."""


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
        raise PaymentPackInvalid(
            "programmes.toml：两个项目用了同一编号，请各用其号"
            " / it gives one number to two programmes; give each its own"
        )
    return PaymentPack(_due_rules(folder / "due_days.toml"), _hold_rule(folder / "holds.toml"), dict(numbers))


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise PaymentPackInvalid(
                f"{path.name}：超过 {LARGEST_FILE_BYTES} 字节，请精简"
                f" / larger than {LARGEST_FILE_BYTES} bytes; shorten it"
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        kind = type(error).__name__
        raise PaymentPackInvalid(
            f"{path.name}：无法读取（{kind}），请核对文件 / it cannot be read ({kind}); check the file"
        ) from error


def _due_rules(path: Path) -> dict[str, DueRule]:
    rules: dict[str, DueRule] = {}
    for number, entry in enumerate(_read(path).get("due", [])):
        for rule in _rules_of(path, number, entry):
            if rule.programme in rules:
                raise PaymentPackInvalid(
                    f"{path.name}：{rule.programme} 有两条发放日规则，请只留一条"
                    f" / two due rules for {rule.programme}; keep one of them"
                )
            rules[rule.programme] = rule
    return rules


def _rules_of(path: Path, number: int, entry: dict[str, Any]) -> list[DueRule]:
    try:
        terms = DueTerms(entry["terms"])
        day = entry.get("day_of_month")
        return [DueRule(name, terms, day, entry["instrument"], entry["article"]) for name in entry["programmes"]]
    except (KeyError, TypeError, ValueError) as error:
        raise _wrong(path, f"due[{number}]", error) from error


def _hold_rule(path: Path) -> HoldRule:
    hold = _read(path).get("hold", {})
    try:
        return HoldRule(hold["answer_within_working_days"], hold["answered_by"])
    except (KeyError, TypeError, ValueError) as error:
        raise _wrong(path, "hold", error) from error


def _wrong(path: Path, entry: str, error: Exception) -> PaymentPackInvalid:
    if isinstance(error, KeyError):
        return PaymentPackInvalid(f"{path.name}：{entry} 缺少 {error}，请补上 / {entry} lacks {error}; add it")
    return PaymentPackInvalid(f"{path.name}：{entry} 有误，请核对（{error}） / {entry} is wrong; check it ({error})")
