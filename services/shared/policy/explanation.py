"""Why a rule has its value: sentences with both sides' numbers, the gap, the citation, and the rules beneath it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.shared.policy import tree
from services.shared.policy.abstract import Possible, Row, is_single, only_value
from services.shared.policy.evaluation import Evaluation
from services.shared.policy.figures import FigureInForce
from services.shared.policy.open_value import OPEN, Unknown
from services.shared.policy.rulebook import Rule
from services.shared.policy.schema import BOOL, MONEY, RATE, RATE_SCALE, Kind
from services.shared.policy.slicing import Beneath, slice_of
from services.shared.policy.text import Text
from services.shared.policy.tree import Node
from services.shared.policy.truth import FALSE, TRUE
from services.shared.vocabulary.money import MAX_FEN, yuan_of

MAX_DEPTH = 6
OPEN_TEXT = Text("尚缺事实或标准，不能判断", "facts or figures are missing, so it cannot be told yet")

Shown = str | int | bool | Mapping[str, Any] | None
"""A value as an answer shows it: money in yuan; {"at_least", "at_most"} where only bounds are known; else None."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One node of an explanation. `holds` is None for what cannot be told yet, and for what is no condition."""

    rule: str
    subject: str | None
    holds: bool | None
    text: Text
    values: Mapping[str, Shown]
    figures: Mapping[str, Mapping[str, str]]
    citation: Mapping[str, str] | None
    children: tuple["Reason", ...]


NameOf = Callable[[Row], str | None]
"""Says whom or what a row stands for."""


class Explainer:
    """Explains rules of one evaluation, each once: reasons are shared between the results that rest on them."""

    def __init__(self, evaluation: Evaluation, name_of: NameOf) -> None:
        self._evaluation, self._book, self._name_of = evaluation, evaluation.policy.book, name_of
        self._replaced = dict(evaluation.policy.overrides)
        self._reasons: dict[tuple[str, tuple[int, ...], bool, bool], Reason] = {}

    def reason(self, name: str, row: Row) -> Reason:
        """Why the rule has its value for the row."""
        return self._reason(name, row, row, 0)

    def _reason(self, name: str, row: Row, seen_from: Row, depth: int) -> Reason:
        rule = self._book.rules[name]
        own = row.of(rule.entity)
        is_elsewhere = own.indices != seen_from.indices[: len(own.indices)]
        key = (name, own.indices, is_elsewhere, depth < MAX_DEPTH)
        if key not in self._reasons:
            self._reasons[key] = self._computed(rule, own, self._name_of(own) if is_elsewhere else None, depth)
        return self._reasons[key]

    def _computed(self, rule: Rule, row: Row, subject: str | None, depth: int) -> Reason:
        possible, _ = self._evaluation.seen(rule.id, row)
        shown = self._shown(rule, row, possible)
        return Reason(
            rule=rule.id,
            subject=subject,
            holds={TRUE: True, FALSE: False}.get(possible) if rule.kind is BOOL else None,
            text=_sentence(rule, possible, shown),
            values=shown,
            figures=self._figures(rule, row),
            citation=self._citation(rule),
            children=tuple(self._children(rule, row, possible, depth)) if depth < MAX_DEPTH else (),
        )

    def _shown(self, rule: Rule, row: Row, possible: Possible) -> dict[str, Shown]:
        shown = {key: self._value(node, row) for key, node in rule.values.items()}
        if possible != TRUE and rule.written is not None and rule.written.gap:
            shown["gap"] = _gap(*(self._can_be(rule.values[key], row) for key in rule.written.gap))
        return shown

    def _value(self, node: Node, row: Row) -> Shown:
        # Nearly all are a rule, a fact or a figure, and known: then no ranges are needed.
        value = self._known(node, row)
        if not isinstance(value, Unknown):
            return _one(value, node.kind)
        return shown_value(self._can_be(node, row), node.kind)

    def _known(self, node: Node, row: Row) -> Any:
        if isinstance(node, tree.RuleRef):
            return self._evaluation.value(node.rule, row)
        if isinstance(node, tree.FactRef):
            facts = row.of(node.entity).facts
            return facts if isinstance(facts, Unknown) else facts[node.position]
        if isinstance(node, tree.ParameterRef):
            codes = tuple(self._known(key, row) for key in node.keys)
            if not any(isinstance(code, Unknown) for code in codes):
                return self._evaluation.policy.parameters[node.name][codes]
        return OPEN

    def _citation(self, rule: Rule) -> Mapping[str, str] | None:
        return (
            None if rule.citation is None else self._book.remembered(f"citation {rule.id}", lambda: self._cited(rule))
        )

    def _cited(self, rule: Rule) -> Mapping[str, str]:
        assert rule.citation is not None
        instrument = self._book.instruments[rule.citation.instrument]
        return {
            "instrument": instrument.title,
            "article": rule.citation.article,
            "in_force_from": instrument.period.from_on.isoformat(),
        }

    def _figures(self, rule: Rule, row: Row) -> Mapping[str, Mapping[str, str]]:
        """Where each figure shown was published."""
        found: dict[str, Mapping[str, str]] = {}
        shown = self._book.remembered(f"figures {rule.id}", lambda: _figures_shown(rule))
        for part in shown:
            if part.name not in self._replaced:
                found.update(self._figure(part, row))
        return found

    def _figure(self, node: tree.ParameterRef, row: Row) -> Iterator[tuple[str, Mapping[str, str]]]:
        codes = tuple(self._known(key, row) for key in node.keys)
        if any(isinstance(code, Unknown) for code in codes):
            return
        held = self._book.figures[node.name][codes]
        if not isinstance(held, Unknown):
            yield node.name, self._book.remembered(f"figure {node.name} {codes}", lambda: self._published(held))

    def _published(self, held: FigureInForce) -> Mapping[str, str]:
        return {
            "pack": held.pack,
            "instrument": self._book.instruments[held.figure.citation.instrument].title,
            "from": held.figure.from_on.isoformat(),
            "confidence": held.figure.confidence,
        }

    def _children(self, rule: Rule, row: Row, possible: Possible, depth: int) -> Iterator[Reason]:
        slice_ = slice_of(self._book, rule)
        if slice_ is None:
            return
        found: Beneath = []
        slice_(self._evaluation, row, possible, found)
        met: set[tuple[str, tuple[int, ...]]] = set()
        for child, below in found:
            key = (child.id, below.indices)
            if key not in met:
                met.add(key)
                yield self._reason(child.id, below, row, depth + 1)

    def _can_be(self, node: Node, row: Row) -> Possible:
        return self._evaluation.node_seen(node, row)[0]


