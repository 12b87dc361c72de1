"""The records of topics, each with its offset, and how far groups of consumers have come."""

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random_exponential

from gourmetgram.core import topics
from gourmetgram.core.broker import CLIENT, PRODUCER
from gourmetgram.state.bundle import Member, Writer

SECONDS: Final = 30
PIECE: Final = 5000
PLACES = [(topic, number) for topic in topics.ALL for number in range(topics.PARTITIONS)]


class TopicsDiffer(RuntimeError):
    """The topics cannot be saved as they are, or restored where they are."""


UNTIL_IT_IS_WELL: Final = retry(
    retry=retry_if_exception_type((TopicsDiffer, KafkaException)),
    stop=stop_after_delay(SECONDS),
    wait=wait_random_exponential(multiplier=0.2, max=2),
    reraise=True,
)
"""A broker that was started a moment ago does not know its groups yet, and takes no offsets."""


class Log:
    """All topics of one broker."""

    def __init__(self, servers: str) -> None:
        self._common = {**CLIENT, "bootstrap.servers": servers}
        self._admin = AdminClient(self._common)

    def ranges(self) -> dict[str, tuple[int, int]]:
        """The first offset that is left and the next one, by topic/partition."""
        consumer = Consumer({**self._common, "group.id": "state"})
        try:
            places = {f"{topic}/{number}": TopicPartition(topic, number) for topic, number in PLACES}
            return {name: consumer.get_watermark_offsets(place, timeout=SECONDS) for name, place in places.items()}
        finally:
            consumer.close()

    def groups(self, known: Collection[str] = ()) -> dict[str, dict[str, int]]:
        """The next offset in our topics of each group that has committed any, by group and topic/partition.

        A broker lists a group only some time after its first offset was committed; those in `known` are asked about
        in any case.

        Raises:
            TopicsDiffer: the broker does not know all its groups, and still does not after SECONDS.
        """
        found = {}
        for group in sorted({*known, *self._listed_groups()}):
            future = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
            places = future.result().topic_partitions or []
            offsets = {
                f"{one.topic}/{one.partition}": one.offset
                for one in sorted(places, key=lambda one: (one.topic, one.partition))
                if one.offset != OFFSET_INVALID and (one.topic, one.partition) in PLACES
            }
            if offsets:
                found[group] = offsets
        return found

    @UNTIL_IT_IS_WELL
    def _listed_groups(self) -> list[str]:
        listed = self._admin.list_consumer_groups(request_timeout=SECONDS).result()
        if listed.errors:
            raise TopicsDiffer(f"the broker does not list all groups: {listed.errors[0]}")
        return [one.group_id for one in listed.valid]

    def save(self, writer: Writer, ranges: dict[str, tuple[int, int]]) -> None:
        """Add all records, partition by partition.

        Raises:
            TopicsDiffer: offsets are missing in the middle, which these topics never have.
        """
        consumer = Consumer({**self._common, "group.id": "state", "enable.auto.commit": False})
        try:
            for name, (first, end) in ranges.items():
                for piece, lines in enumerate(_pieces(_read(consumer, name, first, end))):
                    writer.add(f"topics/{name}/{piece:06}", b"".join(lines))
        finally:
            consumer.close()

    def restore_groups(self, groups: Mapping[str, Mapping[str, int]]) -> None:
        """Let groups go on where they were.

        Raises:
            TopicsDiffer: the broker refuses an offset, and still does after SECONDS.
        """
        for group, offsets in groups.items():
            self._restore_group(group, offsets)

    @UNTIL_IT_IS_WELL
    def _restore_group(self, group: str, offsets: Mapping[str, int]) -> None:
        places = [TopicPartition(*_place(name), offset) for name, offset in offsets.items()]
        asked = ConsumerGroupTopicPartitions(group, places)
        answer = self._admin.alter_consumer_group_offsets([asked], request_timeout=SECONDS)[group].result()
        if refused := [f"{one.topic}/{one.partition}: {one.error}" for one in answer.topic_partitions if one.error]:
            raise TopicsDiffer(f"the offsets of {group} are refused: {', '.join(refused)}")

    def loading(self) -> "Loading":
        """What takes records into empty topics."""
        return Loading(self._common, self._admin)


class Loading:
    """Records on their way into empty topics, each to the offset that it had."""

    def __init__(self, common: dict[str, Any], admin: AdminClient) -> None:
        self._producer = Producer({**PRODUCER, **common, "linger.ms": 20})
        self._admin = admin
        self._wrong: list[str] = []

    def begin_at(self, ranges: dict[str, tuple[int, int]]) -> None:
        """Let each partition begin at its first offset: what was before it has been too old to keep."""
        late = {name: first for name, (first, _) in ranges.items() if first}
        for name, first in late.items():
            topic, number = _place(name)
            for _ in range(first):
                self._produce(topic, value=None, partition=number)
        self.finish()
        ends = [TopicPartition(*_place(name), first) for name, first in late.items()]
        for future in self._admin.delete_records(ends, request_timeout=SECONDS).values() if ends else ():
            future.result()

    def load(self, member: Member) -> None:
        """Records of one piece of a partition."""
        topic, number = member.parts[1], int(member.parts[2])
        for line in member.content:
            offset, timestamp, key, value, headers = json.loads(line)
            self._produce(
                topic,
                partition=number,
                timestamp=timestamp,
                key=_bytes(key),
                value=_bytes(value),
                headers=[(name, _bytes(text)) for name, text in headers],
                on_delivery=self._expecting(offset),
            )
        self.finish()

    def finish(self) -> None:
        """Wait until the broker has everything.

        Raises:
            TopicsDiffer: a record did not come to its offset.
        """
        left = self._producer.flush(SECONDS)
        if left or self._wrong:
            raise TopicsDiffer(self._wrong[0] if self._wrong else f"{left} records were not acknowledged")

    def _produce(self, topic: str, **record: Any) -> None:
        while True:
            try:
                self._producer.produce(topic, **record)
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def _expecting(self, offset: int) -> Any:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error or message.offset() != offset:
                where = f"{message.topic()}/{message.partition()}"
                self._wrong.append(f"{where}: expected offset {offset}, got {error or message.offset()}")

        return delivered


def _read(consumer: Consumer, name: str, first: int, end: int) -> Iterator[bytes]:
    topic, number = _place(name)
    consumer.assign([TopicPartition(topic, number, first)])
    expected = first
    while expected < end:
        messages = consumer.consume(min(end - expected, PIECE), SECONDS)
        if not messages:
            raise TopicsDiffer(f"{name}: no record came for {SECONDS} s after offset {expected}")
        for message in messages:
            if message.error() or message.offset() != expected:
                raise TopicsDiffer(f"{name}: expected offset {expected}, got {message.error() or message.offset()}")
            expected += 1
            yield _line(message)


def _line(message: Message) -> bytes:
    headers = [(one[0], _text(one[1])) for one in message.headers() or []]
    told = [message.offset(), message.timestamp()[1], _text(message.key()), _text(message.value()), headers]
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def _pieces(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    piece: list[bytes] = []
    for line in lines:
        piece.append(line)
        if len(piece) == PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def _place(name: str) -> tuple[str, int]:
    topic, _, number = name.partition("/")
    return topic, int(number)


def _text(value: Any) -> str | None:
    return None if value is None else b64encode(value).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
