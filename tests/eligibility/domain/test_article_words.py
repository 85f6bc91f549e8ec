"""Articles and sections of Chinese instruments, as an English text cites them."""

import pytest

from services.eligibility.domain.article_words import article_in_english
from services.eligibility.gateways.pack_folder import read_packs

CITED = {
    citation.article
    for pack in read_packs()
    for rule in (*pack.rules, *(item.when for item in pack.exceptions))
    for citation in rule.citations
} | {figure.citation.article for pack in read_packs() for figure in pack.figures}


@pytest.mark.parametrize(
    ("article", "english"),
    [
        ("第八条", "Art. 8"),
        ("第十条", "Art. 10"),
        ("第十三条", "Art. 13"),
        ("第二十条", "Art. 20"),
        ("第四十二条", "Art. 42"),
        ("第一百零二条", "Art. 102"),
        ("第一百二十条", "Art. 120"),
        ("第十二条第三款", "Art. 12(3)"),
        ("第十二条第三款第（二）项", "Art. 12(3)(2)"),
        ("一", "I"),
        ("四（五）", "IV (5)"),
        ("十一（二）", "XI (2)"),
        ("二（三）13", "II (3) 13"),
        ("", ""),
        ("附件", "附件"),
    ],
)
def test_articles_are_spelt_in_english(article, english):
    assert article_in_english(article) == english


def test_all_that_packs_cite_is_spelt():
    spelt = {article: article_in_english(article) for article in CITED}
    assert len(spelt) > 20
    assert [article for article, english in spelt.items() if article and not english.isascii()] == []
