"""The page on what may be drawn together lists what the national pack excludes, in both languages."""

import re
from pathlib import Path

import pytest

from services.eligibility.gateways.pack_folder import read_packs

PAGES = Path(__file__).parents[3] / "docs" / "explanation"
LAYERS = {"dibao", "dibao_margin", "rigid_expenditure"}
"""Statuses of a household, which exclude each other by their own tests or once confirmed: told in a sentence."""


@pytest.mark.parametrize("language", ["", ".zh-CN"])
def test_the_page_lists_every_exclusion(language):
    page = (PAGES / f"what-may-be-drawn-together{language}.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.MULTILINE))
    nation = next(pack for pack in read_packs() if pack.id == "cn")
    assert listed == {(item.winner, item.loser) for item in nation.exclusions if item.winner not in LAYERS}
