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
        return {
            _place(message): fingerprint(message.value())
            for messages in self._messages(befores, wanted)
            for message in messages
        }

    def read(self, starts: Offsets, ends: Offsets) -> Iterator[Sequence[Record]]:
        """All records from `starts` up to `ends`, in batches; those of a place in their order."""
        for messages in self._messages(starts, ends):
            yield [_record(message) for message in messages]

    def _messages(self, starts: Offsets, ends: Offsets) -> Iterator[list[Message]]:
        missing = {place: end for place, end in ends.items() if starts[place] < end}
        places = [TopicPartition(*place, starts[place]) for place in missing]
        self._consumer.assign(places)
        self._consumer.resume(places)  # what was paused stays so through another assignment
        heard = time.monotonic()
        while missing:
            messages = [self._checked(message) for message in self._fetched()]
            wanted = [message for message in messages if (message.offset() or 0) < missing.get(_place(message), 0)]
            for message in messages:
                if (message.offset() or 0) + 1 >= missing.get(_place(message), -1 + 2**63):
                    del missing[_place(message)]
                    self._consumer.pause([TopicPartition(*_place(message))])
            if wanted:
                heard = time.monotonic()
                yield wanted
            elif time.monotonic() - heard > TIMEOUT:
                raise BrokerUnavailable(
                    f"no record came for {TIMEOUT} s, {len(missing)} partitions are not read to their end"
                )
        self._consumer.unassign()

    def _fetched(self) -> list[Message]:
        """What has come, as soon as anything has."""
        first = self._consumer.poll(1.0)
        return [first, *self._consumer.consume(BATCH - 1, 0)] if first else []

    @staticmethod
    def _checked(message: Message) -> Message:
        error = message.error()
        if error is not None:
            raise BrokerUnavailable(f"the broker does not give its records ({error.str()})")
        return message


def fingerprint(value: bytes | None) -> str:
    """What tells a record from another one: event ids are in it, so no two are alike."""
    return sha256(value or b"").hexdigest()[:16]


def _place(message: Message) -> Place:
    return Place(message.topic() or "", message.partition() or 0)


def _record(message: Message) -> Record:
    number = NUMBERS[message.topic() or ""]
    return Record(number, message.partition() or 0, message.offset() or 0, message.key(), message.value())


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        raise BrokerUnavailable(f"the broker does not answer ({error.args[0].str()})") from error
