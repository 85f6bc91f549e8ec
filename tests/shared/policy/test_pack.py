"""A pack's files: what is refused when they are read, and what its fingerprint covers."""

import pytest

from services.shared.policy.fault import PackFault
from services.shared.policy.pack import fingerprint, load_pack
from services.shared.policy.pack_text import MAX_FILE_BYTES

FILES = {
    "pack.toml": b'id = "cn"\nversion = "1"\njurisdiction = "cn"\nreview = "r"\ntitle = {zh = "a", en = "b"}\n',
    "rules.toml": b"",
    "parameters.csv": b"name,value,unit,from,until,rounding,instrument,article,source,confidence,note\n",
}


def test_the_least_pack_is_read():
    pack = load_pack(FILES)
    assert (pack.id, pack.version, pack.rules, pack.figures) == ("cn", "1", (), ())
    assert pack.sha256 == fingerprint(FILES)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("rules.toml", None, "missing"),
        ("rules.toml", b"\xff", "UTF-8"),
        ("rules.toml", b"x = ", "not TOML"),
        ("rules.toml", b"#" * (MAX_FILE_BYTES + 1), "too large"),
        ("rules.toml", b"rul = 1", "not known"),
        ("rules.toml", b'[[rule]]\nid = "a.b"\ntype = "int"\n', "entity"),
        ("rules.toml", b'[[rule]]\nid = "a.b"\nentity = "x"\ntype = "float"\nexpr = "1"\n', "no known code"),
        ("rules.toml", b'[[rule]]\nid = "a.b"\nentity = "x"\ntype = "int"\nexpr = "1"\nexpresion = "2"\n', "expresion"),
        ("rules.toml", b'[[rule]]\nid = "a.b"\nentity = "x"\ntype = "int"\nexpr = "1"\nfrom = "2025"\n', "date"),
        ("rules.toml", b'[[rule]]\nid = "a.b"\nentity = "x"\ntype = "int"\nexpr = "1"\nholds = {zh = "x"}\n', "en"),
        ("rules.toml", b"rule = 3\n", "list of tables"),
        ("parameters.csv", b"name,value\n", "columns"),
        ("pack.toml", b'id = "cn"\n', "version"),
    ],
)
def test_what_is_not_written_as_a_pack_is_refused_with_a_remedy(name, content, problem):
    files = {**FILES, name: content} if content is not None else {k: v for k, v in FILES.items() if k != name}
    with pytest.raises(PackFault, match=problem) as refused:
        load_pack(files)
    assert refused.value.remedy


def test_the_fingerprint_changes_with_every_deciding_byte_and_with_nothing_else():
    for name in FILES:
        assert fingerprint({**FILES, name: FILES[name] + b"\n"}) != fingerprint(FILES)
    assert fingerprint({**FILES, "cases/x.toml": b"# proof"}) == fingerprint(FILES)
    # Moving bytes from one file's end to the next one's start is a change too.
    moved = {**FILES, "pack.toml": FILES["pack.toml"] + b"name", "parameters.csv": FILES["parameters.csv"][4:]}
    assert fingerprint(moved) != fingerprint(FILES)


def test_a_case_needs_its_base():
    with pytest.raises(PackFault, match="no base x"):
        load_pack({**FILES, "cases/a.toml": b'[[case]]\nname = "n"\nbase = "x"\nexpect = {}\n'})


CITY = FILES["pack.toml"].replace(b'"cn"', b'"cn-230100"', 1).replace(b'"cn"', b'"230100"')


def test_a_pack_stands_for_its_whole_place_unless_it_lists_what_it_covers():
    whole = load_pack({**FILES, "pack.toml": CITY})
    assert whole.stands_for("230100") and whole.stands_for("230102") and whole.stands_for("230123")
    districts = load_pack({**FILES, "pack.toml": CITY + b'covers = ["230102", "230103"]\n'})
    assert districts.stands_for("230100") and districts.stands_for("230102")
    assert not districts.stands_for("230123")


@pytest.mark.parametrize("place", ["230202", "23010", "23010x", ""])
def test_a_pack_covers_only_what_lies_in_its_place(place):
    with pytest.raises(PackFault, match="does not lie in 230100"):
        load_pack({**FILES, "pack.toml": CITY + f'covers = ["{place}"]\n'.encode()})
