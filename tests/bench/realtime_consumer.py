"""The stream consumer works off a pile of events: how fast, how evenly, and how much memory that takes."""

import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import redis

from labkit.commands.bench import Figure
from labkit.stack import Stack
from tests.bench.prometheus import Metrics
from tests.bench.realtime_events import Pile

EVENTS = int(os.environ.get("BENCH_EVENTS", "3_000_000"))
"""10,000,000, for which memory is to be flat, take about 8 minutes."""
WARM_UP = 100_000
FIRST = 1_000_000
"""The rate is measured up to here, while nobody produces."""
AHEAD = 500_000
"""The topics always hold so many more events than were applied: an end once reached would stand for the present."""
PIECE = 20_000

LEAST_RATE = 25_000
MOST_P99 = 25
MOST_GROWTH = 1.1
STALL_SECONDS = 60


class Sample(NamedTuple):
    """What has happened up to an instant: `at` by a clock that never goes back, processor times in seconds."""

    at: float
    metrics: Metrics
    server: dict[str, Any]

    @classmethod
    def of(cls, stack: Stack, client: redis.Redis) -> Self:
        """Ask the consumer and Redis."""
        return cls(time.monotonic(), Metrics.of(stack.url("consumer")), client.info("all"))

    @property
    def applied(self) -> int:
        """Events applied since the consumer began."""
        return int(self.metrics.values.get("consumer_events_total", 0))

    @property
    def resident(self) -> float:
        """Memory of the consumer in MiB."""
        return self.metrics.values["process_resident_memory_bytes"] / 2**20

    @property
    def redis_seconds(self) -> float:
        """Processor time that Redis has used."""
        return float(self.server["used_cpu_user"] + self.server["used_cpu_sys"])

    @property
    def redis_memory(self) -> float:
        """What Redis has allocated, in MiB."""
        return float(self.server["used_memory"]) / 2**20


def figures(stack: Stack, events: int = EVENTS) -> Iterator[Figure]:
    """About 2 minutes for 3 million events. Leaves the consumer stopped and the counts in Redis."""
    stack.up("topics-init", "migrate", "redis")
    pile = Pile(stack.address("redpanda"), events)
    began = time.monotonic()
    pile.add(min(events, FIRST + AHEAD))
    produced = f"{pile.produced / (time.monotonic() - began):,.0f} events/s put into the topics before"
    stack.up("stream_consumer")
    host, _, port = stack.address("redis").rpartition(":")
    password = stack.setting("REDIS_STUDENT_PASSWORD")
    with redis.Redis(host, int(port), username="student", password=password) as client:
        watch = Watch(stack, client, pile)
        start, first = watch.until(WARM_UP), watch.until(min(FIRST, events))
        yield from _rate(start, first, produced)
        yield from _memory(first, watch.until(events))
    stack.stop("stream_consumer")


class Watch:
    """Looks at the consumer, and keeps the pile ahead of it."""

    def __init__(self, stack: Stack, client: redis.Redis, pile: Pile) -> None:
        self._stack = stack
        self._client = client
        self._pile = pile

    def until(self, applied: int) -> Sample:
        """The first sample at which so many events have been applied.

        Raises:
            TimeoutError: the consumer does not go on.
        """
        sample = Sample.of(self._stack, self._client)
        moved_at, moved = sample.at, sample.applied
        while sample.applied < applied:
            if self._pile.produced < min(sample.applied + AHEAD, self._pile.number):
                self._pile.add(PIECE)
            else:
                time.sleep(0.25)  # each look costs the consumer milliseconds
            sample = Sample.of(self._stack, self._client)
            if sample.applied > moved:
                moved_at, moved = sample.at, sample.applied
            if sample.at - moved_at > STALL_SECONDS:
                log = self._stack.logs("stream_consumer")
                raise TimeoutError(f"the consumer stays at {moved:,} of {applied:,} events:\n{log}")
        return sample


def _rate(start: Sample, end: Sample, produced: str) -> Iterator[Figure]:
    events, seconds = end.applied - start.applied, end.at - start.at
    rate = events / seconds
    consumer = end.metrics.since(start.metrics, "process_cpu_seconds_total")
    server = end.redis_seconds - start.redis_seconds
    per_event = (
        f"processor time an event: consumer {consumer / events * 1e6:.0f} µs, Redis {server / events * 1e6:.0f} µs"
    )
    yield Figure("stream consumer, from a pile", rate, "events/s", LEAST_RATE, note=f"{per_event}; {produced}")
    size = end.metrics.since(start.metrics, "consumer_batch_records_sum") / end.metrics.since(
        start.metrics, "consumer_batch_records_count"
    )
    p50, p99 = (1000 * end.metrics.quantile_since(start.metrics, "consumer_batch_seconds", q) for q in (0.5, 0.99))
    yield Figure("stream consumer, a batch: p50", p50, "ms", note=f"{size:.0f} records on average")
    yield Figure("stream consumer, a batch: p99", p99, "ms", MOST_P99, "at most")


def _memory(first: Sample, last: Sample) -> Iterator[Figure]:
    resident = (
        f"{first.resident:.0f} MiB after {first.applied:,} events, {last.resident:.0f} MiB after {last.applied:,}"
    )
    yield Figure(
        "stream consumer, growth of memory", last.resident / first.resident, "", MOST_GROWTH, "at most", resident
    )
    rate = (last.applied - first.applied) / (last.at - first.at) if last.at > first.at else 0
    used = (
        f"{first.redis_memory:.0f} MiB after {first.applied:,} events; {rate:,.0f} events/s while others are produced"
    )
    yield Figure("Redis, memory at the end", last.redis_memory, "MiB", note=used)
    requests = last.metrics.values["consumer_requests_total"]
    yield Figure("requests for moderation", requests, "", note=f"of {last.applied:,} events")
