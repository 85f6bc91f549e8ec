"""What the reason of a rule looks like as JSON before a household is known: literal text with holes."""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.shared.policy import tree
from services.shared.policy.rulebook import Rule, Rulebook
from services.shared.policy.schema import BOOL
from services.shared.policy.text import Text
from services.shared.policy.truth import EITHER, FALSE, TRUE
from services.shared.policy.wire import NULL, wire, wire_inside

OPEN_TEXT = Text("尚缺事实或标准，不能判断", "facts or figures are missing, so it cannot be told yet")
GAP = "gap"

Truth = bool | None
"""What is known of a condition; None while it is open."""

BITS = {True: TRUE, False: FALSE, None: EITHER}


@dataclass(frozen=True, slots=True)
class Hole:
    """What is filled in: `json`, `zh` or `en` of a value, or subject, figures, facts or children of the reason."""

    what: str
    value: str = ""


SUBJECT, FIGURES, FACTS, CHILDREN = Hole("subject"), Hole("figures"), Hole("facts"), Hole("children")

Template = tuple[str | Hole, ...]


def truths_of(rule: Rule) -> tuple[Truth, ...]:
    """The cases in which different things are said of the rule."""
    return (True, False, None) if rule.kind is BOOL else (None,)


def is_said(rule: Rule, truth: Truth) -> bool:
    """Whether anything was written to be said of the rule in this case."""
    return rule.sentence(BITS[truth]) is not None


def values_of(rule: Rule, truth: Truth) -> tuple[str, ...]:
    """The names of the values that are shown, in order; the gap only where the rule does not hold."""
    has_gap = truth is not True and rule.written is not None and rule.written.gap
    return tuple(sorted((*rule.values, *((GAP,) if has_gap else ()))))


def figures_of(rule: Rule) -> tuple[tree.ParameterRef, ...]:
    """The figures among what is shown, by name, each once."""
    shown = {
        part.name: part
        for node in rule.values.values()
        for part in tree.walk(node)
        if isinstance(part, tree.ParameterRef)
    }
    return tuple(shown[name] for name in sorted(shown))


def template_of(book: Rulebook, rule: Rule, truth: Truth, *, has_children: bool) -> Template:
    """The reason of the rule in this case."""
    holds = NULL if rule.kind is not BOOL else wire(truth)
    sentence = rule.sentence(BITS[truth]) or OPEN_TEXT
    parts: list[str | Hole] = [
        f'{{"rule":{wire(rule.id)},"subject":',
        SUBJECT,
        f',"holds":{holds},"text":{{"zh":"',
        *_sentence(sentence.zh, "zh"),
        '","en":"',
        *_sentence(sentence.en, "en"),
        '"},"values":{',
    ]
    for index, name in enumerate(values_of(rule, truth)):
        parts += [f"{',' * bool(index)}{wire(name)}:", Hole("json", name)]
    parts += ['},"figures":{', *((FIGURES,) if figures_of(rule) else ()), '},"citation":', _citation(book, rule)]
    return (*parts, FACTS, ',"children":[', *((CHILDREN,) if has_children else ()), "]}")


def filled(template: Template, filling: Mapping[Hole, str]) -> str:
    """The template with every hole filled."""
    return "".join(part if isinstance(part, str) else filling[part] for part in template)


def _sentence(text: str, language: str) -> Iterator[str | Hole]:
    for literal, name, _, _ in string.Formatter().parse(text):
        yield wire_inside(literal)
        if name is not None:
            yield Hole(language, name)


def _citation(book: Rulebook, rule: Rule) -> str:
    if rule.citation is None:
        return NULL
    instrument = book.instruments[rule.citation.instrument]
    return wire(
        {
            "instrument": instrument.title,
            "article": rule.citation.article,
            "in_force_from": instrument.period.from_on.isoformat(),
        }
    )
