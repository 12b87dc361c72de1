"""A stack that lives through load and incidents, and what is left of it."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults import raw_topics, redis_state
from tests.faults.incidents import Incidents
from tests.faults.load import Ledger, keep_writing
from tests.faults.raw_topics import Raw
from tests.faults.realtime_model import MINUTE, Image, Model, identity, readable
from tests.faults.realtime_traffic import Sent, Traffic
from tests.faults.redis_state import Snapshot
from tests.support.database import superuser, superuser_rows
from tests.support.processes import wait_until

EVENT_TOPICS = tuple(topics.EVENT_TOPICS.values())
KINDS = {topic: kind for kind, topic in topics.EVENT_TOPICS.items()}
SERVICES = ("api_v2", "stream_consumer", "risk_scoring_service")
SETTLE_SECONDS = 60
AHEAD = 8_000
"""Records that the bulk may be ahead of the consumer, so that whoever is killed is killed at work."""

DECISIONS = """
SELECT inference_request_id::text, target_id, trigger_type, served, risk_score, recommendation,
       (extract(epoch FROM as_of) * 1000000)::bigint, features, rationale, partition, offsets,
       (extract(epoch FROM created_at) * 1000000)::bigint
FROM moderation ORDER BY id
"""
MILESTONES = "SELECT image_id, milestone, (extract(epoch FROM reached_at) * 1000000)::bigint FROM image_milestones"
IMAGES = """
SELECT id, user_id, length(caption), (extract(epoch FROM created_at) * 1000000)::bigint, deleted_at IS NOT NULL
FROM images
"""


@dataclass(frozen=True)
class Decision:
    """A row of `moderation`; times in unix microseconds."""

    request_id: str
    image_id: int
    trigger: str
    served: bool
    risk_score: float
    recommendation: str
    as_of: int
    features: Mapping[str, float]
    rationale: Mapping[str, Any]
    partition: int
    offsets: Mapping[str, int]
    decided_at: int

    @property
    def applied(self) -> dict[str, int]:
        """How far the topic of each kind of event had been applied when the counts were frozen."""
        return {KINDS[topic]: offset for topic, offset in self.offsets.items()}


@dataclass(frozen=True)
class Stored:
    """A row of `images`."""

    id: int
    user_id: int
    caption_length: int
    created_at: int
    deleted: bool


@dataclass
class Load:
    """What was done to the platform."""

    sent: Sent
    ledger: Ledger
    incidents: Incidents


def live_through(stack: Stack, seed: int, events: int, writes: int, incidents: Incidents) -> Load:
    """Bulk and writes through the API at once, while the incidents happen."""
    stack.up(*SERVICES)
    wait_until(lambda: _stream_time_is_known(stack), "every partition has a stream time")
    ledger = Ledger(stack.home / "ledger.jsonl")
    with superuser(stack) as connection, ThreadPoolExecutor(3) as pool:
        traffic = Traffic(connection, stack.address("redpanda"), seed)
        traffic.prepare()
        progress = Progress(stack, events - writes, ledger)
        work: list[Future[Any]] = [
            pool.submit(progress.follow, traffic),
            pool.submit(incidents.happen, progress.share),
            pool.submit(asyncio.run, keep_writing(stack.address("api"), ledger, seed, writes)),
        ]
        for one in work:
            one.result()
    ledger.close()
    return Load(traffic.sent, ledger, incidents)


class Progress:
    """How much of the bulk has been sent, and how far the consumer has come with it."""

    def __init__(self, stack: Stack, total: int, ledger: Ledger) -> None:
        self._stack = stack
        self._total = total
        self._ledger = ledger
        self._done = 0
        self._over = False

    def share(self) -> float:
        """From 0 to 1; 1 also when sending has failed, so that nobody waits for the rest."""
        return 1 if self._over else self._done / self._total

    def follow(self, traffic: Traffic) -> None:
        """Send everything, never far ahead of the consumer."""
        try:
            for sent in traffic.send(self._total):
                self._done = sent
                wait_until(self._is_near, "the stream consumer comes after", SETTLE_SECONDS)
        finally:
            self._over = True

    def _is_near(self) -> bool:
        return self._done + len(self._ledger.entries) - redis_state.applied(self._stack) <= AHEAD


def _stream_time_is_known(stack: Stack) -> bool:
    recent = time.time_ns() // 1000 - MINUTE
    watermarks = redis_state.watermarks(stack)
    return len(watermarks) == topics.PARTITIONS and min(watermarks.values()) > recent


@dataclass(frozen=True)
class Aftermath:
    """Everything that the stores and topics hold once all is quiet."""

    redis: Snapshot
    ends: Mapping[str, int]
    """Of the topics of events, by topic/partition."""
    model: Model
    requests: tuple[dict[str, Any], ...]
    """In the order of their topic, repetitions included."""
    letters: tuple[dict[str, Any], ...]
    decisions: tuple[Decision, ...]
    milestones: Mapping[tuple[int, int], int]
    images: Mapping[int, Stored]

    @cached_property
    def questions(self) -> dict[int, dict[str, int]]:
        """What must have been asked about each image by now, or may have been if it was deleted: instant by id."""
        return {image.id: self._questions(image) for image in self.model.images.values()}

    def _questions(self, image: Image) -> dict[str, int]:
        partition = next(event.partition for events in image.events.values() for event in events)
        asked = image.requests(self.redis.watermarks[partition])
        return {identity(image.id, trigger, key): at for (trigger, key), at in asked.items()}

    @classmethod
    def of(cls, stack: Stack) -> "Aftermath":
        """Wait until nothing is on its way any more, stop the stream consumer, and read everything."""
        _settle(stack)
        stack.stop("stream_consumer")
        address = stack.address("redpanda")
        requests = _requests(raw_topics.read(address, [topics.MODERATION_REQUESTS]))
        with superuser_rows(stack) as rows:
            images = {row[0]: Stored(*row) for row in rows(IMAGES)}
            wanted = {one["request_id"] for one in requests if not images[one["image_id"]].deleted}
            _wait_in_vain(lambda: wanted <= {row[0] for row in rows(DECISIONS)})
            decisions = tuple(Decision(*row) for row in rows(DECISIONS))
            milestones = {(image, number): at for image, number, at in rows(MILESTONES)}
        ends = raw_topics.ends(address, EVENT_TOPICS)
        return cls(
            redis=redis_state.snapshot(stack),
            ends={f"{topic}/{partition}": end for (topic, partition), end in ends.items()},
            model=Model(raw_topics.read(address, EVENT_TOPICS), KINDS),
            requests=requests,
            letters=tuple(json.loads(raw.value or b"") for raw in raw_topics.read(address, [topics.DEAD_LETTERS])),
            decisions=decisions,
            milestones=milestones,
            images=images,
        )


def _requests(records: list[Raw]) -> tuple[dict[str, Any], ...]:
    return tuple(content for record in records if (content := readable(record.value)) is not None)


def _settle(stack: Stack) -> None:
    """Wait until the outbox is empty, everything is applied, and nothing is owed."""
    with superuser_rows(stack) as rows:
        wait_until(lambda: rows("SELECT count(*) FROM outbox") == [(0,)], "the outbox is empty", SETTLE_SECONDS)
    ends = raw_topics.ends(stack.address("redpanda"), EVENT_TOPICS)
    wait_until(lambda: redis_state.applied(stack) == sum(ends.values()), "everything is applied", SETTLE_SECONDS)
    wait_until(lambda: redis_state.owed(stack) == 0, "nothing is owed any more", SETTLE_SECONDS)


def _wait_in_vain(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for what tests look at anyway, and say much more about than that it did not come."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
