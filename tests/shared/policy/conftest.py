"""A small subject matter for the rule language: shops with people and boxes, in one made-up place."""

from collections.abc import Callable
from datetime import date

import pytest

from services.shared.policy.evaluation import PackSet, PreparedPolicy
from services.shared.policy.pack import Pack, load_pack
from services.shared.policy.schema import BOOL, DATE, INT, MONEY, Entity, Fact, Schema, codes

DAY = date(2025, 8, 1)
HEADER = "name,area,value,unit,from,until,rounding,instrument,article,source,confidence,note\n"

SCHEMA = Schema(
    (
        Entity(
            "shop",
            "shops",
            None,
            (Fact.of("area", codes("town", "village")), Fact.of("money", MONEY), Fact.of("open", BOOL)),
        ),
        Entity(
            "person",
            "people",
            "shop",
            (Fact.of("born", DATE), Fact.of("wage", MONEY), Fact.of("kind", codes("boss", "hand")), Fact.of("n", INT)),
            20,
            always_complete=True,
        ),
        Entity("box", "boxes", "person", (Fact.of("full", BOOL), Fact.of("worth", MONEY)), 10),
    )
)


@pytest.fixture
def schema() -> Schema:
    """shop(area, money, open) > people(born, wage, kind, n) > boxes(full, worth)."""
    return SCHEMA


@pytest.fixture
def pack_of() -> Callable[..., Pack]:
    """A pack of rules.toml text, with rows of parameters.csv and lines of pack.toml."""

    def build(rules: str, rows: str = "", head: str = "", place: str = "cn", table: str = "") -> Pack:
        name = "cn" if place == "cn" else f"cn-{place}"
        pack = f'id = "{name}"\nversion = "1"\njurisdiction = "{place}"\nreview = "test"\n'
        pack += 'title = {zh = "例", en = "example"}\nfrom = 2020-01-01\n' + head
        pack += '\n[[instrument]]\nid = "act"\ntitle = "法"\ntitle_en = "Act"\nin_force_from = 2020-01-01\n'
        pack += 'confidence = "verified"\n'
        return load_pack(
            {
                "pack.toml": pack.encode(),
                "rules.toml": rules.encode(),
                "parameters.csv": (table or HEADER + rows).encode(),
            }
        )

    return build


@pytest.fixture
def policy_of(pack_of: Callable[..., Pack]) -> Callable[..., PreparedPolicy]:
    """The policy of one rule or more in the made-up nation."""

    def build(rules: str, rows: str = "", on: date = DAY) -> PreparedPolicy:
        return PackSet(SCHEMA, [pack_of(rules, rows)]).prepare("110000", on)

    return build


@pytest.fixture
def rule() -> Callable[..., str]:
    """The block of one rule."""

    def write(name: str, entity: str, kind: str, expression: str, more: str = "") -> str:
        return f'[[rule]]\nid = "{name}"\nentity = "{entity}"\ntype = "{kind}"\nexpr = """{expression}"""\n{more}\n'

    return write


@pytest.fixture
def shop() -> Callable[..., tuple]:
    """A shop's row; people as (born, wage, kind, n, boxes, whether all boxes are told)."""

    def build(area: object = "town", money: object = 0, is_open: object = True, people: tuple = ()) -> tuple:
        return (area, money, is_open, tuple(people), True)

    return build


@pytest.fixture
def programme() -> Callable[..., str]:
    """The block of one programme, of rules that need sentences and a citation."""

    def write(*conditions: str, more: str = "", name: str = "aid") -> str:
        named = ", ".join(f'"{condition}"' for condition in conditions)
        text = f'[[programme]]\nid = "{name}"\ntier = "basic"\nentity = "shop"\nconditions = [{named}]\n'
        return text + f'decision_level = "county"\nzh = "助"\nen = "aid"\n{more}\n'

    return write
