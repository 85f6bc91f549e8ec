"""Published packs: a version is published once, its text kept as it was, and the newest found by its publishing."""

import json
import re
import shutil
from datetime import datetime, timedelta

import pytest

from services.cli.shipped import PackUnsound, PackVersionChanged, load_policy_packs
from services.eligibility.gateways.pack_folder import SHIPPED, pack_folders, read_pack_files
from services.eligibility.store.pack_proposals import find_proposal, insert_decision, insert_proposal
from services.eligibility.store.policy_packs import find_pack, insert_pack, list_current
from services.shared.policy.pack import load_pack
from services.shared.runtime.clock import CHINA_STANDARD_TIME

BEFORE = datetime(2020, 1, 1, tzinfo=CHINA_STANDARD_TIME)
AFTER = datetime(2100, 1, 1, tzinfo=CHINA_STANDARD_TIME)


@pytest.fixture
def owner(eligibility):
    """The owner, who publishes, in a transaction that is rolled back."""
    with eligibility.owner.connect() as connection:
        yield connection
        connection.rollback()


def test_every_pack_that_ships_is_published_as_it_is_on_disk(eligibility):
    read = eligibility.runtime.database.read
    current = dict(read(list_current))
    for folder in pack_folders(SHIPPED):
        files = read_pack_files(folder)
        pack = load_pack(files)
        found = read(find_pack, pack.id, pack.version)
        assert current[pack.id] == pack.version
        assert found.sha256 == pack.sha256
        assert {name: text.encode() for name, text in found.files.items()} == files
    assert len(current) == len(pack_folders(SHIPPED))


def test_loading_the_same_packs_again_changes_nothing(owner, eligibility):
    before = eligibility.counts()
    load_policy_packs(owner)
    assert (
        owner.exec_driver_sql("select count(*) from eligibility.policy_packs").scalar()
        == before["eligibility.policy_packs"]
    )


def test_one_version_has_one_content(eligibility):
    """The published version is made another than the one on disk; the next `migrate` says so."""
    change = "sha256 = repeat('0', 64)"
    with eligibility.altered("policy_packs", change, "id = 'cn'"), eligibility.owner.connect() as connection:
        with pytest.raises(PackVersionChanged) as refused:
            load_policy_packs(connection)
        connection.rollback()
    assert "cn " in str(refused.value) and "换版本号" in str(refused.value) and "new version" in str(refused.value)


def test_packs_that_do_not_hold_together_are_not_published(owner, eligibility, tmp_path):
    folder = tmp_path / "packs"
    shutil.copytree(SHIPPED, folder)
    unused = '\n[parameter.nobody_asks]\ntype = "int"\nzh = "无人使用"\nen = "nobody asks"\n'
    with (folder / "cn" / "rules.toml").open("a", encoding="utf-8") as rules:
        rules.write(unused)
    before = eligibility.counts()
    with pytest.raises(PackUnsound) as refused:
        load_policy_packs(owner, folder)
    assert "nobody_asks" in str(refused.value) and len(str(refused.value).splitlines()) == 1
    assert eligibility.counts() == before


@pytest.fixture
def by_two_persons(eligibility, owner):
    """A version of Wuhan's pack that two persons published, in the owner's transaction."""
    current = dict(list_current(owner))["cn-420100"]
    found = find_pack(owner, "cn-420100", current)
    files = {**found.files, "pack.toml": found.files["pack.toml"].replace(f'"{current}"', '"people.1"')}
    pack = load_pack({name: text.encode() for name, text in files.items()})
    insert_proposal(owner, "proposal_1", pack, files, "office/a", AFTER)
    proposal = find_proposal(owner, pack.id, pack.version)
    insert_decision(owner, proposal, "PUBLISHED", "office/b", "", AFTER)
    assert insert_pack(owner, pack.id, pack.version, pack.sha256, files, AFTER)
    return pack


def shipped_as(folder, version):
    """The shipped packs with a new version of Wuhan's."""
    shutil.copytree(SHIPPED, folder)
    head = folder / "cn-420100" / "pack.toml"
    head.write_text(re.sub(r'(?m)^version = ".*"', f'version = "{version}"', head.read_text("utf-8")), "utf-8")
    return folder


