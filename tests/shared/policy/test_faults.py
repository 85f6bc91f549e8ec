"""Every refusal of a pack speaks Chinese and English, of the same names, in one line."""

import ast
import re
from pathlib import Path

import pytest

from services.shared.policy import schema
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import load_pack
from services.shared.policy.text import Text, one_of, written_as

SERVICES = Path(__file__).parents[3] / "services"
SOURCES = (*sorted((SERVICES / "shared/policy").rglob("*.py")), SERVICES / "eligibility/gateways/pack_folder.py")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def calls(name):
    """Each call in the sources of what matches `name`, with its place."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and re.fullmatch(name, called(node)):
                yield pytest.param(node, id=f"{source.name}:{node.lineno}")


def called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def is_sentence(node):
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def said(node):
    """The words of a sentence, without what is put into it."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(part.value for part in parts if isinstance(part, ast.Constant))


def names(node):
    """What is put into a sentence: {kind.zh} and {kind} are of one name, and {zh} and {en} are each the sentence's."""
    put_in = [part for part in ast.walk(node) if isinstance(part, ast.FormattedValue)]
    found = [name.id for part in put_in for name in ast.walk(part) if isinstance(name, ast.Name)]
    return sorted("said" if name in ("zh", "en") else name for name in found)


SENTENCES = [param for param in calls("Text") if any(map(is_sentence, param.values[0].args))]
REFUSALS = list(calls("PackFault|_refuse"))


def test_the_sources_are_looked_at():
    assert len(SENTENCES) > 100
    assert len(REFUSALS) > 70


@pytest.mark.parametrize("text", SENTENCES)
def test_a_text_says_the_same_of_the_same_names_in_both_languages(text):
    zh, en = text.args
    assert is_sentence(zh) and is_sentence(en)
    assert CHINESE.search(said(zh))
    assert en_is_ascii(en)
    assert names(zh) == names(en)


def en_is_ascii(node):
    return said(node).isascii() and bool(re.search("[a-z]", said(node)))


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_ends_in_a_problem_and_a_remedy_that_are_no_bare_sentences(refusal):
    """The type checker knows them for texts; this holds for a reader without one."""
    assert not refusal.keywords
    given = refusal.args[-1:] if isinstance(refusal.args[-1], ast.Starred) else refusal.args[-2:]
    assert [part for part in given if is_sentence(part)] == []


def test_a_fault_is_one_line_of_both_languages():
    fault = PackFault("cn", "rule a.b", 3, Text("问题", "problem"), Text("办法", "remedy"))
    assert str(fault) == "cn: rule a.b, column 3: 问题；办法 / problem; remedy"
    assert str(PackFault("cn", "x", 0, *fault.args[3:])) == "cn: x: 问题；办法 / problem; remedy"
    assert str(PackFault("cn", "row 2 (a\nb\r\nc)", 0, *fault.args[3:])).splitlines() == [
        "cn: row 2 (a b c): 问题；办法 / problem; remedy"
    ]


def test_the_shared_remedies_are_in_both_languages():
    assert written_as("x = 1").both == "写成 x = 1 / write x = 1"
    assert one_of(("a", "b")).both == "只能使用：a, b / use one of: a, b"


def test_every_kind_has_a_chinese_name():
    named = [value for value in vars(schema).values() if isinstance(value, schema.Kind)]
    assert len(named) == 8
    assert all(CHINESE.search(kind.zh) for kind in (*named, schema.codes("a", "b")))


@pytest.mark.parametrize(
    ("line", "zh"),
    [
        ("rule = 3", "rule 必须是表的列表；写成 [[rule]]"),
        ("[[rule]]\nid = 1", "type 必须是文本；写成 type = ..."),
        ("rul = 3", "此处没有名为 rul 的键；删除它，或核对拼写"),
    ],
)
def test_what_is_put_together_reads_as_a_chinese_sentence(line, zh):
    head = b'id = "cn"\nversion = "1"\njurisdiction = "000000"\nreview = "r"\ntitle = {zh = "z", en = "e"}\n'
    header = b"name,value,unit,from,until,rounding,instrument,article,source,confidence,note\n"
    with pytest.raises(PackFault) as refused:
        load_pack({"pack.toml": head, "parameters.csv": header, "rules.toml": line.encode()})
    assert f": {zh} / " in str(refused.value)
