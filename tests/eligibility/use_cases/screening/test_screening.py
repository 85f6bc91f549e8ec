"""A population screened: whole or refused, the same bytes however it came about, and gone on with after a kill."""

import json
import multiprocessing
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.population.households import population as blocks
from benchmarks.population.households import write_population
from services.eligibility.use_cases.screen_population import plan_screening, screen_population
from services.eligibility.use_cases.screening.part import REJECTS
from services.eligibility.use_cases.screening.part import ROW_GROUP_ROWS as FULL
from services.eligibility.use_cases.screening.plan import parts_of
from services.eligibility.use_cases.screening.processes import Processes
from services.eligibility.use_cases.screening.refusal import ScreeningRefused, ScreeningStopped
from services.eligibility.use_cases.screening.rules import rules_of
from services.eligibility.use_cases.screening.spark import ScreenMap
from tests.eligibility.use_cases.screening.conftest import ROWS
from tests.eligibility.use_cases.screening.populations import ON, PART_ROWS, bytes_of, screened, wanted

ROOT = Path(__file__).parents[4]
KILLS = int(os.environ.get("DOUDI_KILLS", "3"))
"""How often a run is killed; DOUDI_KILLS=20 for as often as one likes."""


@pytest.fixture(scope="module")
def whole(policy_folder, population, tmp_path_factory):
    target = tmp_path_factory.mktemp("whole") / "out.parquet"
    found = screened(wanted(policy_folder, population, target))
    assert (found.rows, found.rejected, found.parts, found.kept) == (ROWS, 0, 8, 0)
    return target


def test_parts_hang_on_row_groups_alone():
    parts = list(parts_of([3, 3, 0, 9, 1, 0], part_rows=5))
    assert [(part.first_group, part.groups, part.first_row, part.rows) for part in parts] == [
        (0, 2, 0, 6),
        (2, 2, 6, 9),
        (4, 2, 15, 1),
    ]
    assert list(parts_of([0, 0])) == [] and [part.name for part in parts][2] == "part-00002.parquet"


def test_every_household_is_there_once_in_its_order(whole, population):
    read = pq.read_table(whole, columns=["row", "id", "region"])
    assert read["row"].to_pylist() == read["id"].to_pylist() == list(range(ROWS))
    said = pq.read_table(population, columns=["region"])["region"]
    assert read["region"].to_pylist() == said.to_pylist()


def test_every_file_says_by_which_rules_and_of_which_input_it_is(whole):
    for file in (whole / "part-00003.parquet", whole / REJECTS / "part-00003.parquet"):
        said = {key.decode(): value.decode() for key, value in pq.read_schema(file).metadata.items()}
        assert said["doudi.as_of"] == ON.isoformat() and said["doudi.part"] == "4 of 8"
        packs = json.loads(said["doudi.packs"])
        assert len(packs) == 51 and all(len(pack["sha256"]) == 64 and pack["version"] for pack in packs)
        manifest = json.loads((whole / "_screen.json").read_text())
        assert manifest["packs"] == packs and manifest["input"]["sha256"] == said["doudi.input_sha256"]
        assert said["doudi.money_unit"] == "fen"


def test_two_processes_write_the_same_bytes(whole, policy_folder, population, tmp_path):
    screened(wanted(policy_folder, population, tmp_path / "out.parquet"), processes=2)
    assert bytes_of(tmp_path / "out.parquet") == bytes_of(whole)


def test_finished_parts_are_kept_and_others_made_anew(whole, policy_folder, population, tmp_path):
    unfinished = tmp_path / "out.parquet.unfinished"
    (unfinished / REJECTS).mkdir(parents=True)
    for name in ("part-00001.parquet", "part-00004.parquet", "_screen.json"):
        (unfinished / name).write_bytes((whole / name).read_bytes())
        if name != "_screen.json":
            (unfinished / REJECTS / name).write_bytes((whole / REJECTS / name).read_bytes())
    kept = unfinished / "part-00001.parquet"
    torn = unfinished / "part-00004.parquet"
    torn.write_bytes(torn.read_bytes()[:-100])
    (unfinished / ".part-00002.parquet.x.beside").write_bytes(b"PAR1")
    before = kept.stat().st_ino
    found = screened(wanted(policy_folder, population, tmp_path / "out.parquet"))
    assert found.kept == 1_000
    assert (tmp_path / "out.parquet" / kept.name).stat().st_ino == before
    assert bytes_of(tmp_path / "out.parquet") == bytes_of(whole) and not unfinished.exists()


