"""`doudi pack new`: the folder of a pack to begin with, which is sound as it stands."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from services.cli.output import console, refuse
from services.shared.policy.pack import FIGURE_COLUMNS
from services.shared.runtime.clock import system_now
from services.shared.vocabulary.region import NATION, place_of

PACK_ID = re.compile(rf"{NATION}-(?P<code>[0-9]{{6}})")
MAX_TITLE = 80

HEAD = """\
# 本规则包的地区、依据文件和授权。文件内容一经发布不再更改：改动要换 version。
# The place, the instruments and who decides. Once published it never changes: a change is a new version.
id = "{id}"
version = "{version}"
jurisdiction = "{code}"
parent = "{parent}"
title = {{ zh = {title}, en = {title_en} }}
review = "Draft; not signed off by an authority."

# 每份依据文件一段；标准和规则用 id 引用它。去掉行首的 # 后填写。
# One block for each instrument; figures and rules name its id. Take away the # and fill it in.
# [[instrument]]
# id = "standards_{year}"
# title = "（文件名称和文号）"
# title_en = "(title and number of the document)"
# in_force_from = {today}
# confidence = "memory_low"
"""
RULES = """\
# 只写与上级不同的规则；没有就留空。
# Only rules that differ from those of the places above; leave it empty where none do.
"""
FIGURES = ",".join((*FIGURE_COLUMNS[:1], "area_type", *FIGURE_COLUMNS[1:])) + "\n"
CASES = """\
# 每条标准至少写一个案例：恰在界线上，以及多一分、少一分。
# A case at least for each figure: at the line, a fen above and a fen below.
# expect = {{ results = [{{ programme = "dibao", outcome = "eligible", monthly = "..." }}] }}

[base.person]
as_of = "{today}"
region = "{code}"
programmes = ["dibao"]

[base.person.household]
area_type = "urban"
assets = {{ financial = "0.00", vehicles = [], homes = 1, non_residential = 0, businesses = [] }}
members = [{{ id = "m1", relation = "head", birth_date = "1980-01-15" }}]

[[case]]
name = "the place is ours"
base = "person"
expect = {{ region = "{code}" }}
"""


def new(
    pack_id: Annotated[str, typer.Argument(help="The pack's id, cn- and the region's six digits.")],
    parent: Annotated[str, typer.Option(help="The pack above: cn, or the province's or city's.")],
    title: Annotated[str, typer.Option(help="The place's name in Chinese.")],
    title_en: Annotated[str, typer.Option(help="The place's name in English; its code when left out.")] = "",
    into: Annotated[Path, typer.Option(help="Where the folder is made.")] = Path(),
) -> None:
    """Start a policy pack: a folder with an instrument to fill in, an empty table, no rules and one golden case."""
    code = _code(pack_id)
    _check_parent(parent, code)
    if not 0 < len(title.strip()) <= MAX_TITLE or len(title_en) > MAX_TITLE:
        refuse(f"标题应为 1 至 {MAX_TITLE} 个字符 / a title has 1 to {MAX_TITLE} characters")
    folder = into / pack_id
    try:
        folder.mkdir(parents=True)
        _write(folder, code, parent, title.strip(), title_en.strip() or code, system_now().date())
    except FileExistsError:
        refuse(f"文件夹已存在，未作改动 / the folder is there already and was left as it is: {folder}")
    except OSError as error:
        refuse(f"无法写入 / cannot be written: {folder} ({error.strerror})")
    console.print(f"已建立 / made: {folder}", markup=False)
    console.print(f"下一步 / next: doudi pack validate {folder}", markup=False)


def _code(pack_id: str) -> str:
    found = PACK_ID.fullmatch(pack_id)
    if found is None or place_of(found["code"]) is None:
        refuse("规则包的 id 应为 cn- 加六位行政区划代码 / a pack's id is cn- and the six digits of a place that exists")
    return found["code"]


def _check_parent(parent: str, code: str) -> None:
    above = [NATION, f"{NATION}-{code[:2]}0000", f"{NATION}-{code[:4]}00"]
    if parent not in above or parent == f"{NATION}-{code}":
        refuse("上级规则包应属于上级地区，如 cn 或省级 / the parent is a pack above the place: cn, or its province's")


def _write(folder: Path, code: str, parent: str, title: str, title_en: str, today: date) -> None:
    filling = {
        "id": f"{NATION}-{code}",
        "version": f"{today.year}.{today.month}.1",
        "code": code,
        "parent": parent,
        "title": _quoted(title),
        "title_en": _quoted(title_en),
        "year": today.year,
        "today": today.isoformat(),
    }
    files = {
        "pack.toml": HEAD.format(**filling),
        "parameters.csv": FIGURES,
        "rules.toml": RULES,
        "cases/first.toml": CASES.format(**filling),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _quoted(text: str) -> str:
    """A TOML string: what JSON escapes, TOML escapes alike."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