def _figures_shown(rule: Rule) -> list[tree.ParameterRef]:
    return [part for node in rule.values.values() for part in tree.walk(node) if isinstance(part, tree.ParameterRef)]


def shown_value(possible: Possible, kind: Kind) -> Shown:
    """A value as an answer shows it."""
    if is_single(possible):
        return _one(only_value(possible), kind)
    if not isinstance(possible, tuple):
        return None
    least, most = possible
    bounds: dict[str, Any] = {}
    if least > 0:
        bounds["at_least"] = _one(least, kind)
    if most < MAX_FEN and kind is MONEY:
        bounds["at_most"] = _one(most, kind)
    return bounds or None


def _one(value: Any, kind: Kind) -> Shown:
    if kind is MONEY:
        return yuan_of(value)
    if kind is RATE:
        return f"{value // RATE_SCALE}.{value % RATE_SCALE:04d}".rstrip("0").rstrip(".")
    shown: Shown = value
    return shown


def _gap(upper: Possible, lower: Possible) -> Shown:
    least, most = max(upper[0] - lower[1], 0), upper[1] - lower[0]
    return shown_value((least, max(least, most)), MONEY)


def _sentence(rule: Rule, possible: Possible, shown: Mapping[str, Shown]) -> Text:
    text = rule.sentence(possible) or OPEN_TEXT
    if not shown:
        return text
    return Text(text.zh.format_map(_spoken(shown, _ZH)), text.en.format_map(_spoken(shown, _EN)))


_ZH = {"at_least": "至少 {}", "at_most": "至多 {}", None: "（未知）"}
_EN = {"at_least": "at least {}", "at_most": "at most {}", None: "(unknown)"}


def _spoken(shown: Mapping[str, Shown], words: Mapping[str | None, str]) -> Mapping[str, Shown]:
    """The values as a sentence says them: bounds and unknowns in words."""
    if not any(value is None or isinstance(value, dict) for value in shown.values()):
        return shown
    return {name: _in_words(value, words) for name, value in shown.items()}


def _in_words(value: Shown, words: Mapping[str | None, str]) -> Shown:
    if value is None:
        return words[None]
    if isinstance(value, dict):
        return " ".join(words[bound].format(value[bound]) for bound in ("at_least", "at_most") if bound in value)
    return value
