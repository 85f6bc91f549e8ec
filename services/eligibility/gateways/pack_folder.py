"""Reads policy packs from their folders on disk."""

from collections.abc import Mapping
from pathlib import Path

from services.shared.policy.fault import PackFault
from services.shared.policy.pack import HEAD, PACK_FILES, Pack, load_pack
from services.shared.policy.pack_text import KEEP_SMALLER, MAX_FILE_BYTES, MAX_FILES, TOO_LARGE
from services.shared.policy.text import Text

SHIPPED = Path(__file__).parent.parent / "policy_packs"
"""The packs that come with the service."""

MAX_PACKS = 5_000


def read_pack_files(folder: Path) -> Mapping[str, bytes]:
    """The files of one pack by their name inside its folder. Raises PackFault when there are too many or too large."""
    paths = sorted(path for pattern in PACK_FILES for path in folder.glob(pattern))
    if len(paths) > MAX_FILES:
        problem = Text(f"规则包的文件超过 {MAX_FILES} 个", f"the pack has more than {MAX_FILES} files")
        remedy = Text("把案例合并到较少的文件中", "split its cases less finely")
        raise PackFault(folder.name, HEAD, 0, problem, remedy)
    for path in paths:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PackFault(folder.name, path.name, 0, TOO_LARGE, KEEP_SMALLER)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def pack_folders(folder: Path = SHIPPED) -> tuple[Path, ...]:
    """The pack folders in `folder`, or `folder` itself when it is one."""
    if (folder / HEAD).is_file():
        return (folder,)
    found = tuple(sorted(path.parent for path in folder.glob(f"*/{HEAD}")))
    if not found or len(found) > MAX_PACKS:
        problem = Text("此处没有规则包，或规则包过多", "there are no packs here, or too many")
        remedy = Text("指定含有规则包的文件夹", "name a folder that holds packs")
        raise PackFault(folder.name, HEAD, 0, problem, remedy)
    return found


def read_packs(folder: Path = SHIPPED) -> tuple[Pack, ...]:
    """Every pack in `folder`. Raises PackFault for the first that is not as a pack is written."""
    return tuple(load_pack(read_pack_files(path)) for path in pack_folders(folder))
