"""Why rules have their values in one evaluation: sentences with both sides' numbers, the gap, the law, what is beneath.

A printed program (`reason_printing`) makes the text of each reason once for each row; here is what it asks for where a
value is open, and what a reason looks like to who reads it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.shared.policy import tree
from services.shared.policy.abstract import Possible, Row, is_single, only_value
from services.shared.policy.evaluation import Evaluation
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import Programme
from services.shared.policy.reason_printing import ToldRule, TooMuchToSay, rate_text
from services.shared.policy.reason_template import (
    CHILDREN,
    FACTS,
    FIGURES,
    GAP,
    SUBJECT,
    Hole,
    Template,
    Truth,
    filled,
    values_of,
)
from services.shared.policy.rulebook import Rule, Rulebook
from services.shared.policy.schema import DATE, MONEY, PARAMETER_MAX_FEN, RATE, Kind
from services.shared.policy.text import Text
from services.shared.policy.tree import Node
from services.shared.policy.truth import EITHER, TRUE
from services.shared.policy.wire import wire, wire_bytes, wire_inside, wire_list
from services.shared.vocabulary.money import yuan_of
from services.shared.vocabulary.period import date_text

__all__ = ["Explanation", "Reason", "Shown", "TooMuchToSay", "bare_reason", "reasons_of", "shown_value"]

MAX_CHARACTERS = 40_000_000
"""Of all reasons made for one answer, each counted with those beneath it."""

Shown = str | int | bool | Mapping[str, Any] | None
"""A value as an answer shows it: money in yuan; {"at_least", "at_most"} where only bounds are known; else None."""

NameOf = Callable[[str, tuple[int, ...]], str]
"""Says whom or what the row of an entity with these indices stands for."""

OriginsOf = Callable[[tree.FactRef, Row], Sequence[Mapping[str, Any]]]
"""Says where a fact of a row comes from: the origins that were given for it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One node of an explanation, read back. `holds` is None for what cannot be told yet, and for what is no condition.

    `facts` are the origins given for what the rule reads itself; `programme` is the one whose own result tells what is
    beneath.
    """

    rule: str
    subject: str | None
    holds: bool | None
    text: Text
    values: Mapping[str, Shown]
    figures: Mapping[str, Mapping[str, str]]
    citation: Mapping[str, str] | None
    children: tuple["Reason", ...]
    facts: tuple[Mapping[str, Any], ...] = ()
    programme: str | None = None


def reasons_of(texts: Sequence[str]) -> tuple[Reason, ...]:
    """The reasons that `Explanation` made, read back."""
    return tuple(_reason_of(orjson.loads(wire_bytes(text))) for text in texts)


def _reason_of(body: Mapping[str, Any]) -> Reason:
    children = tuple(map(_reason_of, body["children"]))
    return Reason(**{**body, "text": Text(**body["text"]), "children": children, "facts": tuple(body.get("facts", ()))})


def bare_reason(rule: str, text: Text) -> str:
    """A reason that no rule of a pack gives."""
    said = f'{{"rule":{wire(rule)},"subject":null,"holds":null,"text":{{"zh":{wire(text.zh)},"en":{wire(text.en)}}},'
    return f'{said}"values":{{}},"figures":{{}},"citation":null,"children":[]}}'


class Explanation:
    """Explains rules of one evaluation, each once: text is shared between the results that rest on it.

    What is beneath the conditions of `answered` programmes is left to their own results.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        name_of: NameOf,
        origins_of: OriginsOf | None = None,
        answered: Collection[str] = (),
    ) -> None:
        policy = evaluation.policy
        self._evaluation, self._name_of, self._origins_of = evaluation, name_of, origins_of
        self._printed = policy.reasons_with_facts if origins_of else policy.reasons
        self._said: dict[Any, Any] = {}
        self._arguments = (evaluation.frame, evaluation.root.facts, policy.reason_arguments, self._said)
        # What printed code asks for:
        self.names: list[dict[Any, str]] = [{} for _ in policy.book.schema.entities]
        self.answered = answered
        self.figures = policy.figure_texts
        self.as_of = policy.as_of
        self.left = MAX_CHARACTERS

    def reason(self, rule: str, row: Row) -> str:
        """Why the rule has its value for the row, as JSON (`wire`). Raises TooMuchToSay."""
        own = row.of(self._evaluation.policy.book.rules[rule].entity)
        subject = ("null",) if own.indices else ()
        return self._printed.functions[rule](self, *self._arguments, *own.indices, *subject)

    def granted(self, programme: Programme, row: Row) -> list[str]:
        """Why a programme is granted for the row, or what of it is open: its conditions and its amount."""
        return self._printed.granted[programme.id](self, *self._arguments, *row.indices)

    def refused(self, programme: Programme, row: Row) -> list[str]:
        """Why a programme is refused for the row: the conditions that do not hold."""
        return self._printed.refused[programme.id](self, *self._arguments, *row.indices)

    # --- what printed code asks for -----------------------------------------------------------------------------

    def truth(self, node: Node, entity: str, indices: tuple[int, ...]) -> Truth:
        """What is known of a condition that the program left open."""
        possible, _ = self._evaluation.node_seen(node, self._row(entity, indices))
        return None if possible == EITHER else possible == TRUE

    def named(self, number: int, indices: tuple[int, ...], key: Any) -> str:
        """Whom a row of an entity stands for; remembered under `key`."""
        entity = self._evaluation.policy.book.schema.entities[number].name
        name = self.names[number][key] = wire(self._name_of(entity, indices))
        return name

    def published(self, number: int, codes: tuple[str, ...], key: Any) -> str:
        """Where the figures of a set were published, for these codes; remembered under `key`."""
        text = self.figures[number][key] = self._published(number, codes)
        return text

    def partly(self, number: int, indices: tuple[int, ...], subject: str, truth: Truth, children: str) -> str:
        """The reason of a rule some of whose values are open."""
        told = self._printed.told[number]
        row = self._row(told.rule.entity, indices)
        filling = {SUBJECT: subject, CHILDREN: children, FACTS: ""}
        if told.figures >= 0:
            keys = self._printed.figure_sets[told.figures].keys
            filling[FIGURES] = self._published(told.figures, tuple(self._code(key, row) for key in keys))
        if FACTS in told.templates[truth]:
            filling[FACTS] = self.facts(number, indices)
        shown = dict(self._shown(told.rule, row, truth))
        for name, value in shown.items():
            filling |= {Hole("json", name): wire(value), Hole("zh", name): _spoken(value, _ZH)}
            filling[Hole("en", name)] = _spoken(value, _EN)
        return filled(self._template(told, row, truth, shown.get(GAP)), filling)

    def _template(self, told: ToldRule, row: Row, truth: Truth, gap: Shown) -> Template:
        for when, templates in told.excepted:
            if self.truth(when, row.entity, row.indices) is True:
                return templates[truth]
        is_at_the_line = told.at_the_line is not None and truth is False and gap in _NO_GAP
        return told.at_the_line if told.at_the_line and is_at_the_line else told.templates[truth]

    def facts(self, number: int, indices: tuple[int, ...]) -> str:
        """Where the facts come from that the rule itself reads, as a member of the reason; "" when nobody said."""
        assert self._origins_of is not None
        rule = self._printed.told[number].rule
        found: dict[str, None] = {}
        for fact in dict.fromkeys(part for part in tree.walk(rule.node) if isinstance(part, tree.FactRef)):
            for row in self._rows(fact.entity, self._row(rule.entity, indices)):
                found |= dict.fromkeys(wire(origin) for origin in self._origins_of(fact, row))
        return f',"facts":{wire_list(list(found))}' if found else ""

    # --- rows ---------------------------------------------------------------------------------------------------

    def _lineage(self, entity: str) -> tuple[str, ...]:
        return self._evaluation.policy.book.schema.lineage(entity)[1:]

    def _row(self, entity: str, indices: tuple[int, ...]) -> Row:
        row = self._evaluation.root
        for name, index in zip(self._lineage(entity), indices, strict=True):
            row = self._evaluation.rows(name, row)[index]
        return row

    def _rows(self, entity: str, row: Row) -> Iterator[Row]:
        """The rows of the entity that this row lies in, or that lie in it."""
        lineage = self._evaluation.policy.book.schema.lineage(entity)
        above = row
        while above.entity not in lineage:
            assert above.parent is not None
            above = above.parent
        yield from self._below(above, lineage[lineage.index(above.entity) + 1 :])

    def _below(self, row: Row, entities: Sequence[str]) -> Iterator[Row]:
        if not entities:
            yield row
            return
        for below in self._evaluation.rows(entities[0], row):
            yield from self._below(below, entities[1:])

    # --- values -------------------------------------------------------------------------------------------------

    def _shown(self, rule: Rule, row: Row, truth: Truth) -> Iterator[tuple[str, Shown]]:
        possible = {name: self._evaluation.node_seen(node, row)[0] for name, node in rule.values.items()}
        for name in values_of(rule, truth):
            if name in possible:
                yield name, shown_value(possible[name], rule.values[name].kind)
                continue
            assert rule.written is not None
            upper, lower = rule.written.gap
            yield name, _gap(possible[upper], possible[lower], rule.values[upper].kind)

    def _code(self, key: Node, row: Row) -> str | None:
        possible, _ = self._evaluation.node_seen(key, row)
        return only_value(possible) if is_single(possible) else None

    def _published(self, number: int, codes: Sequence[str | None]) -> str:
        shown, policy = self._printed.figure_sets[number], self._evaluation.policy
        replaced, by_key = dict(policy.overrides), dict(zip(shown.keys, codes, strict=True))
        known = [(figure.name, tuple(by_key[key] for key in figure.keys)) for figure in shown.figures]
        texts = [_published(policy.book, name, key) for name, key in known if name not in replaced and None not in key]
        return ",".join(text for text in texts if text)


