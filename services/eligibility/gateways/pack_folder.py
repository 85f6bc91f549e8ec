"""Reads policy packs from their folders on disk."""

from collections.abc import Mapping
from pathlib import Path

from services.shared.policy.fault import PackFault
from services.shared.policy.pack import MAX_FILE_BYTES, Pack, load_pack

SHIPPED = Path(__file__).parent.parent / "policy_packs"
"""The packs that come with the service."""

MAX_PACKS, MAX_FILES = 5_000, 1_000
HEAD = "pack.toml"


def read_pack_files(folder: Path) -> Mapping[str, bytes]:
    """The files of one pack by their name inside its folder. Raises PackFault when there are too many or too large."""
    paths = sorted(path for pattern in ("*.toml", "*.csv", "cases/*.toml") for path in folder.glob(pattern))
    if len(paths) > MAX_FILES:
        raise PackFault(
            folder.name, HEAD, 0, f"the pack has more than {MAX_FILES} files", "split its cases less finely"
        )
    for path in paths:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PackFault(folder.name, path.name, 0, "the file is too large", f"keep it below {MAX_FILE_BYTES} bytes")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def pack_folders(folder: Path = SHIPPED) -> tuple[Path, ...]:
    """The pack folders in `folder`, or `folder` itself when it is one."""
    if (folder / HEAD).is_file():
        return (folder,)
    found = tuple(sorted(path.parent for path in folder.glob(f"*/{HEAD}")))
    if not found or len(found) > MAX_PACKS:
        raise PackFault(folder.name, HEAD, 0, "there are no packs here, or too many", "name a folder that holds packs")
    return found


def read_packs(folder: Path = SHIPPED) -> tuple[Pack, ...]:
    """Every pack in `folder`. Raises PackFault for the first that is not as a pack is written."""
    return tuple(load_pack(read_pack_files(path)) for path in pack_folders(folder))
