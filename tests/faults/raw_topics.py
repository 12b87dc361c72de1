"""Records of the topics as they are, readable or not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

SILENCE_SECONDS = 10


class Raw(NamedTuple):
    """One record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


def ends(address: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """The next offset of each partition of the topics."""
    return {place: end for place, (_, end) in ranges(address, topics).items()}


@retry(retry=retry_if_exception_type(KafkaException), stop=stop_after_delay(30), wait=wait_fixed(0.2), reraise=True)
def ranges(address: str, topics: Sequence[str]) -> dict[tuple[str, int], tuple[int, int]]:
    """The earliest offset that is left of each partition of the topics, and the next one.

    Partitions that were made a moment ago have no leader yet, so it asks again.
    """
    known = AdminClient({"bootstrap.servers": address}).list_topics(timeout=10).topics
    consumer = Consumer({"bootstrap.servers": address, "group.id": "nobody"})
    try:
        return {
            (topic, number): consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            for topic in topics
            for number in known[topic].partitions
        }
    finally:
        consumer.close()


def read(address: str, topics: Sequence[str], since: Mapping[tuple[str, int], int] | None = None) -> list[Raw]:
    """Every record that is in the topics now, or those from these offsets on, by topic, partition and offset."""
    wanted = ranges(address, topics)
    if since:
        wanted = {place: (since[place], end) for place, (_, end) in wanted.items()}
    return sorted(_records(address, wanted), key=lambda record: record[:3])


def _records(address: str, wanted: dict[tuple[str, int], tuple[int, int]]) -> Iterator[Raw]:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "nobody", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, number, first) for (topic, number), (first, _) in wanted.items()])
    missing = sum(end - first for first, end in wanted.values())
    try:
        while missing > 0:
            messages = consumer.consume(min(missing, 5000), SILENCE_SECONDS)
            assert messages, f"{missing} records did not come"
            for message in messages:
                assert message.error() is None, message.error()
                record = Raw(
                    message.topic() or "",
                    message.partition() or 0,
                    message.offset() or 0,
                    message.key(),
                    message.value(),
                )
                if record.offset < wanted[record.topic, record.partition][1]:
                    missing -= 1
                    yield record
    finally:
        consumer.close()
