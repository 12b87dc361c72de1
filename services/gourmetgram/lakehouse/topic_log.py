"""The topics as the lakehouse reads them: from given offsets up to given ends, without a consumer group."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from typing import Final, Self

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from gourmetgram.core import topics
from gourmetgram.core.broker import CLIENT, BrokerUnavailable
from gourmetgram.core.records import TOPICS, Record
from gourmetgram.lakehouse.offsets import Offsets, Place, Range

PLACES: Final = tuple(Place(topic, number) for topic in TOPICS for number in range(topics.PARTITIONS))
TIMEOUT: Final = 10
"""Seconds without an answer after which the broker counts as away."""

BATCH: Final = 5000
"""Records that exist as Python objects at a time."""

NUMBERS: Final = {name: number for number, name in enumerate(TOPICS)}


class TopicLog:
    """Reads the event topics. Raises BrokerUnavailable when the broker is away; the run is then tried again."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    @classmethod
    @contextmanager
    def open(cls, servers: str) -> Iterator[Self]:
        """A reader of these brokers, which belongs to no group and leaves no trace at the broker."""
        settings = {
            **CLIENT,
            "bootstrap.servers": servers,
            "client.id": "lakehouse",
            "group.id": "gourmetgram-lakehouse",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "queued.max.messages.kbytes": 16384,
            "fetch.max.bytes": 16 * 1024 * 1024,
            "fetch.wait.max.ms": 10,  # what is asked for is there; a request for the next must not wait behind the last
        }
        with closing(Consumer(settings, logger=logging.getLogger("librdkafka"))) as consumer:
            yield cls(consumer)

    def ranges(self) -> dict[Place, Range]:
        """What the broker has at this moment, of the places that exist."""
        with _answered():
            known = self._consumer.list_topics(timeout=TIMEOUT).topics
        found = {}
        for place in PLACES:
            if place.topic in known and place.partition in known[place.topic].partitions:
                with _answered():
                    found[place] = Range(*self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=TIMEOUT))
        return found

    def prints_before(self, offsets: Offsets, ranges: Mapping[Place, Range]) -> dict[Place, str]:
        """Fingerprints of the records right before these offsets, where the broker has them."""
        wanted = {
            place: offset
            for place, offset in offsets.items()
            if place in ranges and ranges[place].first < offset <= ranges[place].end
        }
        befores = {place: offset - 1 for place, offset in wanted.items()}
        records = (record for batch in self.read(befores, wanted) for record in batch)
        return {Place(TOPICS[record.topic], record.partition): fingerprint(record.value) for record in records}

    def read(self, starts: Offsets, ends: Offsets) -> Iterator[Sequence[Record]]:
        """All records from `starts` up to `ends`, in batches; those of a place in their order."""
        missing = {place: end for place, end in ends.items() if starts[place] < end}
        self._consumer.assign([TopicPartition(*place, starts[place]) for place in missing])
        heard = time.monotonic()
        while missing:
            if batch := self._wanted(self._fetched(), missing):
                yield batch
                heard = time.monotonic()
            elif time.monotonic() - heard > TIMEOUT:
                waiting = ", ".join(map(str, missing))
                raise BrokerUnavailable(
                    f"no record came for {TIMEOUT} s, and these are not read to their end: {waiting}"
                )
        self._consumer.unassign()

    def _wanted(self, messages: Sequence[Message], missing: dict[Place, int]) -> list[Record]:
        """The records before the ends; places that have come to theirs are no longer `missing`."""
        wanted = []
        for message in messages:
            error = message.error()
            if error is not None:
                raise BrokerUnavailable(f"the broker does not give its records ({error.str()})")
            topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
            place = Place(topic, partition)
            end = missing.get(place, 0)
            if offset < end:
                wanted.append(Record(NUMBERS[topic], partition, offset, message.key(), message.value()))
            if offset + 1 >= end and place in missing:
                del missing[place]
        return wanted

    def _fetched(self) -> list[Message]:
        """What has come, as soon as anything has. A message without a value is false, so only None is no message."""
        first = self._consumer.poll(1.0)
        return [] if first is None else [first, *self._consumer.consume(BATCH - 1, 0)]


def fingerprint(value: bytes | None) -> str:
    """What tells a record from another one: event ids are in it, so no two are alike."""
    return sha256(value or b"").hexdigest()[:16]


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        raise BrokerUnavailable(f"the broker does not answer ({error.args[0].str()})") from error
