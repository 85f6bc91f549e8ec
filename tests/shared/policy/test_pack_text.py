"""The bounds of a pack's text, each from both sides, and what is written wrong in it."""

import pytest

from services.shared.policy import pack_text
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import MAX_EXPRESSION_CHARACTERS, load_pack
from services.shared.policy.written import MAX_SENTENCE

HEAD = 'id = "cn"\nversion = "1"\njurisdiction = "cn"\nreview = "r"\ntitle = {zh = "例", en = "e"}\n'
COLUMNS = "name,value,unit,from,until,rounding,instrument,article,source,confidence,note\n"
RULE = '[[rule]]\nid = "a.b{}"\nentity = "x"\ntype = "int"\nexpr = """{}"""\n'
ROW = "x,1,count,{},{},,act,,s,{},{}\n"
INSTRUMENT = '[[instrument]]\nid = "act"\ntitle = "法"\ntitle_en = "A"\nin_force_from = {}\nconfidence = "design"\n'
TERM = '[term."a.b{}"]\nzh = "{}"\nen = "e"\n'
LINKED = '[[linked]]\nfigure = "a"\nof = "b"\nat_least = {}\ncitation = {{ instrument = "act" }}\nzh = "z"\nen = "e"\n'


def pack_of(rules="", rows="", head="", **more):
    files = {"pack.toml": HEAD + head, "rules.toml": rules, "parameters.csv": COLUMNS + rows, **more}
    return {name: text if isinstance(text, bytes) else text.encode() for name, text in files.items()}


def files_of(count):
    least = pack_of()
    return {**least, **{f"cases/c{n}.toml": b"" for n in range(count - len(least))}}


def bytes_of(count):
    least = pack_of()
    rest = count - sum(map(len, least.values()))
    parts = [pack_text.MAX_FILE_BYTES] * (rest // pack_text.MAX_FILE_BYTES) + [rest % pack_text.MAX_FILE_BYTES]
    return {**least, **{f"rules/r{n}.toml": b"#" * part for n, part in enumerate(parts)}}


def nested(depth):
    return pack_of(**{"cases/a.toml": "base.x" + ".y" * (depth - 2) + " = 1"})


BOUNDS = {
    "files": (files_of, pack_text.MAX_FILES, "more than 1000 files"),
    "bytes": (bytes_of, pack_text.MAX_PACK_BYTES, "larger than 8000000 bytes in all"),
    "bytes in a file": (lambda n: pack_of("#" * n), pack_text.MAX_FILE_BYTES, "too large"),
    "characters in a line": (
        lambda n: pack_of(RULE.format("", "1").replace('"""1"""', '"' + "1" * (n - 9) + '"')),
        pack_text.MAX_LINE_CHARACTERS,
        "longer than 2000",
    ),
    "dots": (lambda n: pack_of("#" + "." * n), pack_text.MAX_DOTS, "more than 20000 dots"),
    "nesting": (nested, pack_text.MAX_NESTING, "nested more than 12 deep"),
    "characters in a cell": (
        lambda n: pack_of(rows=ROW.format("2021", "", "design", "n" * n)),
        pack_text.MAX_CELL_CHARACTERS,
        "a cell is too long",
    ),
    "rules": (
        lambda n: pack_of("".join(RULE.format(i, "1") for i in range(n))),
        pack_text.MAX_ENTRIES["rule"],
        "more than 1500 of rule",
    ),
    "figures": (
        lambda n: pack_of(rows=ROW.format("2021", "", "design", "") * n),
        pack_text.MAX_ENTRIES["figure"],
        "more than 5000 of figure",
    ),
    "terms": (
        lambda n: pack_of("".join(TERM.format(i, "z") for i in range(n))),
        pack_text.MAX_ENTRIES["term"],
        "more than 3000 of term",
    ),
    "characters in a sentence": (lambda n: pack_of(TERM.format("", "字" * n)), MAX_SENTENCE, "longer than 1000"),
    "characters in expressions": (
        lambda n: pack_of("".join(RULE.format(i, ("1" * 400 + "\n") * 2) for i in range(n // 802))),
        MAX_EXPRESSION_CHARACTERS // 802 * 802,
        "in all",
    ),
}


@pytest.mark.parametrize("bound", BOUNDS)
def test_each_bound_from_both_sides(bound):
    build, most, problem = BOUNDS[bound]
    load_pack(build(most))
    more = most + 802 if bound == "characters in expressions" else most + 1
    with pytest.raises(PackFault, match=problem):
        load_pack(build(more))


@pytest.mark.parametrize(
    ("files", "where", "problem"),
    [
        (pack_of(head=INSTRUMENT.format("1949-09-30")), "instrument act", "out of range"),
        (pack_of(head=INSTRUMENT.format("3000-01-01")), "instrument act", "out of range"),
        (pack_of(head=INSTRUMENT.format("2020-01-01") * 2), "instrument act", "listed twice"),
        (
            pack_of(head=INSTRUMENT.format("2020-01-01") + "in_force_until = 2020-01-01\n"),
            "instrument act",
            "ends before it begins",
        ),
        (pack_of(RULE.format("", "1") + "from = 2021-01-02\nuntil = 2021-01-01\n"), "rule a.b", "ends before"),
        (pack_of(RULE.format("", "1") + "from = 2021-01-01T00:00:00\n"), "rule a.b", "from must be a date"),
        (pack_of(rows=ROW.format("2021-01-01", "2021-01-01", "design", "")), "row 2 (x) until", "ends before"),
        (pack_of(rows=ROW.format("2021-13-01", "", "design", "")), "row 2 (x) from", "not a date"),
        (pack_of(rows=ROW.format("1948", "", "design", "")), "row 2 (x) from", "out of range"),
        (pack_of(rows=ROW.format("2021", "", "sure", "")), "row 2 (x) confidence", "not one of the marks"),
        (pack_of(LINKED.format("1.3")), "linked", "at_least must be a decimal in quotes"),
        (pack_of(LINKED.format('"1.23456"')), "linked", "at_least must be a decimal in quotes"),
        (pack_of(LINKED.format('"1.3"') + 'place = "below"\n'), "linked", "place is no known code"),
        (pack_of(TERM.format("", "z"), **{"rules/b.toml": TERM.format("", "z")}), "term a.b", "written twice"),
        (pack_of(TERM.format("", "z") + "x = 1\n"), "term a.b", "the key x is not known"),
    ],
)
def test_what_is_written_wrong_is_refused_where_it_stands(files, where, problem):
    with pytest.raises(PackFault, match=problem) as refused:
        load_pack(files)
    assert where in refused.value.where