def test_what_ships_does_not_replace_what_two_persons_published(owner, by_two_persons, tmp_path, capsys):
    load_policy_packs(owner, shipped_as(tmp_path / "packs", "9999.1"))
    assert dict(list_current(owner))["cn-420100"] == "people.1"
    assert find_pack(owner, "cn-420100", "9999.1") is None
    said = capsys.readouterr().err
    assert "people.1" in said and "9999.1" in said and "cn-420100" in said and len(said.splitlines()) == 1


def test_what_ships_replaces_what_shipped(owner, tmp_path, capsys):
    load_policy_packs(owner, shipped_as(tmp_path / "packs", "9999.1"))
    assert dict(list_current(owner))["cn-420100"] == "9999.1"
    assert capsys.readouterr().err == ""


def test_what_ships_must_fit_what_two_persons_published(owner, by_two_persons, tmp_path):
    """The nation's pack no longer knows a parameter that the published pack has figures of."""
    folder = shipped_as(tmp_path / "packs", "9999.1")
    figure = by_two_persons.figures[0].name
    for file in folder.rglob("*.*"):
        file.write_text(re.sub(rf"\b{figure}\b", f"{figure}_renamed", file.read_text("utf-8")), "utf-8")
    with pytest.raises(PackUnsound) as refused:
        load_policy_packs(owner, folder)
    assert figure in str(refused.value) and "cn-420100" in str(refused.value)


def test_a_version_is_not_published_over(owner):
    assert not insert_pack(owner, "cn", dict(list_current(owner))["cn"], "1" * 64, {"pack.toml": "other"}, AFTER)
    assert find_pack(owner, "cn", dict(list_current(owner))["cn"]).sha256 != "1" * 64


def test_the_newest_is_the_one_published_last_whatever_its_name(owner):
    published = dict(list_current(owner))["cn"]
    assert insert_pack(owner, "cn", "9999", "1" * 64, {}, BEFORE)
    assert dict(list_current(owner))["cn"] == published
    assert insert_pack(owner, "cn", "0001", "2" * 64, {}, AFTER)
    assert dict(list_current(owner))["cn"] == "0001"
    assert insert_pack(owner, "cn", "0002", "3" * 64, {}, AFTER + timedelta(seconds=1))
    assert dict(list_current(owner))["cn"] == "0002"


def test_packs_are_listed_page_by_page_in_order(owner):
    whole = list_current(owner)
    assert [pack_id for pack_id, _ in whole] == sorted(pack_id for pack_id, _ in whole)
    pages, after = [], ""
    while page := list_current(owner, after, 3):
        pages += page
        after = page[-1][0]
    assert pages == whole


def test_a_published_version_is_not_changed_over_http(eligibility):
    for method in ("PUT", "DELETE", "PATCH"):
        for path in ("/policy-packs", "/policy-packs/cn/1", "/policy-packs/cn/1/proposal"):
            assert eligibility.call(method, path, "policy_officer", json={}).status_code == 405


@pytest.mark.parametrize("limit", [1, 7, 8, 9, 500])
def test_the_list_over_http_ends_where_the_packs_end(eligibility, limit):
    count = len(pack_folders(SHIPPED))
    found, cursor, pages = [], "", 0
    while cursor is not None:
        answer = eligibility.get("/policy-packs", "portal", params={"limit": limit, "cursor": cursor}).json()
        found, cursor, pages = found + answer["data"], answer["next"], pages + 1
    assert len(found) == count and pages == -(-count // limit)


@pytest.mark.parametrize("limit", [0, 501, "x"])
def test_the_page_is_bounded(eligibility, limit):
    answer = eligibility.get("/policy-packs", "portal", params={"limit": limit})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/query/limit"]


def test_a_pack_is_read_by_the_name_in_an_answer(eligibility):
    pack = eligibility.determined()["packs"][0]
    answer = eligibility.get(f"/policy-packs/{pack['id']}/{pack['version']}", "portal").json()
    assert {key: answer[key] for key in ("id", "version", "sha256")} == pack
    files = {name: text.encode() for name, text in answer["files"].items()}
    assert load_pack(files).sha256 == pack["sha256"]
    assert json.dumps(answer, ensure_ascii=False).count("社会救助") > 0
    assert eligibility.get(f"/policy-packs/{pack['id']}/none", "portal").status_code == 404
