"""The repository's documents as tests look at them: what is prose, what is a code block, what is a link."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TWIN = ".zh-CN.md"
FOLDERS = ("docs", "benchmarks", "deploy")

_FENCE = re.compile(r"^ *(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$")
_INLINE_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
_NOT_IN_AN_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced code block: its info string, the line it begins in, its text."""

    info: str
    line: int
    text: str


def documents() -> list[Path]:
    """Every Markdown file that a reader is led to: those beside README.md, and all below FOLDERS."""
    below = (file for folder in FOLDERS for file in (ROOT / folder).rglob("*.md"))
    return sorted([*ROOT.glob("*.md"), *below])


def name_of(document: Path) -> str:
    """The document's path in the repository."""
    return document.relative_to(ROOT).as_posix()


def prose(text: str) -> list[tuple[int, str]]:
    """The numbered lines outside code blocks."""
    return [(number, line) for number, line, block in _lines(text) if block is None]


def blocks(text: str) -> list[Block]:
    """The fenced code blocks."""
    found: dict[int, tuple[str, list[str]]] = {}
    for _, line, block in _lines(text):
        if block is not None:
            found.setdefault(block[0], (block[1], []))[1].append(line)
    return [Block(info, begin, "\n".join(lines[1:-1]) + "\n") for begin, (info, lines) in found.items()]


def headings(text: str) -> list[tuple[int, str]]:
    """The headings outside code blocks: level and words."""
    matches = [_HEADING.match(line) for _, line in prose(text)]
    return [(len(match[1]), match[2]) for match in matches if match]


def anchors(text: str) -> set[str]:
    """The fragments under which a reader's browser finds the headings."""
    found: dict[str, int] = {}
    for _, words in headings(text):
        anchor = _NOT_IN_AN_ANCHOR.sub("", words.lower()).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
    return {anchor if not n else f"{anchor}-{n}" for anchor, last in found.items() for n in range(last + 1)}


def links(text: str) -> list[tuple[int, str]]:
    """The targets of links, each with its line."""
    plain = [(number, _INLINE_CODE.sub("", line)) for number, line in prose(text)]
    return [(number, target) for number, line in plain for target in _LINK.findall(line)]


def _lines(text: str) -> Iterator[tuple[int, str, tuple[int, str] | None]]:
    fence, block = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        match = _FENCE.match(line)
        if block is None and match:
            fence, block = match[1], (number, match[2].strip())
            yield number, line, block
        elif block is not None and match and match[1].startswith(fence) and not match[2].strip():
            yield number, line, block
            block = None
        else:
            yield number, line, block