def test_what_is_complete_is_not_computed_again(whole, policy_folder, population):
    before = {file.name: file.stat().st_mtime_ns for file in whole.iterdir()}
    assert screened(wanted(policy_folder, population, whole)).kept == ROWS
    assert {file.name: file.stat().st_mtime_ns for file in whole.iterdir()} == before


@pytest.mark.parametrize("processes", [1, 2])
def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(policy_folder, tmp_path, processes):
    moments, source, target = random.Random(processes), tmp_path / "in.parquet", tmp_path / "out.parquet"
    write_population(source, 40 * KILLS * PART_ROWS, seed=7, group_rows=PART_ROWS)
    command, killed = command_of(policy_folder, source, target, processes, PART_ROWS), 0
    for _ in range(KILLS):
        before = parts_in(tmp_path)
        run = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        # While it makes parts: a new one is waited for, and then less than the next few take.
        while run.poll() is None and parts_in(tmp_path) == before:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.06))
        run.send_signal(signal.SIGKILL)
        killed += run.wait() == -signal.SIGKILL
    assert killed > KILLS // 2 and not target.exists()
    assert subprocess.run(command, cwd=ROOT, timeout=120).returncode == 0
    screened(wanted(policy_folder, source, tmp_path / "undisturbed.parquet"))
    assert bytes_of(target) == bytes_of(tmp_path / "undisturbed.parquet")


def test_what_a_lost_worker_had_begun_is_not_in_the_output(whole, policy_folder, population, tmp_path):
    plan = plan_screening(wanted(policy_folder, population, tmp_path / "out.parquet"))

    def leave_something(more):
        for folder in (plan.unfinished, plan.unfinished / REJECTS):
            (folder / f".part-00001.parquet.{more}.beside").touch()

    def engine(plan, missing, tell):
        leave_something(len(missing))
        yield from Processes(1)(plan, missing, tell)

    screen_population(plan, engine, lambda more: None)
    assert bytes_of(plan.target) == bytes_of(whole)


def parts_in(folder):
    return len(list(folder.glob("out.parquet.unfinished/part-*")))


