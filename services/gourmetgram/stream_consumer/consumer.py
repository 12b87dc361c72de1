"""The consumer's loop: read, apply in one call to Redis, deliver what follows; after any failure start from Redis.

There is one way to begin, and everything that goes wrong leads back to it: `resume` reads the offsets that Redis has
applied, goes there, and sends again what is owed. Nothing that matters is kept in this process.
"""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import redis
import structlog
from confluent_kafka import KafkaException

from gourmetgram.core.backoff import Backoff
from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.core.records import TOPICS, Applicable, Record, Refused, read
from gourmetgram.stream_consumer.batch import Ends, Place, Progress, in_order
from gourmetgram.stream_consumer.event_log import EndsWatcher, EventLog, TopicsChanged
from gourmetgram.stream_consumer.metrics import Metrics
from gourmetgram.stream_consumer.milestones import Milestone, Milestones
from gourmetgram.stream_consumer.publisher import Publisher
from gourmetgram.stream_consumer.state import AnotherLayout, Behind, Outcome, Step, Store

log = structlog.get_logger("stream_consumer")

POLL_SECONDS = 0.05
COMMIT_SECONDS = 1.0


@dataclass(frozen=True)
class Parts:
    """The adapters of the consumer, made anew with each session but for the last three."""

    open_log: Callable[[], EventLog]
    open_store: Callable[[], Store]
    publisher: Publisher
    milestones: Milestones
    ends: EndsWatcher


