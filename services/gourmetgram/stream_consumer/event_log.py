"""The broker's topics, read in the order of each partition from positions that Redis dictates."""

import logging
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from gourmetgram.core import topics
from gourmetgram.core.broker import CLIENT, MEMBER, BrokerUnavailable, ends_a_member
from gourmetgram.core.records import TOPICS, Record
from gourmetgram.stream_consumer.batch import Ends, Place

log = structlog.get_logger("stream_consumer")

TIMEOUT: Final = 5
LEAVE_SECONDS: Final = 2
NUMBERS: Final = {name: number for number, name in enumerate(TOPICS)}


class TopicsChanged(RuntimeError):
    """The topics are not the ones that Redis has applied."""


class EventLog:
    """A member of the consumer group. Which partitions it owns the group decides, where it reads Redis does.

    All topics have the same number of partitions and members subscribe to all of them, so that the range assignor gives
    one number of every topic to the same member: all events of an image arrive here.
    """

    def __init__(self, servers: str, group: str, instance: str) -> None:
        self._consumer = Consumer(
            {
                **MEMBER,
                "bootstrap.servers": servers,
                "client.id": "stream_consumer",
                "group.id": group,
                # With a name of its own a member that was killed and comes back is given its partitions at once.
                "group.instance.id": f"{group}-{instance}",
                "partition.assignment.strategy": "range",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 500,
                "fetch.queue.backoff.ms": 20,
                "queued.min.messages": 5000,
                "queued.max.messages.kbytes": 8192,
            },
            logger=logging.getLogger("librdkafka"),
        )
        self._owned: frozenset[int] = frozenset()
        self._assignments = 0
        self._consumer.subscribe(list(TOPICS), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def _assigned(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        consumer.assign([])  # nothing is read before Redis has said from where
        self._owned = frozenset(place.partition for place in places)
        self._assignments += 1

    def _revoked(self, consumer: Consumer, _: list[TopicPartition]) -> None:
        consumer.unassign()
        self._owned = frozenset()
        self._assignments += 1

    @property
    def owned(self) -> frozenset[int]:
        """The partition numbers that the group has given us."""
        return self._owned

    @property
    def assignments(self) -> int:
        """How often the group has changed what we own; after each change nothing is read until `read_from`."""
        return self._assignments

    def poll(self, limit: int, seconds: float) -> list[Record]:
        """Up to `limit` records, as soon as there is one or after `seconds` without.

        Raises:
            BrokerUnavailable: the consumer has to be made anew.
        """
        first = self._consumer.poll(seconds)
        if first is None:
            return []
        return list(_records([first, *self._consumer.consume(limit - 1, 0)]))

    def read_from(self, positions: Mapping[Place, int]) -> None:
        """Drop what was fetched and go on at these positions."""
        self._consumer.assign([TopicPartition(TOPICS[topic], number, at) for (topic, number), at in positions.items()])

    def commit(self, positions: Mapping[Place, int]) -> None:
        """Tell the broker how far we are: for people who look at the group's lag, nothing is read from there."""
        places = [TopicPartition(TOPICS[topic], number, at) for (topic, number), at in positions.items()]
        try:
            self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as error:
            log.info("offsets_not_shown", reason=error.args[0].str())

    def range(self, place: Place) -> tuple[int, int]:
        """The first offset that the broker still has, and the next one it will give.

        Raises:
            BrokerUnavailable: it does not answer.
        """
        try:
            return self._consumer.get_watermark_offsets(TopicPartition(TOPICS[place[0]], place[1]), timeout=TIMEOUT)
        except KafkaException as error:
            raise BrokerUnavailable(f"the broker does not answer ({error.args[0].str()})") from error

    def close(self) -> None:
        """Leave. While the broker is away nobody can be told so, and that is not waited for."""
        leaving = threading.Thread(target=self._consumer.close, daemon=True, name="leaving")
        leaving.start()
        leaving.join(LEAVE_SECONDS)


def _records(messages: Collection[Message]) -> Iterator[Record]:
    for message in messages:
        error = message.error()
        if error is None:
            number = NUMBERS[message.topic() or ""]
            yield Record(number, message.partition() or 0, message.offset() or 0, message.key(), message.value())
        elif ends_a_member(error):
            raise BrokerUnavailable(error.str())


class EndsWatcher:
    """Asks the broker again and again where the topics end, on a thread of its own."""

    def __init__(self, servers: str, seconds: float) -> None:
        self._admin = AdminClient({**CLIENT, "bootstrap.servers": servers, "log_level": 0})
        self._seconds = seconds
        self._stopping = threading.Event()
        self._latest: Ends | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True, name="ends")
        self._thread.start()

    @property
    def latest(self) -> Ends | None:
        """The last answer, or None before the first. It grows old while the broker is away."""
        return self._latest

    def close(self) -> None:
        """Stop asking; an answer that is still awaited is not waited for, which takes long when the broker is away."""
        self._stopping.set()
        self._thread.join(0.5)

    def _watch(self) -> None:
        wanted: Any = {
            TopicPartition(topic, partition): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for topic in TOPICS
            for partition in range(topics.PARTITIONS)
        }
        while not self._stopping.wait(self._seconds):
            asked_at = time.time_ns() // 1000
            try:
                answers = self._admin.list_offsets(wanted, request_timeout=TIMEOUT)
                offsets = {(NUMBERS[p.topic], p.partition): answer.result().offset for p, answer in answers.items()}
            except KafkaException:
                continue  # the broker is away: the last answer stands, and stream time with it
            self._latest = Ends(asked_at, offsets)
