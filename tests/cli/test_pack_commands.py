"""`doudi pack validate`, `new`, `explain` and `diff`, as someone who keeps packs meets them."""

import json
import shutil
from pathlib import Path

import pytest

from services.cli.main import build_app
from services.eligibility.api.household_body import MAX_BODY_BYTES

HOUSE = Path(__file__).parents[2]
PACKS = HOUSE / "services/eligibility/policy_packs"
GOLDEN = HOUSE / "tests/golden"


@pytest.fixture
def pack(capsys):
    """Runs a command of `doudi pack`: its exit code, what it printed, and what it said went wrong."""

    def run(*arguments):
        try:
            build_app("pack")(["pack", *map(str, arguments)], standalone_mode=False)
            code = 0
        except SystemExit as left:
            code = left.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def wuhan(tmp_path):
    """Copies of Wuhan's pack: as it was and as it is to be."""
    for name in ("old", "new"):
        shutil.copytree(PACKS / "cn-420100", tmp_path / name / "cn-420100")
    return tmp_path / "old", tmp_path / "new"


def change(folder, file, *changes):
    path = folder / "cn-420100" / file
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


FIGURES = next(
    path for path in ("parameters.csv", "parameters/standards.csv") if (PACKS / "cn-420100" / path).is_file()
)

# --- validate --------------------------------------------------------------------------------------------------------

UNUSED = """
[[instrument]]
id = "idle"
title = "文"
title_en = "text"
in_force_from = 2020-01-01
confidence = "design"
"""


def test_a_warning_is_printed_and_exits_0(pack, wuhan):
    old, _ = wuhan
    (old / "cn-420100/pack.toml").open("a", encoding="utf-8").write(UNUSED)
    code, out, _ = pack("validate", old, "--json")
    [found] = [each for each in json.loads(out) if each["pack"] == "cn-420100"]
    assert (code, found["kind"], found["where"]) == (0, "warning", "instrument idle")
    code, out, _ = pack("validate", old)
    assert code == 0
    assert "instrument idle" in out and "sound, with" in out


def test_a_fault_beside_a_warning_exits_1(pack, wuhan):
    old, _ = wuhan
    (old / "cn-420100/pack.toml").open("a", encoding="utf-8").write(UNUSED)
    (old / "cn-420100/rules").mkdir(exist_ok=True)
    (old / "cn-420100/rules/idle.toml").write_text('[parameter.idle]\ntype = "int"\nzh = "闲"\nen = "idle"\n')
    code, out, _ = pack("validate", old, "--json")
    assert code == 1
    assert {each["where"]: each["kind"] for each in json.loads(out)} == {
        "instrument idle": "warning",
        "parameter idle": "fault",
    }


def test_a_folder_with_the_nations_pack_stands_alone(pack, tmp_path):
    shutil.copytree(PACKS / "cn", tmp_path / "cn")
    (tmp_path / "cn/rules/idle.toml").write_text('[parameter.idle]\ntype = "int"\nzh = "闲"\nen = "idle"\n')
    _, out, _ = pack("validate", tmp_path, "--json")
    assert {each["pack"] for each in json.loads(out)} == {"cn"}


# --- new -------------------------------------------------------------------------------------------------------------


def test_a_new_pack_is_sound_and_its_case_holds(pack, tmp_path):
    folder = tmp_path / "cn-360800"
    title = '吉安"市"\\'
    assert pack("new", "cn-360800", "--parent", "cn-360000", "--title", title, "--into", tmp_path)[0] == 0
    code, out, _ = pack("validate", folder, "--json")
    assert code == 0
    assert [each["kind"] for each in json.loads(out) if each["pack"] == "cn-360800"] == []
    code, out, _ = pack("test", folder, "--json")
    assert (code, json.loads(out)) == (0, {"cases": 1, "failed": []})


def test_a_pack_that_is_there_is_left_as_it_is(pack, tmp_path):
    (tmp_path / "cn-360800").mkdir()
    code, _, err = pack("new", "cn-360800", "--parent", "cn", "--title", "吉安", "--into", tmp_path)
    assert code == 1
    assert "已存在" in err and "left as it is" in err
    assert list((tmp_path / "cn-360800").iterdir()) == []


@pytest.mark.parametrize(
    ("pack_id", "parent", "title", "said"),
    [
        ("cn-999999", "cn", "x", "a place that exists"),
        ("360800", "cn", "x", "a place that exists"),
        ("cn-../../x", "cn", "x", "a place that exists"),
        ("cn-360800", "cn-430000", "x", "the parent is a pack above"),
        ("cn-360800", "cn-360800", "x", "the parent is a pack above"),
        ("cn-360800", "cn", " ", "a title has 1 to 80"),
        ("cn-360800", "cn", "x" * 81, "a title has 1 to 80"),
    ],
)
def test_a_pack_of_no_place_is_not_made(pack, tmp_path, pack_id, parent, title, said):
    code, _, err = pack("new", pack_id, "--parent", parent, "--title", title, "--into", tmp_path)
    assert (code, list(tmp_path.iterdir())) == (1, [])
    assert said in err


# --- explain ---------------------------------------------------------------------------------------------------------


def test_a_programme_is_told_in_both_languages_with_its_law(pack):
    code, out, _ = pack("explain", "dibao", "--region", "420100", "--as-of", "2023-08-15")
    assert code == 0
    assert "家庭每月计入的收入低于（最低生活保障标准 × 计入的人数）" in out
    assert "the household's income counted a month is below (dibao standard x the number counted)" in out
    assert "第九条〕" in out and "Art. 9]" in out
    assert "城镇：940.00 元/月，自 2023-04-01" in out


