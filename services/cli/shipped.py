"""What each service's migration loads beside its tables."""

from sqlalchemy import Connection

from services.cli.migration import MigrationRefused, ShippedData
from services.eligibility.gateways.pack_folder import pack_folders, read_pack_files
from services.eligibility.store import policy_packs
from services.payments.use_cases.load_calendar import load_calendar
from services.shared.policy.pack import load_pack
from services.shared.runtime.clock import system_now


class PackVersionChanged(MigrationRefused):
    """A pack that ships has the version of one that is published, and other content."""

    def __init__(self, pack_id: str, version: str) -> None:
        super().__init__(
            f"规则包 {pack_id} {version} 的内容与已发布的不同：内容变了就要换版本号 / "
            f"pack {pack_id} {version} differs from what was published: give changed content a new version"
        )


def load_policy_packs(owner: Connection) -> None:
    """Publish every pack that ships. Raises PackVersionChanged for a published version with other content."""
    for folder in pack_folders():
        files = read_pack_files(folder)
        pack = load_pack(files)
        text = {name: content.decode() for name, content in files.items()}
        if policy_packs.insert_pack(owner, pack.id, pack.version, pack.sha256, text, system_now()):
            continue
        if policy_packs.find_hash(owner, pack.id, pack.version) != pack.sha256:
            raise PackVersionChanged(pack.id, pack.version)


def load_calendar_years(owner: Connection) -> None:
    """Load the working days that the State Council has announced, years that are there already left alone."""
    load_calendar(owner, system_now())


SHIPPED: dict[str, ShippedData] = {"eligibility": load_policy_packs, "payments": load_calendar_years}
