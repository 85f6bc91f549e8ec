"""A pack that changes is looked at with those that stand on it: what is found of them is what is found of all."""

import pytest

from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.checks import findings_of, standing_on
from services.shared.policy.evaluation import PackSet

PACKS = read_packs()


@pytest.fixture(scope="module")
def packs() -> PackSet:
    return pack_set_of(PACKS)


@pytest.fixture(scope="module")
def everything(packs: PackSet) -> list[tuple[str, str]]:
    return [(finding.pack, str(finding)) for finding in findings_of(packs)]


@pytest.mark.parametrize("name", [pack.id for pack in PACKS if pack.id != "cn"])
def test_what_is_found_of_some_is_what_all_have(packs: PackSet, everything: list[tuple[str, str]], name: str) -> None:
    pack = next(pack for pack in packs.packs if pack.id == name)
    some = standing_on(packs, pack)
    found = [(finding.pack, str(finding)) for finding in findings_of(packs, some)]
    assert found == [(whose, what) for whose, what in everything if whose in some]


def test_all_stand_on_the_nations_and_a_county_alone_on_its_own(packs: PackSet) -> None:
    by_id = {pack.id: pack for pack in packs.packs}
    assert standing_on(packs, by_id["cn"]) == by_id.keys()
    assert standing_on(packs, by_id["cn-530113"]) == {"cn-530113"}
    assert {"cn-530000", "cn-530113"} <= standing_on(packs, by_id["cn-530000"])
    assert not standing_on(packs, by_id["cn-530000"]) & {"cn", "cn-420000"}
