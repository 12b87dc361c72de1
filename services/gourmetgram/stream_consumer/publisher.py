"""What the consumer says to the broker: requests for moderation, and letters about records that it cannot use."""

import logging
from collections import deque
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from gourmetgram.core import topics
from gourmetgram.core.broker import PRODUCER, BrokerUnavailable, dead_key, dead_letter
from gourmetgram.core.moderation import ModerationRequest, encode_request
from gourmetgram.core.records import TOPICS, Refused

DELIVERY_SECONDS = 10


class Publisher:
    """An idempotent producer. Requests arrive later, and are then found in `arrived` or `failed`."""

    def __init__(self, servers: str) -> None:
        self._producer = Producer(
            {
                **PRODUCER,
                "bootstrap.servers": servers,
                "client.id": "stream_consumer",
                "linger.ms": 0,
                "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
            },
            logger=logging.getLogger("librdkafka"),
        )
        self.arrived: deque[str] = deque()
        """Members of `stream:owed` that the broker has acknowledged."""
        self.failed: deque[str] = deque()
        """Members that it has not, and that have to be sent again."""

    def send(self, request: ModerationRequest, member: str) -> None:
        """Send a request, for which `member` stands in `stream:owed`."""
        try:
            self._producer.produce(
                topics.MODERATION_REQUESTS,
                encode_request(request),
                str(request.image_id),
                on_delivery=self._report(member),
            )
        except BufferError:
            self.failed.append(member)

    def listen(self) -> None:
        """Let acknowledgements in."""
        self._producer.poll(0)

    def bury(self, refused: Sequence[Refused]) -> None:
        """Write dead letters and wait until all have arrived.

        Raises:
            BrokerUnavailable: some may have arrived and others not; the same records will be refused again.
        """
        missing = len(refused)

        def count(error: KafkaError | None, _: Message) -> None:
            nonlocal missing
            missing -= error is None

        try:
            for one in refused:
                self._producer.produce(topics.DEAD_LETTERS, _letter(one), dead_key(one.record.key), on_delivery=count)
        except (KafkaException, BufferError) as error:
            raise BrokerUnavailable(f"{topics.DEAD_LETTERS} does not take dead letters: {error}") from error
        self._producer.flush(DELIVERY_SECONDS + 1)
        if missing:
            raise BrokerUnavailable(f"{missing} of {len(refused)} dead letters were not acknowledged")

    def close(self) -> None:
        """Wait a moment for what is on its way; what does not arrive is still owed."""
        self._producer.flush(2)
        self._producer.purge()
        self._producer.flush(0)

    def _report(self, member: str) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, _: Message) -> None:
            (self.arrived if error is None else self.failed).append(member)

        return report


def _letter(refused: Refused) -> bytes:
    record = refused.record
    topic, value = TOPICS[record.topic], record.value or b""
    return dead_letter(topic, record.partition, record.offset, record.key, value, refused.reason)