def test_workers_end_with_the_process_that_started_them(policy_folder, population, tmp_path):
    target = tmp_path / "out.parquet"
    run = subprocess.Popen(
        command_of(policy_folder, population, target, 2, PART_ROWS), cwd=ROOT, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not parts_in(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.wait()
    while time.monotonic() < deadline:
        try:
            os.killpg(run.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("a worker goes on alone")


def test_a_worker_that_is_ended_stops_it_with_what_to_do(policy_folder, population, tmp_path):
    plan = plan_screening(wanted(policy_folder, population, tmp_path / "out.parquet"))

    def tell(more):
        for worker in multiprocessing.active_children():
            worker.kill()

    with pytest.raises(ScreeningStopped, match="a worker process was ended"):
        screen_population(plan, Processes(2), tell)
    assert not plan.target.exists() and plan.unfinished.exists()


def command_of(*arguments):
    return [sys.executable, "-m", "tests.eligibility.use_cases.screening.populations", *map(str, arguments)]


def test_ten_times_the_households_take_no_more_memory(policy_folder, tmp_path):
    [table] = blocks(FULL, seed=6, group_rows=FULL)
    peaks = []
    for times in (1, 10):
        source = tmp_path / f"{times}.parquet"
        with pq.ParquetWriter(source, table.schema) as writer:
            for _ in range(times):
                writer.write_table(table)
        command = command_of(policy_folder, source, tmp_path / f"{times}.out", 1, FULL)
        run = subprocess.Popen(command, cwd=ROOT)
        _, status, used = os.wait4(run.pid, 0)
        assert status == 0
        peaks.append(used.ru_maxrss)
    assert peaks[1] < 1.15 * peaks[0]


# --- an input or an output that was changed ---------------------------------------------------------------------------


@pytest.fixture
def own(population, tmp_path):
    """A copy of the population, to do with as one likes."""
    source = tmp_path / "in.parquet"
    source.write_bytes(population.read_bytes())
    return source


def changed_while_screened(policy_folder, source, change, engine=None):
    plan = plan_screening(wanted(policy_folder, source, source.with_name("out.parquet")))
    done = []

    # Told first of what was kept, then of the two blocks of each part: the fourth is midway in the second part.
    def tell(more):
        done.append(more)
        if len(done) == 4:
            change()

    with pytest.raises(ScreeningStopped, match="was changed while it was screened") as stopped:
        screen_population(plan, engine or Processes(1), tell)
    assert "被改动" in stopped.value.text.zh and not plan.target.exists()
    return sorted(file.name for file in plan.unfinished.glob("part-*"))


def test_an_input_that_is_replaced_meanwhile_stops_it(policy_folder, own):
    other = own.with_name("other.parquet")
    write_population(other, ROWS, seed=5, group_rows=500)
    assert len(changed_while_screened(policy_folder, own, lambda: other.replace(own))) == 1  # and none of both inputs


def test_an_input_that_is_written_over_in_place_or_removed_stops_it(policy_folder, own):
    content = own.read_bytes()
    changed_while_screened(policy_folder, own, lambda: own.write_bytes(content))
    own.write_bytes(content)
    changed_while_screened(policy_folder, own, own.unlink)


def test_other_machines_see_the_input_by_size_and_footer(policy_folder, own):
    seen = plan_screening(wanted(policy_folder, own, own.with_name("out"))).identity
    content = own.read_bytes()
    own.unlink()
    own.write_bytes(content)
    assert seen.on_any_machine.is_that_of(own) and not seen.is_that_of(own)
    write_population(own, ROWS, seed=5, group_rows=500)
    assert not seen.on_any_machine.is_that_of(own)


def test_an_input_that_is_changed_while_it_is_hashed_is_refused(policy_folder, own, monkeypatch):
    def slowly(path):
        path.write_bytes(path.read_bytes())
        return "0" * 64

    monkeypatch.setattr("services.eligibility.use_cases.screen_population.sha256_of", slowly)
    with pytest.raises(ScreeningRefused, match="is being changed"):
        plan_screening(wanted(policy_folder, own, own.with_name("out")))


def test_a_finished_output_without_all_its_parts_is_not_whole(whole, policy_folder, population, tmp_path):
    target = tmp_path / "out.parquet"
    shutil.copytree(whole, target)
    (target / "part-00002.parquet").unlink()
    (target / REJECTS / "part-00005.parquet").write_bytes(b"PAR1")
    with pytest.raises(
        ScreeningRefused, match=r"2 of its parts .*: part-00002.parquet, part-00005.parquet\."
    ) as refused:
        screened(wanted(policy_folder, population, target))
    assert type(refused.value) is ScreeningRefused and "out.parquet.unfinished" in refused.value.text.zh
    target.rename(tmp_path / "out.parquet.unfinished")
    assert screened(wanted(policy_folder, population, target)).kept == ROWS - 2_000
    assert bytes_of(target) == bytes_of(whole)


# --- another output ---------------------------------------------------------------------------------------------------


def test_a_result_of_something_else_is_refused_and_left_alone(whole, policy_folder, population, tmp_path):
    other = tmp_path / "other.parquet"
    write_population(other, 600, seed=5)
    with pytest.raises(ScreeningRefused) as refused:
        screened(wanted(policy_folder, other, whole))
    assert "input" in refused.value.text.en and "输入" in refused.value.text.zh
    assert pq.read_table(whole, columns=["row"]).num_rows == ROWS


def test_a_folder_of_something_else_is_refused(policy_folder, population, tmp_path):
    (tmp_path / "out.parquet").mkdir()
    (tmp_path / "out.parquet" / "thesis.txt").write_text("mine")
    with pytest.raises(ScreeningRefused, match="no result of a screening"):
        screened(wanted(policy_folder, population, tmp_path / "out.parquet"))
    assert (tmp_path / "out.parquet" / "thesis.txt").read_text() == "mine"


def test_another_version_of_a_pack_is_refused_with_what_differs(whole, policy_folder, population, tmp_path):
    manifest = json.loads((whole / "_screen.json").read_text())
    manifest["packs"][0]["sha256"] = "0" * 64
    manifest["as_of"] = "2020-01-01"
    unfinished = tmp_path / "out.parquet.unfinished"
    unfinished.mkdir()
    (unfinished / "_screen.json").write_text(json.dumps(manifest))
    with pytest.raises(ScreeningRefused, match="what differs: date, packs"):
        screened(wanted(policy_folder, population, tmp_path / "out.parquet"))


def test_two_that_write_the_same_output_are_one_too_many(policy_folder, population, tmp_path):
    import fcntl

    unfinished = tmp_path / "out.parquet.unfinished"
    unfinished.mkdir()
    with (unfinished / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ScreeningRefused, match="another process is writing"):
            screened(wanted(policy_folder, population, tmp_path / "out.parquet"))


def test_a_place_that_cannot_be_written_is_named(policy_folder, population, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScreeningRefused, match="cannot be written"):
        screened(wanted(policy_folder, population, tmp_path / "file" / "out.parquet"))


def test_a_full_disk_is_foreseen(policy_folder, population, tmp_path, monkeypatch):
    # A stand-in of these tests: a disk that is full cannot be had for the asking.
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 29_000))
    with pytest.raises(ScreeningRefused, match="29000 bytes left and at least 29200"):
        screened(wanted(policy_folder, population, tmp_path / "out.parquet"))
    assert not (tmp_path / "out.parquet").exists()


def test_a_disk_that_fills_midway_stops_it(policy_folder, population, tmp_path, monkeypatch):
    room = iter([10**9, 10**9, 0])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, next(room)))
    with pytest.raises(ScreeningStopped, match="has 0 bytes left"):
        screened(wanted(policy_folder, population, tmp_path / "out.parquet"))
    assert parts_in(tmp_path) == 2