def _published(book: Rulebook, name: str, codes: tuple[str | None, ...]) -> str:
    """Where a figure was published, as a member of an object; "" for a figure that no pack holds."""
    return str(book.remembered(f"published {name} {codes}", lambda: _looked_up(book, name, codes)))


def _looked_up(book: Rulebook, name: str, codes: tuple[Any, ...]) -> str:
    held = book.figures[name][codes]
    if isinstance(held, Unknown):
        return ""
    published = {
        "pack": held.pack,
        "instrument": book.instruments[held.figure.citation.instrument].title,
        "from": held.figure.from_on.isoformat(),
        "confidence": held.figure.confidence,
    }
    return f"{wire(name)}:{wire(published)}"


def shown_value(possible: Possible, kind: Kind) -> Shown:
    """A value as an answer shows it."""
    if is_single(possible):
        return _one(only_value(possible), kind)
    if not isinstance(possible, tuple):
        return None
    least, most = possible
    bounds: dict[str, Any] = {}
    if least > 0 and kind is not DATE:
        bounds["at_least"] = _one(least, kind)
    # What is bounded only because nothing may be larger is not bounded for a reader.
    if most < PARAMETER_MAX_FEN and kind is MONEY:
        bounds["at_most"] = _one(most, kind)
    return bounds or None


def _one(value: Any, kind: Kind) -> Shown:
    spelt = {MONEY: yuan_of, RATE: rate_text, DATE: date_text}.get(kind)
    shown: Shown = value if spelt is None else spelt(value)
    return shown


_NO_GAP = ("0.00", 0)
"""Of amounts, and of numbers."""


def _gap(upper: Possible, lower: Possible, kind: Kind) -> Shown:
    least, most = max(upper[0] - lower[1], 0), upper[1] - lower[0]
    return shown_value((least, max(least, most)), kind)


_ZH = {"at_least": "至少 {}", "at_most": "至多 {}", "between": "{} 至 {}", None: "（未知）"}
_EN = {"at_least": "at least {}", "at_most": "at most {}", "between": "{} to {}", None: "(unknown)"}


def _spoken(value: Shown, words: Mapping[str | None, str]) -> str:
    """A value as a sentence says it, with bounds and unknowns in words."""
    if value is None:
        return wire_inside(words[None])
    if isinstance(value, Mapping):
        bounds = [bound for bound in ("at_least", "at_most") if bound in value]
        said = words["between" if len(bounds) > 1 else bounds[0]]
        return wire_inside(said.format(*(value[bound] for bound in bounds)))
    return wire_inside(str(value))
