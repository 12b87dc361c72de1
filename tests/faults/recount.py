"""What Kafka and PostgreSQL hold, read without any of the platform's own code."""

import gc
import json
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import psycopg2
from kafka import KafkaConsumer, TopicPartition


class Stored(NamedTuple):
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    event: dict[str, Any]


def read_topics(address: str, topics: Sequence[str]) -> list[Stored]:
    """Every record of the topics, from the beginning, ordered by topic, partition and offset."""
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        partitions = [TopicPartition(t, number) for t in topics for number in consumer.partitions_for_topic(t) or ()]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning()
        stored: list[Stored] = []
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for partition, records in consumer.poll(timeout_ms=500).items():
                stored += [Stored(partition.topic, partition.partition, r.offset, json.loads(r.value)) for r in records]
        return sorted(stored, key=lambda record: record[:3])
    finally:
        consumer.close()
        del consumer
        _forget_sockets()


def _forget_sockets() -> None:
    """kafka-python 3.0.12 leaves a socket unclosed when it is closed while it looks for brokers; no leak of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def distinct(records: Iterable[Stored]) -> list[dict[str, Any]]:
    """Each event once, by event id."""
    return list({record.event["event_id"]: record.event for record in records}.values())


class Repeat(NamedTuple):
    """A record that its partition already had, so many records earlier."""

    event_id: str
    distance: int


def repeats(records: Iterable[Stored]) -> list[Repeat]:
    """Records whose event id came before in the same partition; an event id in two partitions is an error."""
    seen: dict[str, Stored] = {}
    found = []
    for record in records:
        event_id = record.event["event_id"]
        if before := seen.get(event_id):
            assert before[:2] == record[:2], f"{event_id} is in two partitions"
            found.append(Repeat(event_id, record.offset - before.offset))
        seen[event_id] = record
    return found


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """The answer to one query."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()
