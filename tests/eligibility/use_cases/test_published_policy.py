"""The packs of one process: kept while nothing is published, read anew when something is, bounded for replays."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from services.eligibility.store.policy_packs import find_pack, insert_pack
from services.eligibility.use_cases import published_policy
from services.eligibility.use_cases.published_policy import MAX_OLD_SETS, PackAltered, PublishedPolicy
from services.shared.policy.pack import fingerprint
from services.shared.runtime.clock import system_now


@pytest.fixture
def policy(eligibility):
    return PublishedPolicy(eligibility.runtime.database)


def publish(eligibility, version):
    """The pack of Wuhan again under another version; its identity."""
    [(current,)] = eligibility.rows(
        "select version from eligibility.policy_packs where id = 'cn-420100' order by loaded_at limit 1"
    )
    found = eligibility.runtime.database.read(find_pack, "cn-420100", current)
    files = {name: text.replace(f'"{current}"', f'"{version}"') for name, text in found.files.items()}
    sha256 = fingerprint({name: text.encode() for name, text in files.items()})
    with eligibility.owner.begin() as owner:
        assert insert_pack(owner, "cn-420100", version, sha256, files, system_now())
    return {"id": "cn-420100", "version": version, "sha256": sha256}


def identities(packs):
    return [pack.identity for pack in packs.packs]


def test_what_is_published_is_read_once_and_kept(eligibility, policy, monkeypatch):
    first = policy.current()
    assert policy.current() is first
    newer = publish(eligibility, "kept.1")
    assert policy.current() is first, "within the time of a look"
    monkeypatch.setattr(published_policy, "REFRESH_SECONDS", -1.0)
    assert newer in identities(policy.current())
    assert policy.current() is policy.current(), "nothing new, nothing read"


def test_many_at_once_share_one_set(policy):
    with ThreadPoolExecutor(8) as pool:
        assert len({id(found) for found in pool.map(lambda _: policy.current(), range(32))}) == 1


def test_a_determinations_packs_are_exactly_those_that_it_names(eligibility, policy):
    named = eligibility.determined()["packs"]
    assert sorted(identities(policy.named(named)), key=str) == sorted(named, key=str)
    assert policy.named(named) is policy.named(named)


def test_sets_for_replays_are_bounded_and_the_one_used_last_stays(eligibility, policy):
    nation = next(pack for pack in eligibility.determined()["packs"] if pack["id"] == "cn")
    sets = [[nation, publish(eligibility, f"bound.{number}")] for number in range(MAX_OLD_SETS + 1)]
    kept = [policy.named(each) for each in sets[:MAX_OLD_SETS]]
    assert policy.named(sets[0]) is kept[0]
    policy.named(sets[-1])
    assert policy.named(sets[0]) is kept[0], "asked for again, so it is not the oldest"
    assert policy.named(sets[1]) is not kept[1]


@pytest.mark.parametrize("changes", [{"version": "none"}, {"id": "none"}, {"sha256": "0" * 64}])
def test_a_pack_that_is_not_there_or_another_is_refused(eligibility, policy, changes):
    named = {**eligibility.determined()["packs"][0], **changes}
    with pytest.raises(PackAltered) as refused:
        policy.named([named])
    assert (refused.value.pack_id, refused.value.version) == (named["id"], named["version"])
