"""What packs say to people is short and plain: 40 characters or 20 words a sentence, of the glossary's words."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.eligibility.gateways.pack_folder import read_packs
from services.shared.policy.pack import Pack
from services.shared.policy.text import Text

MOST_CHARACTERS, MOST_WORDS = 40, 20
VALUE = re.compile(r"\{\w+\}")
ENDS_ZH, ENDS_EN = re.compile("[。；！？]"), re.compile(r"[.;!?](?:\s|$)")
MARKS = re.compile(r"[\s，、：（）()〔〕“”‘’《》—\-−+×=/,.:'\"]")
PACKS = read_packs()


def said_to_people(pack: Pack) -> Iterator[tuple[str, Text]]:
    """Every text of an answer, with the place where it is written."""
    for rule in (*pack.rules, *(item.when for item in pack.exceptions)):
        for name in ("holds", "fails", "open", "at_the_line"):
            if getattr(rule, name) is not None:
                yield f"{rule.id} {name}", getattr(rule, name)
    for document in pack.documents:
        yield f"document {document.id}", document.text
        if document.held_by is not None:
            yield f"document {document.id} held_by", document.held_by
    yield from ((f"presumption {item.entity}.{item.key}", item.text) for item in pack.presumptions)


def names(pack: Pack) -> Iterator[tuple[str, Text]]:
    """What programmes, departments, parameters and rules are called: official names, and words for who keeps packs."""
    for programme in pack.programmes:
        yield f"programme {programme.id}", programme.text
        if programme.department is not None:
            yield f"programme {programme.id} department", programme.department
    yield from ((f"linked {item.figure}", item.text) for item in pack.linked)
    yield from ((f"parameter {name}", item.text) for name, item in pack.declarations.items())
    yield from ((f"term {name}", text) for name, text in pack.terms.items())


SAID = [pytest.param(text, id=f"{pack.id} {where}") for pack in PACKS for where, text in said_to_people(pack)]
ALL = [*SAID, *(pytest.param(text, id=f"{pack.id} {where}") for pack in PACKS for where, text in names(pack))]
GLOSSARY = Path(__file__).parents[3] / "docs/reference"


def plain_words(language: str) -> frozenset[str]:
    """The glossary's plain list: words apart by spaces, lines of # left out."""
    lines = (GLOSSARY / f"plain-words.{language}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


ZH, EN = plain_words("zh"), plain_words("en")
LONGEST = max(map(len, ZH))


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


# --- plain words -----------------------------------------------------------------------------------------------------


def strange_zh(sentence):
    """What is left of each run of characters when the longest listed word is cut off again and again."""
    for run in re.findall("[\u4e00-\u9fff]+", VALUE.sub(" ", sentence)):
        while run:
            length = next((n for n in range(min(LONGEST, len(run)), 0, -1) if run[:n] in ZH), 0)
            if length == 0:
                yield run
                break
            run = run[length:]


def strange_en(sentence):
    return [word for word in re.findall("[a-z][a-z'-]*", VALUE.sub("", sentence).lower()) if word not in EN]


@pytest.mark.parametrize("text", SAID)
def test_a_sentence_is_of_plain_words(text):
    """A word that fails is reworded, or put on the list when anyone would say it to a neighbour."""
    assert list(strange_zh(text.zh)) == []
    assert strange_en(text.en) == []


def test_a_word_that_is_not_listed_is_seen():
    assert list(strange_zh("超过起付标准 {x} 元")) == ["起付标准"]
    assert strange_en("the deductible is {deductible}") == ["deductible"]


@pytest.mark.parametrize("jargon", ["补差", "起付", "认缴", "施保", "计发", "核算", "口径", "义务人", "增发", "供养费"])
def test_the_list_holds_no_jargon(jargon):
    assert not [word for word in ZH if jargon in word]


@pytest.mark.parametrize("jargon", ["imputed", "deductible", "multiplier", "comparator", "disregard", "pursuant"])
def test_the_english_list_holds_none_either(jargon):
    assert jargon not in EN


def test_every_listed_word_is_used():
    """The list grows with the sentences and shrinks with them."""
    used = {word for parameter in SAID for word in re.findall("[a-z][a-z'-]*", parameter.values[0].en.lower())}
    assert EN - used - {"a"} == frozenset()
