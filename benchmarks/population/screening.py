"""`doudi screen` over the comparison policy's packs, Parquet to Parquet: one process, two, and Spark's workers."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.comparison.pack_files import write_packs
from benchmarks.population.files import Files

PROCESSES: Mapping[str, Sequence[str]] = {
    "one process": ("--processes", "1"),
    "two processes": ("--processes", "2"),
}
SPARK: Mapping[str, Sequence[str]] = {
    "one Spark worker": ("--engine", "spark", "--master", "local-cluster[1,1,1024]"),
    "two Spark workers": ("--engine", "spark", "--master", "local-cluster[2,1,1024]"),
}
KIB_A_MIB = 1024


def screened(files: Files, kernels: Path, spark_python: Path | None) -> dict[str, dict[str, Any]]:
    """What each way takes, with everything that a command does, and a hash over the bytes of its results.

    Spark's workers are left out where no Python that has PySpark is named.
    """
    here = Path(sys.executable)
    ways = [(name, here, options) for name, options in PROCESSES.items()]
    if spark_python is not None:
        ways += [(name, spark_python, options) for name, options in SPARK.items()]
    with tempfile.TemporaryDirectory(dir=files.folder) as made:
        folder = Path(made)
        write_packs(folder / "packs")
        return {name: _screened(files, python, options, folder, kernels) for name, python, options in ways}


def _screened(files: Files, python: Path, options: Sequence[str], folder: Path, kernels: Path) -> dict[str, Any]:
    target = folder / "out.parquet"
    argv = [str(python), "-c", "from services.cli.main import main; main()", "screen", str(files.nested)]
    argv += [str(target), "--as-of", files.on, "--packs", str(folder / "packs"), *options]
    started = time.perf_counter()
    process = subprocess.Popen(
        argv, env={**os.environ, "DOUDI_DATA_DIR": str(kernels)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, argv)
    found = {
        # Of Spark that of its driver alone: its workers are nobody's children.
        "process_cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "wall_s": round(wall, 2),
        "peak_rss_mib": round(used.ru_maxrss / KIB_A_MIB),
        "sha256": _sha256(target),
    }
    shutil.rmtree(target)
    return found


def _sha256(folder: Path) -> str:
    """Over the files of results in their order; those about the run itself have other names."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.parquet")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
