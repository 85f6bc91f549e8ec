"""What the documents promise can be followed: links lead somewhere, commands exist, both languages say the same."""

import re
import subprocess

import pytest

from services.cli.main import COMMANDS
from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.ledger import AccountKind, TransferCode
from services.payments.domain.reconciliation import ExceptionKind
from services.shared.policy.pack import CONFIDENCES
from tests.architecture import documents as look
from tests.architecture.documents import ROOT

DOCUMENTS = look.documents()
TWINS = [document for document in DOCUMENTS if document.name.endswith(look.TWIN)]

A_PATH = re.compile(r"`((?:services|sandbox|verifier|migrations|deploy|tests|docs|benchmarks)/[\w./-]+\.\w+)`")
A_COMMAND = re.compile(r"(?:^|[\s(`])(?:\./)?doudi ([a-z]+)", re.MULTILINE)
OF_THE_LAUNCHER = {"test"}


def text_of(document):
    return document.read_text(encoding="utf-8")


def each(documents):
    return pytest.mark.parametrize("document", documents, ids=look.name_of)


@each(DOCUMENTS)
def test_relative_links_lead_somewhere(document):
    broken = [f"line {line}: {target}" for line, target in look.links(text_of(document)) if not leads(document, target)]
    assert broken == []


def leads(document, target):
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return True
    path, _, fragment = target.partition("#")
    aim = document if not path else (document.parent / path).resolve()
    if not aim.exists() or not aim.is_relative_to(ROOT):
        return False
    return not fragment or aim.suffix != ".md" or fragment in look.anchors(text_of(aim))


@each(TWINS)
def test_a_twin_has_the_headings_of_its_original(document):
    original = document.with_name(document.name.replace(look.TWIN, ".md"))
    assert original.exists(), f"{look.name_of(document)} translates nothing"
    levels = [[level for level, _ in look.headings(text_of(one))] for one in (document, original)]
    assert levels[0] == levels[1]


@each(TWINS)
def test_a_twin_has_the_commands_of_its_original(document):
    original = document.with_name(document.name.replace(look.TWIN, ".md"))
    assert runnable(document) == runnable(original)


def runnable(document):
    return [block.text for block in look.blocks(text_of(document)) if block.info == "sh run"]


@each(DOCUMENTS)
def test_commands_marked_to_be_run_are_shell(document):
    for block in look.blocks(text_of(document)):
        if block.info == "sh run":
            checked = subprocess.run(["sh", "-n"], input=block.text, text=True, capture_output=True, check=False)
            assert checked.returncode == 0, f"line {block.line}: {checked.stderr}"


@each(DOCUMENTS)
def test_commands_of_doudi_exist(document):
    text = "\n".join(block.text for block in look.blocks(text_of(document)) if block.info.startswith("sh"))
    assert set(A_COMMAND.findall(text)) - set(COMMANDS) - OF_THE_LAUNCHER == set()


@each(DOCUMENTS)
def test_named_files_exist(document):
    named = {path for _, line in look.prose(text_of(document)) for path in A_PATH.findall(line)}
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


EXPLAINED = {
    "docs/how_to/check-the-books.md": [kind.value for kind in ExceptionKind],
    "docs/how_to/check-the-books.zh-CN.md": [kind.value for kind in ExceptionKind],
    "docs/explanation/whose-law-applies-when.md": CONFIDENCES,
    "docs/explanation/whose-law-applies-when.zh-CN.md": CONFIDENCES,
    "ARCHITECTURE.md": [*TransferCode, *AccountKind, *DisbursementState],
}
"""Pages that promise to explain every word of a list in the code."""


@pytest.mark.parametrize("page", EXPLAINED)
def test_a_page_that_explains_a_list_explains_all_of_it(page):
    text = text_of(ROOT / page)
    assert [word for word in EXPLAINED[page] if not re.search(rf"\b{word}\b", text)] == []


@pytest.mark.parametrize("folder", ["", *look.FOLDERS])
def test_the_reader_sees_the_documents_of_each_folder(folder):
    assert ROOT / folder / "README.md" in DOCUMENTS


def test_the_reader_sees_links_blocks_and_headings():
    text = "# One\n\n[a](b.md#c) `[no](x)`\n\n```sh run\necho '# no'\n[no](y)\n```\n\n## One\n"
    assert look.links(text) == [(3, "b.md#c")]
    assert look.headings(text) == [(1, "One"), (2, "One")]
    assert look.anchors(text) == {"one", "one-1"}
    [block] = look.blocks(text)
    assert (block.info, block.text) == ("sh run", "echo '# no'\n[no](y)\n")