def test_too_little_memory_is_said_to_be_that(policy_folder, population, tmp_path, monkeypatch):
    def greedy(*arguments):
        raise pa.ArrowMemoryError("malloc of size 8589934592 failed")

    monkeypatch.setattr("services.eligibility.use_cases.screening.part.read_blocks", greedy)
    assert "too little memory" in refusal(policy_folder, population, tmp_path, ScreeningStopped)


# --- rejects ----------------------------------------------------------------------------------------------------------


def test_households_that_cannot_be_read_are_rejects_with_row_and_reason(policy_folder, population, tmp_path):
    table = pq.read_table(population).slice(0, 2_200)
    regions = table["region"].cast(pa.string()).to_pylist()
    regions[3], regions[1_700] = "000000", None
    homes = table["homes"].to_pylist()
    homes[2_001] = -1
    table = table.set_column(1, "region", pa.array(regions)).set_column(
        table.schema.get_field_index("homes"), "homes", pa.array(homes, pa.int32())
    )
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(table, source, row_group_size=500)
    found = screened(wanted(policy_folder, source, target))
    assert (found.rows, found.rejected) == (2_200, 3)
    rejects = pq.read_table(target / REJECTS).to_pylist()
    assert [(each["row"], each["id"], each["column"], each["reason"]) for each in rejects] == [
        (3, 3, "region", "region_unknown"),
        (1_700, 1_700, "region", "region_unknown"),
        (2_001, 2_001, "homes", "out_of_range"),
    ]
    assert "GB/T 2260" in rejects[0]["reason_zh"] and "000000" not in str(rejects) and rejects[2]["reason_en"]
    rows = pq.read_table(target, columns=["row"])["row"].to_pylist()
    assert rows == [row for row in range(2_200) if row not in (3, 1_700, 2_001)]


