"""Single events through everything: API, outbox, relay, broker, stream consumer, broker, scorer, PostgreSQL."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from statistics import fmean
from typing import NamedTuple, TypeVar

import httpx
from confluent_kafka import Consumer, TopicPartition

from gourmetgram.core import topics
from gourmetgram.core.events import decode
from gourmetgram.core.moderation import decode_request
from labkit.commands.bench import Figure
from labkit.stack import Stack
from tests.bench.api_requests import World, populate
from tests.bench.http_load import Load, Result, run
from tests.support.database import Rows, superuser_rows
from tests.support.processes import wait_until

T = TypeVar("T")

CONNECTIONS = 16
IMAGES = 200
PROBES = 250
PER_SECOND = 20
BACKGROUND = 500
WARM_UP_SECONDS = 2.0

MOST_IDLE = {"p50": 5, "max": 20}
MOST_BUSY = {"p50": 15, "p99": 60}

DECISIONS = "SELECT target_id, created_at FROM moderation WHERE trigger_type = %s AND target_id = ANY (%s)"


class Way(NamedTuple):
    """When one event was at each place, in unix milliseconds; those of the broker are cut off to whole ones."""

    happened: float
    published: float
    requested: float
    decided: float


def figures(stack: Stack) -> Iterator[Figure]:
    """About 1 minute."""
    stack.up("api_v2", "stream_consumer", "risk_scoring_service")
    world = populate(stack.address("api"), CONNECTIONS, IMAGES + 2 * PROBES, length=CONNECTIONS * 50)
    with superuser_rows(stack) as rows:
        path = Path(stack, rows, world)
        wait_until(lambda: path.decided("upload", world.images) == len(world.images), "all uploads are decided", 60)
        flagged = world.images[IMAGES:]
        yield from _figures("event to decision, idle", path.flag(flagged[:PROBES]), MOST_IDLE)
        with path.background() as answers:
            busy = path.flag(flagged[PROBES:])
        yield from _figures(f"event to decision at {BACKGROUND} events/s", busy, MOST_BUSY)
        rate = answers[0].rate
        yield Figure(
            "background through the API", rate, "/s", note=f"p50 {answers[0].p50:.1f} ms, p99 {answers[0].p99:.0f} ms"
        )
        yield from _figures(
            "uploads as fast as the API takes them, event to decision", path.ways("upload", world.images, 0), {}
        )


class Path:
    """Somebody who flags images, and looks up how far each flag got, and when."""

    def __init__(self, stack: Stack, rows: Rows, world: World) -> None:
        self._stack = stack
        self._rows = rows
        self._world = world

    def decided(self, trigger: str, images: Sequence[int]) -> int:
        """How many of these images have a decision for this reason."""
        return len(self._rows(DECISIONS, trigger, list(images)))

    def flag(self, images: Sequence[int]) -> list[Way]:
        """Flag each image once, PER_SECOND of them a second; the first flag of an image always asks for moderation."""
        since = time.time()
        token = {"Authorization": f"Bearer {self._world.tokens[0]}"}
        with httpx.Client(base_url=self._stack.url("api"), headers=token, timeout=30) as client:
            began = time.monotonic()
            for position, image in enumerate(images):
                time.sleep(max(0.0, began + position / PER_SECOND - time.monotonic()))
                client.post("/flags/", json={"image_id": image, "reason": "spam"}).raise_for_status()
        wait_until(lambda: self.decided("flagged", images) == len(images), "all flags are decided")
        return self.ways("flagged", images, since)

    def ways(self, trigger: str, images: Sequence[int], since: float) -> list[Way]:
        """The way of the event that caused each decision; `since` is a unix time before the first of them."""
        events = self._records(topics.FLAGS if trigger == "flagged" else topics.UPLOADS, since)
        happened = {event.image_id: (_milliseconds(event.occurred_at), at) for event, at in _decoded(events, decode)}
        asked = _decoded(self._records(topics.MODERATION_REQUESTS, since), decode_request)
        requested = {request.image_id: at for request, at in asked if request.trigger == trigger}
        decided: Mapping[int, datetime] = dict(self._rows(DECISIONS, trigger, list(images)))
        return [Way(*happened[one], requested[one], _milliseconds(decided[one])) for one in images]

    def _records(self, topic: str, since: float) -> Iterator[tuple[bytes, float]]:
        """Values of a topic with the broker's times, from a unix time on."""
        consumer = Consumer({"bootstrap.servers": self._stack.address("redpanda"), "group.id": "bench-path"})
        try:
            wanted = [TopicPartition(topic, number, int(since * 1000)) for number in range(topics.PARTITIONS)]
            starts = consumer.offsets_for_times(wanted, timeout=10)
            ends = [consumer.get_watermark_offsets(place, timeout=10)[1] for place in starts]
            number = sum(end - place.offset for place, end in zip(starts, ends, strict=True) if place.offset >= 0)
            consumer.assign([place for place in starts if place.offset >= 0])
            while number > 0:
                for message in consumer.consume(min(number, 1000), 10):
                    assert message.error() is None, message.error()
                    yield message.value() or b"", float(message.timestamp()[1])
                    number -= 1
        finally:
            consumer.close()

    @contextmanager
    def background(self) -> Iterator[list[Result]]:
        """Views and comments through the API, BACKGROUND a second; the result is in the list afterwards."""
        seconds = PROBES / PER_SECOND + 2
        requests = self._world.mix(self._world.images[:IMAGES])
        load = Load(self._world.address, requests, CONNECTIONS, WARM_UP_SECONDS, seconds, BACKGROUND)
        results: list[Result] = []
        thread = threading.Thread(target=lambda: results.append(run(load)))
        thread.start()
        time.sleep(WARM_UP_SECONDS + 1)
        yield results
        thread.join()


def _decoded(records: Iterator[tuple[bytes, float]], decode: Callable[[bytes], T]) -> Iterator[tuple[T, float]]:
    return ((decode(value), at) for value, at in records)


def _milliseconds(moment: datetime) -> float:
    return moment.timestamp() * 1000


def _figures(name: str, ways: Sequence[Way], targets: Mapping[str, float]) -> Iterator[Figure]:
    times = sorted(way.decided - way.happened for way in ways)
    values = {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)], "max": times[-1]}
    for quantile, value in values.items():
        note = _hops(ways) if quantile == "p50" else f"of {len(ways)}" if quantile == "max" else ""
        yield Figure(f"{name}: {quantile}", value, "ms", targets.get(quantile), "at most", note)


def _hops(ways: Sequence[Way]) -> str:
    """Where the time goes on average; the broker's times are cut off, by half a millisecond on average."""
    to_broker = fmean(way.published + 0.5 - way.happened for way in ways)
    to_request = fmean(way.requested - way.published for way in ways)
    to_decision = fmean(way.decided - way.requested - 0.5 for way in ways)
    return f"mean: to the broker {to_broker:.1f}, to the request {to_request:.1f}, to the decision {to_decision:.1f} ms"
