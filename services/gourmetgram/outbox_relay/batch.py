"""What one batch means: records to send, views to add up, rows that can never be sent. No I/O."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

LONGEST_DEAD_PAYLOAD = 65_536
"""Characters of a refused payload that its dead letter keeps, so that the letter itself is never too large."""


class OutboxRow(NamedTuple):
    """One event waiting to be published; `created_at` in unix seconds, `payload` is JSON text."""

    id: int
    topic: str
    key: int | None
    payload: str
    created_at: float


class Record(NamedTuple):
    """What Kafka gets for one row."""

    topic: str
    key: str | None
    value: str


class Batch(NamedTuple):
    """Rows that can be sent as they are, and the others with the reason why not."""

    good: list[OutboxRow]
    bad: list[tuple[OutboxRow, str]]


def divide(rows: Iterable[OutboxRow], topics: Collection[str]) -> Batch:
    """Separate the rows of topics that exist from those no broker will ever accept, each in id order."""
    batch = Batch([], [])
    for row in sorted(rows):
        if row.topic in topics:
            batch.good.append(row)
        else:
            batch.bad.append((row, f"unknown topic {row.topic!r}"))
    return batch


def record(row: OutboxRow) -> Record:
    """The Kafka record of a row; equal keys share a partition, so the events of an image keep their order."""
    return Record(row.topic, None if row.key is None else str(row.key), row.payload)


def dead_letter(row: OutboxRow, reason: str, topic: str) -> Record:
    """A record for the dead letter topic that says what was refused, why, and how it began."""
    value = {
        "schema_version": 1,
        "outbox_id": row.id,
        "topic": row.topic,
        "key": row.key,
        "reason": reason,
        "created_at": row.created_at,
        "payload": row.payload[:LONGEST_DEAD_PAYLOAD],
        "payload_characters": len(row.payload),
    }
    return Record(topic, None if row.key is None else str(row.key), json.dumps(value))


def views_by_image(rows: Iterable[OutboxRow], views_topic: str) -> Mapping[int, int]:
    """How many views each image gained in these rows, so that an image is updated once a batch."""
    return Counter(row.key for row in rows if row.topic == views_topic and row.key is not None)


def oldest(rows: Sequence[OutboxRow]) -> float | None:
    """When the oldest of the rows was written (unix seconds), or None without rows."""
    return min((row.created_at for row in rows), default=None)