def test_one_language_or_json_may_be_asked_for(pack):
    code, out, _ = pack("explain", "tekun", "--region", "530113", "--as-of", "2025-08-15", "--lang", "en")
    assert code == 0
    assert "basic living standard of destitute persons + the care standard" in out
    assert "谁可以得到" not in out
    code, out, _ = pack("explain", "tekun", "--region", "530113", "--as-of", "2025-08-15", "--json")
    told = json.loads(out)
    assert (told["programme"], told["region"], told["as_of"]) == ("tekun", "530113", "2025-08-15")
    assert len(told["conditions"]) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fish", "--region", "420100", "--as-of", "2023-08-15"), "no such programme that day"),
        (("dibao", "--region", "990000"), "a region is six digits"),
        (("dibao", "--region", "420100", "--as-of", "yesterday"), "write the day as"),
        (("dibao", "--region", "420100", "--packs", "/nowhere"), "a policy pack is unsound"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_a_line(pack, arguments, said):
    code, out, err = pack("explain", *arguments)
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert said in line


# --- diff ------------------------------------------------------------------------------------------------------------


def test_changes_are_said_in_words(pack, wuhan):
    old, new = wuhan
    assert "the packs are the same" in pack("diff", old, new)[1]
    change(new, FIGURES, ("940.00", "980.00"))
    code, out, _ = pack("diff", old, new)
    assert code == 0
    assert "dibao_standard urban 2023-04-01 数值：940.00 yuan/month → 980.00 yuan/month / value: 940.00" in out
    changes = json.loads(pack("diff", old / "cn-420100", new / "cn-420100", "--json")[1])
    assert [each["kind"] for each in changes["changes"]] == ["figure"]


def households(tmp_path, *wages):
    body = json.loads((GOLDEN / "w05-wuhan-urban.json").read_text(encoding="utf-8"))["request"]
    lines = []
    for wage in wages:
        one = json.loads(json.dumps(body))
        one["programmes"] = ["dibao"]
        one["household"]["members"][0]["income"] = [{"kind": "wage", "monthly": wage}]
        lines.append(json.dumps(one))
    file = tmp_path / "population.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_population_shows_who_gains_and_who_loses_by_line_alone(pack, wuhan, tmp_path):
    old, new = wuhan
    change(new, FIGURES, ("940.00", "840.00"))
    # Three people: the line was 2820.00 and is 2520.00.
    file = households(tmp_path, "1800.00", "2519.99", "2520.00", "2819.99", "2820.00")
    with file.open("a", encoding="utf-8") as more:
        more.write('\n{"household": "420111198001011234"}\n' + "x" * (2 * MAX_BODY_BYTES) + "\n")
    code, out, _ = pack("diff", old, new, "--population", file, "--first", "2", "--json")
    found = json.loads(out)
    assert code == 1
    assert (found["households"], found["unchanged"], found["gain"], found["lose"]) == (5, 1, 0, 4)
    assert found["first_losing"] == [{"line": 1, "loses": "300.00"}, {"line": 2, "loses": "300.00"}]
    assert (found["bad_lines"], found["first_bad_lines"]) == (2, [7, 8])
    dibao = found["programmes"]["dibao"]
    assert (dibao["ended"], dibao["less"], dibao["granted"]) == (2, 2, 0)
    assert (dibao["lost"], dibao["gained"]) == ("900.01", "0.00")
    code, out, err = pack("diff", old, new, "--population", file)
    assert code == 1
    assert "4 户减少" in out and "households: 5, unchanged: 1, gain: 0, lose: 4" in out
    assert "有 2 行无法读取（如第 7, 8 行）" in err and len(err.splitlines()) == 1
    assert "420111198001011234" not in out + err


def test_a_population_may_be_answered_for_another_day(pack, wuhan, tmp_path):
    old, new = wuhan
    change(new, FIGURES, ("940.00", "980.00"))
    file = households(tmp_path, "1800.00")
    code, out, _ = pack("diff", old, new, "--population", file, "--json")
    assert (code, json.loads(out)["gain"]) == (0, 1)
    before = json.loads(pack("diff", old, new, "--population", file, "--as-of", "2022-08-01", "--json")[1])
    assert (before["gain"], before["unchanged"]) == (0, 1)


@pytest.mark.parametrize("missing", ["old", "population"])
def test_what_is_not_there_is_refused_in_a_line(pack, wuhan, tmp_path, missing):
    old, new = wuhan
    arguments = (tmp_path / "x", new) if missing == "old" else (old, new, "--population", tmp_path / "x")
    code, _, err = pack("diff", *arguments)
    assert code == 1
    assert len(err.splitlines()) == 1


# --- determine -------------------------------------------------------------------------------------------------------


def test_a_folder_of_the_same_packs_gives_the_same_answer(tmp_path, capfdbinary):
    shutil.copytree(PACKS, tmp_path / "packs")
    request = tmp_path / "request.json"
    body = json.loads((GOLDEN / "w05-wuhan-urban.json").read_text(encoding="utf-8"))["request"]
    request.write_text(json.dumps(body), encoding="utf-8")
    answers = []
    for more in ((), ("--packs", str(tmp_path / "packs"))):
        build_app("determine")(["determine", str(request), "--json", *more], standalone_mode=False)
        answers.append(capfdbinary.readouterr().out)
    assert answers[0] == answers[1]
    assert json.loads(answers[0])["totals"] == {"monthly": "1020.00"}