class StreamConsumer:
    """Applies the topics to Redis, through failures of everything around it, until told to stop."""

    def __init__(self, parts: Parts, metrics: Metrics, backoff: Backoff, batch_limit: int) -> None:
        self._parts = parts
        self._metrics = metrics
        self._backoff = backoff
        self._batch_limit = batch_limit
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End `run` after the batch at hand."""
        self._stopping.set()

    def run(self) -> None:
        """Consume until stopped. There is no limit on attempts: the events wait in the topics however long it takes."""
        while not self._stopping.is_set():
            event_log, store = self._parts.open_log(), self._parts.open_store()
            try:
                while not self._stopping.is_set():
                    self._try(Session(self._parts, event_log, store, self._metrics, self._batch_limit))
            except (BrokerUnavailable, KafkaException, TopicsChanged) as failure:
                self._rest_after(failure)  # then with a new member of the group
            finally:
                event_log.close()
                store.close()

    def _try(self, session: "Session") -> None:
        try:
            session.resume()
            while not self._stopping.is_set() and session.is_current():
                session.step()
                self._backoff.reset()
        except (redis.RedisError, Behind, AnotherLayout) as failure:
            self._rest_after(failure)

    def _rest_after(self, failure: Exception) -> None:
        seconds = self._backoff.after_failure(random.random())  # noqa: S311 - spreads retries, not a secret
        kind = type(failure).__name__
        self._metrics.failures.labels(kind).inc()
        log.warning("trying again", kind=kind, reason=str(failure).strip(), wait_seconds=round(seconds, 2))
        self._stopping.wait(seconds)


class Batch(NamedTuple):
    """Records as they were read, and the events among them."""

    records: Sequence[Record]
    events: Sequence[Applicable]


NOTHING: Final = Batch((), ())


class Session:
    """From one assignment of partitions, or one failure, to the next."""

    def __init__(self, parts: Parts, event_log: EventLog, store: Store, metrics: Metrics, batch_limit: int) -> None:
        self._parts = parts
        self._log = event_log
        self._store = store
        self._metrics = metrics
        self._batch_limit = batch_limit
        self._assignment = event_log.assignments
        self._progress = Progress({})
        self._committed_at = 0.0
        self._applied_ends: Ends | None = None
        self._next = NOTHING
        self._more = False

    def is_current(self) -> bool:
        """Whether the group has left us what it gave us."""
        return self._assignment == self._log.assignments

    # ---- beginning

    def resume(self) -> None:
        """Go to the offsets that Redis has applied, and send again what is owed."""
        self._store.require_layout()
        positions = self._store.positions(self._log.owned)
        for place, offset in positions.items():
            positions[place] = self._existing(place, offset)
        self._log.read_from(positions)
        self._progress = Progress(positions)
        self._send_again(self._store.owed(self._log.owned))
        if positions:
            log.info("reading", partitions=self._progress.partitions, applied=sum(positions.values()))

    def _existing(self, place: Place, offset: int) -> int:
        first, end = self._log.range(place)
        name = f"{TOPICS[place[0]]}/{place[1]}"
        if offset > end:
            raise TopicsChanged(
                f"{name} ends at offset {end}, but {offset} were applied: the topic was made anew, or has lost its "
                f"end. The counts belong to other topics. Stop the stream consumer, run forget-counts, start it again."
            )
        if offset < first:
            if offset > 0:
                log.error("events expired uncounted", place=name, records=first - offset, next_offset=first)
            self._store.skip_to(place, first)
        return max(offset, first)

    def _send_again(self, members: Sequence[str]) -> None:
        for member in members:
            _, kind, rest = member.split("/", 2)
            if kind == "milestone":
                self._parts.milestones.write(member)
            elif request := self._store.request(rest):
                self._parts.publisher.send(request, member)
            else:
                self._parts.publisher.arrived.append(member)  # its image has been deleted: nobody waits for it

    # ---- going on

    def step(self) -> None:
        """One turn: apply what has come, if anything has, and deliver what follows from it."""
        batch = self._next if self._next.records else self._fetch(0 if self._more else POLL_SECONDS)
        self._next = NOTHING
        if not self.is_current() or not self._progress.positions:
            return
        began = time.monotonic()
        self._parts.publisher.listen()
        failed = _drained(self._parts.publisher.failed)
        delivered = _drained(self._parts.publisher.arrived) + _drained(self._parts.milestones.arrived)
        ends = self._parts.ends.latest
        if batch.records or delivered or self._more or ends is not self._applied_ends:
            self._apply(batch, delivered, ends)
            self._applied_ends = ends
        if batch.records:
            self._metrics.batch_records.observe(len(batch.records))
            self._metrics.batch_seconds.observe(time.monotonic() - began)
        self._send_again(failed)
        self._show_progress(ends)

    def _fetch(self, seconds: float) -> Batch:
        records = self._log.poll(self._batch_limit, seconds)
        return Batch(records, self._readable(records)) if records else NOTHING

    def _fetch_next(self) -> None:
        self._next = self._fetch(0)

    def _apply(self, batch: Batch, delivered: list[str], ends: Ends | None) -> None:
        reached = {(record.topic, record.partition): record.offset + 1 for record in batch.records}
        after = self._progress.advanced(reached, batch.events)
        step = Step(self._progress, after, in_order(batch.events), delivered, ends)
        outcome = self._store.apply(step, self._fetch_next)
        self._progress, self._more = after, outcome.more
        self._metrics.applied(Counter(TOPICS[record.topic] for record in batch.records), outcome)
        self._deliver(outcome)

    def _readable(self, records: Sequence[Record]) -> list[Applicable]:
        """The events of a batch. What is none gets a dead letter first: once applied, nobody looks at it again."""
        now = time.time_ns() // 1000
        results = [read(record, now) for record in records]
        refused = [one for one in results if isinstance(one, Refused)]
        if refused:
            self._parts.publisher.bury(refused)
            self._metrics.dead_letters.inc(len(refused))
        for one in refused:
            place = f"{TOPICS[one.record.topic]}/{one.record.partition}"
            log.error("dead letter", place=place, offset=one.record.offset, reason=one.reason)
        return [one for one in results if isinstance(one, Applicable)]

    def _deliver(self, outcome: Outcome) -> None:
        for request in outcome.requests:
            self._parts.publisher.send(request, f"{request.partition}/request/{request.request_id}")
        self._parts.publisher.listen()
        for member in outcome.milestones:
            self._parts.milestones.write(member)
        _tell(outcome)

    def _show_progress(self, ends: Ends | None) -> None:
        if time.monotonic() - self._committed_at >= COMMIT_SECONDS:
            self._committed_at = time.monotonic()
            self._metrics.behind(self._progress.lag(ends))
            self._log.commit(self._progress.positions)


def _drained(members: deque[str]) -> list[str]:
    return [members.popleft() for _ in range(len(members))]


def _tell(outcome: Outcome) -> None:
    """What a person who reads the log wants to see."""
    for request in outcome.requests:
        log.info(
            f"image {request.image_id} is to be scored: {request.trigger} {request.key}",
            image_id=request.image_id,
            request_id=str(request.request_id),
            trigger=request.trigger,
        )
    for one in map(Milestone.of, outcome.milestones):
        log.info(f"image {one.image_id} has {one.milestone} views", image_id=one.image_id, milestone=one.milestone)
    for image_id, views in outcome.popular:
        log.info(f"image {image_id} is popular: {views} views within the hour", image_id=int(image_id), views=views)
