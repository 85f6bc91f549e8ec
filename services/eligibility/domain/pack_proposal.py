"""A proposed policy pack: what its files may be called and weigh, and what may become of the proposal."""

import re
from collections.abc import Iterator, Mapping

from services.shared.policy.fault import PackFault
from services.shared.policy.pack import HEAD, Pack
from services.shared.policy.pack_text import KEEP_SMALLER, MAX_FILE_BYTES, TOO_LARGE
from services.shared.policy.text import Text, written_as
from services.shared.vocabulary.actor import NATION as EVERYWHERE
from services.shared.vocabulary.region import NATION, is_region_code

PROPOSED, PUBLISHED, REFUSED = "PROPOSED", "PUBLISHED", "REFUSED"

MAX_FILES, MAX_PACK_BYTES = 500, 4_000_000
"""The nation's pack with its cases has some thirty files and half a megabyte."""
MAX_KEY_PARTS = 16
"""A TOML key of thousands of parts takes the reader time by their square."""

_WORD = "[a-z0-9][a-z0-9_-]{0,59}"
FILE_NAME = re.compile(rf"pack\.toml|parameters\.csv|rules\.toml|(rules|cases)/{_WORD}\.toml|parameters/{_WORD}\.csv")
"""What a file of a pack may be called: the names that are read, and nothing that leads out of a folder."""
VERSION = re.compile(r"(?!.*[0-9]{11})[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
_KEY_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w-]){_KEY_PART}(?:[ \t]*+\.[ \t]*+{_KEY_PART}){{{MAX_KEY_PARTS}}}")

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


def faults_of_files(files: Mapping[str, str]) -> Iterator[PackFault]:
    """What is wrong with the files before anything in them is read: too many, too large, or wrongly named."""
    sizes = {name: len(content.encode()) for name, content in files.items()}
    if len(files) > MAX_FILES:
        problem = Text(f"规则包的文件超过 {MAX_FILES} 个", f"the pack has more than {MAX_FILES} files")
        yield _fault(HEAD, problem, Text("把案例合并到较少的文件中", "split its cases less finely"))
    elif any(FILE_NAME.fullmatch(name) is None for name in files):
        # Not named: what is no name of ours may be anything, a person's number included.
        yield _fault("files", Text("有文件不属于规则包", "a file's name is none that a pack has"), CORRECT_NAME)
    elif sum(sizes.values()) > MAX_PACK_BYTES:
        whole = Text(f"规则包总共超过 {MAX_PACK_BYTES} 字节", f"the pack is larger than {MAX_PACK_BYTES} bytes in all")
        yield _fault(HEAD, whole, Text("删去不用的案例", "remove cases that prove nothing more"))
    else:
        yield from (_fault(name, TOO_LARGE, KEEP_SMALLER) for name, size in sizes.items() if size > MAX_FILE_BYTES)
        yield from (
            _fault(name, *_long_key())
            for name, text in files.items()
            if name[-5:] == ".toml" and _LONG_KEY.search(text)
        )


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


def _long_key() -> tuple[Text, Text]:
    problem = Text(f"有键超过 {MAX_KEY_PARTS} 段", f"a key has more than {MAX_KEY_PARTS} parts")
    return problem, Text("缩短该键", "shorten the key")


def _fault(where: str, problem: Text, remedy: Text) -> PackFault:
    return PackFault("?", where, 0, problem, remedy)
