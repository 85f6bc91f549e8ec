"""What each service's migration loads beside its tables."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection

from services.cli.migration import MigrationRefused, ShippedData
from services.cli.output import errors
from services.eligibility.gateways.pack_folder import SHIPPED as SHIPPED_PACKS
from services.eligibility.gateways.pack_folder import pack_folders, read_pack_files
from services.eligibility.store import policy_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.payments.use_cases.load_calendar import load_calendar
from services.shared.policy.checks import check
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import Pack, load_pack
from services.shared.runtime.clock import system_now


class PackVersionChanged(MigrationRefused):
    """A pack that ships has the version of one that is published, and other content."""

    def __init__(self, pack_id: str, version: str) -> None:
        super().__init__(
            f"规则包 {pack_id} {version} 的内容与已发布的不同：内容变了就要换版本号 / "
            f"pack {pack_id} {version} differs from what was published: give changed content a new version"
        )


class PackUnsound(MigrationRefused):
    """A pack that ships does not hold together; nothing was published."""

    def __init__(self, fault: PackFault) -> None:
        super().__init__(f"规则包有误，未发布 / a policy pack is unsound and nothing was published: {fault}")


def load_policy_packs(owner: Connection, folder: Path = SHIPPED_PACKS) -> None:
    """Publish every pack in `folder`, checked first together with those that stay in force.

    What two persons published stays: of its place, what ships is for them to propose, and a line says so.
    Raises PackUnsound, and PackVersionChanged for a published version with other content.
    """
    policy_packs.lock_publishing(owner)
    try:
        staying = {pack.id: pack for pack in _published_by_people(owner)}
        shipped = [(load_pack(files), files) for files in map(read_pack_files, pack_folders(folder))]
        new = [(pack, files) for pack, files in shipped if pack.id not in staying]
        check(pack_set_of([*staying.values(), *(pack for pack, _ in new)]))
    except PackFault as fault:
        raise PackUnsound(fault) from None
    for pack, files in new:
        _publish(owner, pack, files)
    for pack, _ in shipped:
        if pack.id in staying and policy_packs.find_hash(owner, pack.id, pack.version) is None:
            _say_that_it_stays(staying[pack.id], pack)


def _published_by_people(owner: Connection) -> Iterator[Pack]:
    for pack_id, version in policy_packs.list_published_by_people(owner):
        found = policy_packs.find_pack(owner, pack_id, version)
        assert found is not None  # it was listed in this transaction
        yield load_pack({name: text.encode() for name, text in found.files.items()})


def _publish(owner: Connection, pack: Pack, files: Mapping[str, bytes]) -> None:
    text = {name: content.decode() for name, content in files.items()}
    if policy_packs.insert_pack(owner, pack.id, pack.version, pack.sha256, text, system_now()):
        return
    if policy_packs.find_hash(owner, pack.id, pack.version) != pack.sha256:
        raise PackVersionChanged(pack.id, pack.version)


def _say_that_it_stays(staying: Pack, shipped: Pack) -> None:
    errors.print(
        f"规则包 {staying.id}：两人发布的 {staying.version} 仍有效；随软件的 {shipped.version} 须由两人提出并发布 / "
        f"pack {staying.id}: {staying.version}, which two persons published, stays; "
        f"{shipped.version}, which ships, is for them to propose",
        markup=False,
    )


def load_calendar_years(owner: Connection) -> None:
    """Load the working days that the State Council has announced, years that are there already left alone."""
    load_calendar(owner, system_now())


SHIPPED: dict[str, ShippedData] = {"eligibility": load_policy_packs, "payments": load_calendar_years}
