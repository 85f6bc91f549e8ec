"""Screening on a cluster of two workers: the same bytes as in one process, also when a worker is lost on the way."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.population.households import write_population
from services.eligibility.use_cases.screen_population import plan_screening, screen_population
from services.eligibility.use_cases.screening.refusal import ScreeningRefused, ScreeningStopped
from services.eligibility.use_cases.screening.spark import ScreenMap, Spark, check_java, session_of
from tests.eligibility.use_cases.screening.populations import GROUP_ROWS, ON, bytes_of, wanted
from tests.spark.conftest import ROWS

CLUSTER = "local-cluster[2,1,1024]"
"""Two worker processes of one core and a gigabyte each, with executors of their own, as on two machines."""
EXECUTOR = b"CoarseGrainedExecutorBackend"


def on_spark(policy_folder, population, target, told=None):
    plan = plan_screening(wanted(policy_folder, population, target))
    return screen_population(plan, Spark(CLUSTER), (told if told is not None else []).append)


def test_two_workers_write_the_same_bytes_as_one_process(whole, policy_folder, population, tmp_path):
    told = []
    found = on_spark(policy_folder, population, tmp_path / "out.parquet", told)
    assert (found.rows, found.rejected, found.parts, found.kept) == (ROWS, 0, 21, 0)
    assert bytes_of(tmp_path / "out.parquet") == bytes_of(whole)
    assert sum(told) == ROWS


def test_the_parts_of_a_lost_executor_are_made_by_another(whole, policy_folder, population, tmp_path):
    target, killed = tmp_path / "out.parquet", []
    killer = threading.Thread(target=kill_an_executor, args=(target.with_name("out.parquet.unfinished"), killed))
    killer.start()
    on_spark(policy_folder, population, target)
    killer.join()
    assert killed and bytes_of(target) == bytes_of(whole)


def kill_an_executor(unfinished, killed):
    """As soon as a part is there, while the others are being made."""
    deadline = time.monotonic() + 300
    while not list(unfinished.glob("part-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    for process in executors():
        os.kill(process, signal.SIGKILL)
        killed.append(process)
        return


def executors():
    """The executors among the processes that this one started, by any number of steps."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    for process in sorted(parents):
        above = process
        while above in parents and above != os.getpid():
            above = parents[above]
        if above == os.getpid() and is_executor(process):
            yield process


def is_executor(process):
    try:
        return EXECUTOR in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def test_a_damaged_input_stops_it_in_our_words(policy_folder, population, tmp_path):
    content = bytearray(population.read_bytes())
    column = pq.read_metadata(population).row_group(9).column(3)
    at = column.dictionary_page_offset or column.data_page_offset
    content[at : at + 40] = b"\xff" * 40
    source = tmp_path / "in.parquet"
    source.write_bytes(content)
    with pytest.raises(ScreeningStopped, match="row groups 8 to 9, from row 4000") as stopped:
        on_spark(policy_folder, source, tmp_path / "out.parquet")
    assert "行组" in stopped.value.text.zh and not (tmp_path / "out.parquet").exists()


def test_an_input_that_is_another_than_was_planned_stops_it(policy_folder, population, tmp_path):
    source = tmp_path / "in.parquet"
    source.write_bytes(population.read_bytes())
    plan = plan_screening(wanted(policy_folder, source, tmp_path / "out.parquet"))
    write_population(source, ROWS, seed=5, group_rows=GROUP_ROWS)
    with pytest.raises(ScreeningStopped, match="was changed while it was screened"):
        screen_population(plan, Spark("local[2]"), lambda more: None)


def test_any_frame_with_the_columns_of_a_population_can_be_mapped(whole, policy_folder, population):
    session = session_of("local[2]")
    try:
        frame = session.read.parquet(str(population)).repartition(5)
        screening = ScreenMap(policy_folder / "packs", ON, policy_folder / "kernels", id_column="id", money_in_fen=True)
        read = frame.mapInArrow(screening, screening.schema(frame)).orderBy("id").toArrow()
    finally:
        session.stop()
    expected = pq.read_table(whole).drop_columns(["row"])
    assert read.num_rows == ROWS and read.schema.names == expected.schema.names
    assert read.to_pylist() == expected.to_pylist()


# --- Java -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said, message", [(None, "was not found"), ('openjdk version "11.0.2"', "is 11")])
def test_java_that_is_missing_or_old_is_named_with_its_package(tmp_path, monkeypatch, said, message):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if said is not None:
        java = tmp_path / "java"
        java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        java.chmod(0o755)
    with pytest.raises(ScreeningRefused, match=message) as refused:
        check_java()
    assert "openjdk-17-jre-headless" in refused.value.text.zh and "openjdk-17-jre-headless" in refused.value.text.en


def test_the_command_says_so_in_one_line_before_anything_else(population, tmp_path):
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "screen"]
    command += [str(population), str(tmp_path / "out.parquet"), "--as-of", "2026-09-15", "--engine", "spark"]
    run = subprocess.run(
        command, env={**os.environ, "JAVA_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=120
    )
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert "openjdk-17-jre-headless" in run.stderr and not list(tmp_path.iterdir())
