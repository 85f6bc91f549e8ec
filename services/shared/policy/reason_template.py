"""What the reason of a rule looks like as JSON before a household is known: literal text with holes."""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.shared.policy import tree
from services.shared.policy.pack import Programme
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


def programme_of(book: Rulebook, rule: Rule) -> Programme | None:
    """The programme whose conditions the rule joins, where it is the engine's own rule for that."""
    name, _, last = rule.id.rpartition(".")
    return book.programmes.get(name) if rule.written is None and last == "eligible" else None


def has_sentence(book: Rulebook, rule: Rule) -> bool:
    """Whether anything may be said of the rule."""
    return rule.has_sentence or programme_of(book, rule) is not None


def sentence_of(book: Rulebook, rule: Rule, truth: Truth) -> Text | None:
    """What is said of the rule in this case; None where nothing was written for it."""
    programme = programme_of(book, rule)
    if programme is None:
        return rule.sentence(BITS[truth])
    zh, en = programme.text.zh, programme.text.en
    return {
        True: Text(f"符合“{zh}”的条件", f"the conditions of {en} are met"),
        False: Text(f"不符合“{zh}”的条件", f"the conditions of {en} are not met"),
        None: Text(f"尚不能判断是否符合“{zh}”的条件", f"it cannot be told yet whether the conditions of {en} are met"),
    }[truth]


def exceptions_of(book: Rulebook, rule: Rule) -> Iterator[tuple[tree.RuleRef, Text]]:
    """The exceptions that decide the condition where they apply, the first before the others, and what they say then.

    What the rule itself would say is of numbers that decide nothing then.
    """
    node = rule.node
    while isinstance(node, tree.Choice) and isinstance(node.condition, tree.RuleRef):
        when = book.rules[node.condition.rule]
        said = when.sentence(TRUE) if when.id in book.exceptions and rule.kind is BOOL else None
        if said is not None and not set(when.values):
            yield node.condition, said
        node = node.otherwise


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


def template_of(
    book: Rulebook,
    rule: Rule,
    truth: Truth,
    *,
    has_children: bool,
    told_by: str = "",
    sentence: Text | None = None,
) -> Template:
    """The reason of the rule in this case; `told_by` names the programme whose own result tells what is beneath it.

    `sentence` stands in place of what is otherwise said in this case.
    """
    holds = NULL if rule.kind is not BOOL else wire(truth)
    sentence = sentence or sentence_of(book, rule, truth) or OPEN_TEXT
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
    if told_by:
        parts.append(f',"programme":{wire(told_by)}')
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
