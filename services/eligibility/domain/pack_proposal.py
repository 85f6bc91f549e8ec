"""A proposed policy pack: what it and its files may be called, and what may become of the proposal."""

import re
from collections.abc import Mapping

from services.shared.policy.fault import PackFault
from services.shared.policy.pack import HEAD, Pack
from services.shared.policy.text import Text, written_as
from services.shared.vocabulary.actor import NATION as EVERYWHERE
from services.shared.vocabulary.region import NATION, is_region_code

PROPOSED, PUBLISHED, REFUSED = "PROPOSED", "PUBLISHED", "REFUSED"

_WORD = "[a-z0-9][a-z0-9_-]{0,59}"
FILE_NAME = re.compile(rf"pack\.toml|parameters\.csv|rules\.toml|(rules|cases)/{_WORD}\.toml|parameters/{_WORD}\.csv")
"""What a file of a pack may be called: the names that are read, and nothing that leads out of a folder."""
PACK_ID = re.compile(rf"{NATION}(-[0-9]{{6}})?")
VERSION = re.compile(r"(?!.*[0-9]{11})[0-9A-Za-z][0-9A-Za-z._-]{0,39}")

CORRECT_NAME = Text(
    "只用 pack.toml、parameters.csv、rules.toml，及 rules/、parameters/、cases/ 下的小写文件名",
    "use pack.toml, parameters.csv, rules.toml, and lower-case names in rules/, parameters/ and cases/",
)


class PackVersionTaken(Exception):
    """The pack has a version of that name, proposed or published: a version has one content for ever."""


class PackUnchanged(Exception):
    """Nothing but the version differs from what is in force."""


class PackAlreadyDecided(Exception):
    """The proposal was published or refused before."""


class OwnPackProposal(Exception):
    """Who proposed a pack decides on it too, which takes another person."""


class PacksInForceChanged(Exception):
    """Another pack was published while this one was examined."""


def fault_of_files(files: Mapping[str, str]) -> PackFault | None:
    """What is wrong with the files' names. They are not told: what is no name of ours may be a person's number."""
    if all(FILE_NAME.fullmatch(name) for name in files):
        return None
    return PackFault("?", "files", 0, Text("有文件不属于规则包", "a file's name is none that a pack has"), CORRECT_NAME)


def fault_of_name(pack: Pack) -> PackFault | None:
    """A pack is named after its place, so that who speaks for a place changes no other's; and a version is a word."""
    if pack.jurisdiction != NATION and not is_region_code(pack.jurisdiction):
        problem = Text("jurisdiction 不是行政区划代码", "the jurisdiction is no region's code")
        return PackFault(
            pack.id, HEAD, 0, problem, Text("写六位代码，全国写 cn", "write six digits, or cn for the nation")
        )
    named = NATION if pack.jurisdiction == NATION else f"{NATION}-{pack.jurisdiction}"
    if pack.id != named:
        return PackFault(
            pack.id, HEAD, 0, Text("id 与地区不符", "the id is not its place's"), written_as(f'id = "{named}"')
        )
    if VERSION.fullmatch(pack.version) is None:
        problem = Text("版本号形式不对", "the version has the wrong form")
        return PackFault(pack.id, HEAD, 0, problem, written_as('version = "2026.12.1"'))
    return None


def region_of(jurisdiction: str) -> str:
    """The region that a caller must cover to act on the pack of this jurisdiction."""
    return EVERYWHERE if jurisdiction == NATION else jurisdiction


def differs_only_in_version(
    files: Mapping[str, str], version: str, others: Mapping[str, str], others_version: str
) -> bool:
    """Whether the two are the same text but for the name of the version."""
    return _without(files, version) == _without(others, others_version)


def _without(files: Mapping[str, str], version: str) -> Mapping[str, str]:
    return {**files, HEAD: files.get(HEAD, "").replace(f'"{version}"', "")}
