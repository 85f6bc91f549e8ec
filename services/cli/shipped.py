"""What each service's migration loads beside its tables."""

from pathlib import Path

from sqlalchemy import Connection

from services.cli.migration import MigrationRefused, ShippedData
from services.eligibility.gateways.pack_folder import SHIPPED as SHIPPED_PACKS
from services.eligibility.gateways.pack_folder import pack_folders, read_pack_files
from services.eligibility.store import policy_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.payments.use_cases.load_calendar import load_calendar
from services.shared.policy.checks import check
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import load_pack
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
    """Publish every pack in `folder`, checked together first.

    Raises PackUnsound, and PackVersionChanged for a published version with other content.
    """
    try:
        shipped = [read_pack_files(path) for path in pack_folders(folder)]
        packs = [load_pack(files) for files in shipped]
        check(pack_set_of(packs))
    except PackFault as fault:
        raise PackUnsound(fault) from None
    for files, pack in zip(shipped, packs, strict=True):
        text = {name: content.decode() for name, content in files.items()}
        if policy_packs.insert_pack(owner, pack.id, pack.version, pack.sha256, text, system_now()):
            continue
        if policy_packs.find_hash(owner, pack.id, pack.version) != pack.sha256:
            raise PackVersionChanged(pack.id, pack.version)


def load_calendar_years(owner: Connection) -> None:
    """Load the working days that the State Council has announced, years that are there already left alone."""
    load_calendar(owner, system_now())


SHIPPED: dict[str, ShippedData] = {"eligibility": load_policy_packs, "payments": load_calendar_years}
