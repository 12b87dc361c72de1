"""The topic of requests for moderation."""

import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from gourmetgram.core import topics
from gourmetgram.core.broker import MEMBER, PRODUCER, BrokerUnavailable, dead_key, dead_letter, ends_a_member

DELIVERY_SECONDS: Final = 10


class Raw(NamedTuple):
    """A record of the topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes


class RequestLog:
    """A member of the scorers' group, which begins where the group last committed."""

    def __init__(self, servers: str, group: str, instance: str) -> None:
        self._consumer = Consumer(
            {
                **MEMBER,
                "bootstrap.servers": servers,
                "client.id": "risk_scoring",
                "group.id": group,
                # With a name of its own a member that was killed and comes back is given its partitions at once.
                "group.instance.id": f"{group}-{instance}",
                "enable.auto.commit": True,
                "auto.commit.interval.ms": 500,
                # An offset is committed only once its decision is: until then it is not "stored".
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
            },
            logger=logging.getLogger("librdkafka"),
        )
        self._consumer.subscribe([topics.MODERATION_REQUESTS])

    def poll(self, limit: int, seconds: float) -> list[Raw]:
        """Up to `limit` records, as soon as there is one or after `seconds` without.

        Raises:
            BrokerUnavailable: the member has to be made anew.
        """
        first = self._consumer.poll(seconds)
        if first is None:
            return []
        messages = [first, *self._consumer.consume(limit - 1, 0)]
        return [_raw(message) for message in messages if _is_record(message)]

    def done(self, records: Sequence[Raw]) -> None:
        """These have been decided: a restart begins behind them. Losing this note costs a repetition, nothing else."""
        reached = {record.partition: record.offset + 1 for record in records}
        places = [TopicPartition(topics.MODERATION_REQUESTS, number, at) for number, at in reached.items()]
        try:
            self._consumer.store_offsets(offsets=places)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:  # the partition is another member's by now
                raise

    def lag(self) -> int:
        """Records not yet read, as far as the last answers of the broker tell."""
        lag = 0
        for place in self._consumer.position(self._consumer.assignment()):
            _, end = self._consumer.get_watermark_offsets(place, cached=True)
            lag += max(0, end - place.offset) if place.offset >= 0 else 0
        return lag

    def close(self) -> None:
        """Commit and leave."""
        self._consumer.close()


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is not None and ends_a_member(error):
        raise BrokerUnavailable(error.str())
    return error is None


def _raw(message: Message) -> Raw:
    return Raw(message.partition() or 0, message.offset() or 0, message.key(), message.value() or b"")


class DeadLetters:
    """Where records go that are no requests."""

    def __init__(self, servers: str) -> None:
        self._producer = Producer(
            {
                **PRODUCER,
                "bootstrap.servers": servers,
                "client.id": "risk_scoring",
                "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
            },
            logger=logging.getLogger("librdkafka"),
        )

    def bury(self, record: Raw, reason: str) -> None:
        """Write a dead letter and wait for it.

        Raises:
            BrokerUnavailable: it may not have arrived; the same record will be refused again.
        """
        arrived: list[bool] = []
        self._producer.produce(
            topics.DEAD_LETTERS,
            dead_letter(topics.MODERATION_REQUESTS, record.partition, record.offset, record.key, record.value, reason),
            dead_key(record.key),
            on_delivery=lambda error, _: arrived.append(error is None),
        )
        self._producer.flush(DELIVERY_SECONDS + 1)
        if arrived != [True]:
            raise BrokerUnavailable(f"{topics.DEAD_LETTERS} did not acknowledge a dead letter")
