"""Kafka, as the relay needs it: a whole batch acknowledged, or an error and nothing of it sent later."""

import logging
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from gourmetgram.core.broker import PRODUCER, BrokerUnavailable
from gourmetgram.outbox_relay.batch import Record

REFUSED = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD})
"""What a broker says of a record that it will never take, however often it is sent."""


class Publisher:
    """An idempotent producer that waits for every acknowledgement."""

    def __init__(self, servers: str, delivery_seconds: float) -> None:
        """Start a producer of `host:port,…` that gives up on a record after `delivery_seconds`."""
        self._delivery_seconds = delivery_seconds
        self._producer = Producer(
            {
                **PRODUCER,
                "bootstrap.servers": servers,
                "client.id": "outbox_relay",
                "linger.ms": 1,
                "delivery.timeout.ms": int(delivery_seconds * 1000),
                "socket.timeout.ms": int(delivery_seconds * 1000),
                "socket.connection.setup.timeout.ms": 3000,
                "topic.metadata.refresh.interval.ms": 60_000,
            },
            logger=logging.getLogger("librdkafka"),
        )

    def require_topics(self, topics: Collection[str]) -> None:
        """Raise BrokerUnavailable when the broker is away or lacks one of the topics."""
        try:
            known = self._producer.list_topics(timeout=3).topics
        except KafkaException as error:
            raise BrokerUnavailable(f"the broker does not answer ({_reason(error)})") from error
        if missing := sorted(set(topics) - set(known)):
            raise BrokerUnavailable(f"the broker has no topic {', '.join(missing)}; run topics-init")

    def publish(self, records: Sequence[Record]) -> dict[int, str]:
        """Send the records in order and wait until each is acknowledged.

        Returns:
            The reason by position for each record that the broker will never take.

        Raises:
            BrokerUnavailable: some records may be in Kafka and others not; discard this publisher.
        """
        failures = self._send(records)
        if any(error.code() not in REFUSED for error in failures.values()):
            raise BrokerUnavailable(
                f"{len(failures)} of {len(records)} events not delivered ({next(iter(failures.values()))})"
            )
        return {position: reason for position in sorted(failures) if (reason := self._refusal(records[position]))}

    def discard(self) -> None:
        """Forget everything not yet sent and stop; nothing of an earlier batch leaves this process afterwards."""
        self._producer.purge()
        self._producer.flush(0)
        self._producer.close()

    def _refusal(self, record: Record) -> str | None:
        """Send alone what failed in company: a broker refuses all records of a request for one that is too large."""
        failures = self._send([record])
        if not failures:
            return None
        if failures[0].code() in REFUSED:
            return str(failures[0].str())
        raise BrokerUnavailable(f"an event was not delivered ({failures[0]})")

    def _send(self, records: Sequence[Record]) -> dict[int, KafkaError]:
        """Errors by position; a record without a delivery report counts as timed out."""
        failures = dict.fromkeys(range(len(records)), KafkaError(KafkaError._MSG_TIMED_OUT))

        def report(position: int, error: KafkaError | None, _message: Message) -> None:
            if error is None:
                del failures[position]
            else:
                failures[position] = error

        for position, record in enumerate(records):
            try:
                self._producer.produce(record.topic, record.value, record.key, on_delivery=partial(report, position))
            except KafkaException as error:  # refused here already, before it is sent
                failures[position] = error.args[0]
            except BufferError as error:
                raise BrokerUnavailable("the producer's queue is full") from error
        self._producer.flush(self._delivery_seconds + 1)
        return failures


def _reason(error: KafkaException) -> Any:
    return error.args[0].str()
