"""What packs say to people is short: at most 40 characters, or 20 words, a sentence."""

import re
from collections.abc import Iterator

import pytest

from services.eligibility.gateways.pack_folder import read_packs
from services.shared.policy.pack import Pack
from services.shared.policy.text import Text

MOST_CHARACTERS, MOST_WORDS = 40, 20
VALUE = re.compile(r"\{\w+\}")
ENDS_ZH, ENDS_EN = re.compile("[。；！？]"), re.compile(r"[.;!?](?:\s|$)")
MARKS = re.compile(r"[\s，、：（）()〔〕“”‘’《》—\-−+×=/,.:'\"]")
PACKS = read_packs()


def sentences(pack: Pack) -> Iterator[tuple[str, Text]]:
    """Every text that a citizen or clerk reads, with the place where it is written."""
    for rule in (*pack.rules, *(item.when for item in pack.exceptions)):
        for name in ("holds", "fails", "open"):
            if getattr(rule, name) is not None:
                yield f"{rule.id} {name}", getattr(rule, name)
    for programme in pack.programmes:
        yield f"programme {programme.id}", programme.text
        if programme.department is not None:
            yield f"programme {programme.id} department", programme.department
    for document in pack.documents:
        yield f"document {document.id}", document.text
        if document.held_by is not None:
            yield f"document {document.id} held_by", document.held_by
    yield from ((f"presumption {item.entity}.{item.key}", item.text) for item in pack.presumptions)
    yield from ((f"linked {item.figure}", item.text) for item in pack.linked)
    yield from ((f"parameter {name}", item.text) for name, item in pack.declarations.items())
    yield from ((f"term {name}", text) for name, text in pack.terms.items())


ALL = [pytest.param(text, id=f"{pack.id} {where}") for pack in PACKS for where, text in sentences(pack)]


def characters(sentence):
    return len(MARKS.sub("", VALUE.sub("数", sentence)))


def words(sentence):
    return len([word for word in VALUE.sub("value", sentence).split() if re.search(r"\w", word)])


def test_a_value_counts_as_one():
    assert characters("人均 {per_capita_income} 元，低于 {x} 元。") == 9
    assert words("{a} is below {b}, at most: 2.50 yuan -") == 8


def test_there_are_sentences():
    assert len(ALL) > 500


@pytest.mark.parametrize("text", ALL)
def test_a_sentence_is_short(text):
    long = [part for part in ENDS_ZH.split(text.zh) if characters(part) > MOST_CHARACTERS]
    long += [part for part in ENDS_EN.split(text.en) if words(part) > MOST_WORDS]
    assert long == []