def test_a_region_column_of_another_name_and_no_id(whole, policy_folder, population, tmp_path):
    table = pq.read_table(population)
    table = (
        table.rename_columns({"region": "place"}).drop_columns(["id"]).replace_schema_metadata(table.schema.metadata)
    )
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(table, source, row_group_size=500)
    screened(wanted(policy_folder, source, target, region_column="place"))
    assert pq.read_table(target).equals(pq.read_table(whole).drop_columns(["id"]))


@pytest.mark.parametrize("name", ["row", "homes", "members", "region", "dibao", "dibao_fen", "category", "reason_zh"])
def test_an_identifier_that_would_stand_over_a_fact_or_a_result_is_refused(policy_folder, population, tmp_path, name):
    table, source = pq.read_table(population), tmp_path / "in.parquet"
    if name not in table.schema.names:
        table = table.rename_columns({"id": name}).replace_schema_metadata(table.schema.metadata)
    pq.write_table(table, source)
    with pytest.raises(ScreeningRefused, match=f"cannot be called {name}: .*--id-column"):
        plan_screening(wanted(policy_folder, source, tmp_path / "out.parquet", id_column=name))


def test_a_map_of_frames_is_held_to_the_packs_that_it_was_made_with(policy_folder, population, tmp_path):
    packs = tmp_path / "packs"
    shutil.copytree(policy_folder / "packs", packs)
    screening = ScreenMap(packs, ON, policy_folder / "kernels", id_column="id", money_in_fen=True)
    sent, [block] = pickle.dumps(screening), pq.read_table(population).slice(0, 10).to_batches()
    assert [found.num_rows for found in pickle.loads(sent)([block])] == [10]
    comment(packs)
    rules_of.cache_clear()
    with pytest.raises(ScreeningStopped, match="other packs"):
        list(pickle.loads(sent)([block]))
    with pytest.raises(ScreeningRefused, match="--id-column"):
        ScreenMap(packs, ON, policy_folder / "kernels", id_column="dibao")


def comment(packs):
    """Another pack of the same meaning in the place of one of the folder."""
    file = min(packs.rglob("*.toml"))
    file.write_text(file.read_text(encoding="utf-8") + "# another\n", encoding="utf-8")


YUAN = """
select * replace (
    (financial / 100)::decimal(18, 2) as financial,
    (spending_medical / 100)::decimal(18, 2) as spending_medical,
    (spending_education / 100)::decimal(18, 2) as spending_education,
    list_transform(businesses, lambda b: {'registered_capital': (b.registered_capital / 100)::decimal(18, 2)})
        as businesses,
    list_transform(members, lambda m: struct_update(m,
        income_wage := (m.income_wage / 100)::decimal(18, 2),
        income_business := (m.income_business / 100)::decimal(18, 2),
        income_property := (m.income_property / 100)::decimal(18, 2),
        income_transfer := (m.income_transfer / 100)::decimal(18, 2),
        income_special_care := (m.income_special_care / 100)::decimal(18, 2))) as members)
from households
"""


def test_what_duckdb_writes_is_read_the_same_in_yuan_too(whole, policy_folder, population, tmp_path):
    in_fen, in_yuan = tmp_path / "fen.parquet", tmp_path / "yuan.parquet"
    duckdb.execute(f"copy (from '{population}') to '{in_fen}' (kv_metadata {{'doudi.money_unit': 'fen'}})")
    duckdb.read_parquet(str(population)).query("households", YUAN).write_parquet(str(in_yuan))
    expected = pq.read_table(whole).to_pylist()
    for source in (in_fen, in_yuan):
        target = source.with_suffix(".out")
        screened(wanted(policy_folder, source, target))
        assert pq.read_table(target).to_pylist() == expected


# --- a torn or lying input --------------------------------------------------------------------------------------------


def refusal(policy_folder, source, tmp_path, error=ScreeningRefused):
    target = tmp_path / "out.parquet"
    with pytest.raises(error) as refused:
        screened(wanted(policy_folder, source, target))
    assert re.search("[一-鿿]", refused.value.text.zh)
    assert not target.exists()
    return refused.value.text.en


def test_what_is_no_parquet_file_is_refused(policy_folder, population, tmp_path):
    source = tmp_path / "in.parquet"
    whole = population.read_bytes()
    assert "does not exist" in refusal(policy_folder, source, tmp_path)
    assert "is no file" in refusal(policy_folder, tmp_path, tmp_path)
    for content, said in [
        (b"", "is no Parquet file"),
        (b"region,income\n420100,7\n", "is no Parquet file"),
        (whole[:-1], "is torn"),
        (whole[: len(whole) // 2], "is torn"),
        (whole[:-8] + (2**32 - 1).to_bytes(4, "little") + b"PAR1", "is torn"),
        (whole[:-8] + (100).to_bytes(4, "little") + b"PAR1", "is damaged or lies"),
        (whole[:-400] + b"\xff" * 392 + whole[-8:], "is damaged or lies"),
        (b"PARE" + whole[4:], "is an encrypted Parquet file"),
    ]:
        source.write_bytes(content)
        assert said in refusal(policy_folder, source, tmp_path)
    assert not (tmp_path / "out.parquet.unfinished").exists()


def test_rows_that_are_not_those_of_the_row_groups_are_a_lie(policy_folder, population, tmp_path):
    # As a thrift integer: twice the number, seven bits a byte.
    said, lied = (bytes([2 * rows & 127 | 128, 2 * rows >> 7]) for rows in (ROWS, ROWS + 1))
    whole = population.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    assert whole.count(said, footer) == 1
    source = tmp_path / "in.parquet"
    source.write_bytes(whole[:footer] + whole[footer:].replace(said, lied))
    assert "not the sum of its row groups" in refusal(policy_folder, source, tmp_path)


def test_columns_that_lie_outside_of_the_file_are_refused(policy_folder, population, tmp_path):
    whole = population.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    source = tmp_path / "in.parquet"
    source.write_bytes(whole[:4] + whole[footer:])
    assert "an impossible size or place" in refusal(policy_folder, source, tmp_path)


def test_a_schema_that_nests_beyond_measure_is_refused(policy_folder, tmp_path):
    deep = pa.int32()
    for _ in range(150):
        deep = pa.struct([("a", deep)])
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"region": pa.array([None], deep)}), source)
    assert "nest too deeply" in refusal(policy_folder, source, tmp_path)


def test_missing_columns_and_wrong_types_are_named(policy_folder, population, tmp_path):
    table, source = pq.read_table(population), tmp_path / "in.parquet"
    for changed, said in [
        (table.drop_columns(["region"]), "has no region column region"),
        (table.drop_columns(["homes"]), "columns are missing: homes"),
        (table.drop_columns(["members"]), "members.birth_date"),
        (table.set_column(2, "area_type", pa.array([1] * ROWS)), "area_type"),
        (table.replace_schema_metadata(None), "money_unit"),
        (table.slice(0, 0), "there are no households"),
        (table.rename_columns({"id": "homes"}), "share a name"),
    ]:
        pq.write_table(changed, source)
        assert said in refusal(policy_folder, source, tmp_path)


def test_a_damaged_page_stops_it_and_leaves_no_output(policy_folder, population, tmp_path):
    whole = bytearray(population.read_bytes())
    column = pq.read_metadata(population).row_group(9).column(3)
    at = column.dictionary_page_offset or column.data_page_offset
    whole[at : at + 40] = b"\xff" * 40
    source = tmp_path / "in.parquet"
    source.write_bytes(whole)
    assert "row groups 8 to 9, from row 4000" in refusal(policy_folder, source, tmp_path, ScreeningStopped)
    parts = sorted(file.name for file in (tmp_path / "out.parquet.unfinished").glob("part-*"))
    assert parts == [f"part-{number:05}.parquet" for number in range(4)]
