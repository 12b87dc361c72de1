"""From records of the topics to the columns of the tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
import pyarrow as pa
import structlog

from gourmetgram.core.events import Deletion
from gourmetgram.core.records import KINDS, TOPICS, Applicable, Record, Refused, read
from gourmetgram.lakehouse.offsets import Place
from gourmetgram.lakehouse.topic_log import fingerprint

log = structlog.get_logger("lakehouse")

OF_SOME: Final = ("comment_id", "flag_id", "reason", "caption_length", "category")
"""Fields that only some types of events have; in the others the column is empty."""

INSTANT: Final = pa.timestamp("us", tz="UTC")

EVENT_SCHEMA: Final = pa.schema(
    {
        "event_id": pa.string(),
        "event_type": pa.string(),
        "occurred_at": INSTANT,
        "image_id": pa.int64(),
        "user_id": pa.int64(),
        "is_test": pa.bool_(),
        "imported": pa.bool_(),
        "comment_id": pa.int64(),
        "flag_id": pa.int64(),
        "reason": pa.string(),
        "caption_length": pa.int64(),
        "category": pa.string(),
        "topic": pa.string(),
        "partition": pa.int32(),
        "offset": pa.int64(),
        "read_order": pa.int64(),
    }
)
"""The columns of the table of events, and the order in which the records were read."""

DELETED_SCHEMA: Final = pa.schema(
    {
        "image_id": pa.int64(),
        "deleted_at": INSTANT,
        "event_id": pa.string(),
        "partition": pa.int32(),
        "offset": pa.int64(),
    }
)


class Chunk(NamedTuple):
    """What one commit is made from."""

    events: pa.Table
    deletions: pa.Table
    reached: dict[Place, int]
    prints: dict[Place, str]
    refused: int


def chunks(batches: Iterable[Sequence[Record]], limit: int, now: int) -> Iterator[Chunk]:
    """Records as chunks of `limit`, the last one of the rest; `now` (unix microseconds) is when the future begins."""
    building = _Builder(now)
    for batch in batches:
        rest = batch
        while rest:
            missing = limit - building.records
            building.add(rest[:missing])
            rest = rest[missing:]
            if building.records == limit:
                yield building.chunk()
                building = _Builder(now)
    if building.records:
        yield building.chunk()


class _Builder:
    """Gathers records; only columns are kept of them."""

    def __init__(self, now: int) -> None:
        self.records = 0
        self._now = now
        self._events: list[pa.RecordBatch] = []
        self._deletions: list[pa.RecordBatch] = []
        self._last: dict[tuple[int, int], Record] = {}
        self._refused = 0
        self._in_order = 0

    def add(self, batch: Sequence[Record]) -> None:
        """Take a batch in."""
        by_topic: dict[int, list[Applicable]] = {}
        for record in batch:
            one = read(record, self._now)
            if isinstance(one, Applicable):
                by_topic.setdefault(one.topic, []).append(one)
            else:
                self._refuse(one)
            self._last[record.topic, record.partition] = record
        self.records += len(batch)
        for topic, applicable in by_topic.items():
            self._take(topic, applicable)

    def _take(self, topic: int, applicable: Sequence[Applicable]) -> None:
        if KINDS[topic] == Deletion.type:
            self._deletions.append(_batch(DELETED_SCHEMA, _deletion_columns(applicable)))
            return
        columns = _event_columns(topic, applicable)
        columns["read_order"] = range(self._in_order, self._in_order + len(applicable))
        self._in_order += len(applicable)
        self._events.append(_batch(EVENT_SCHEMA, columns))

    def _refuse(self, refused: Refused) -> None:
        """Say so, and go on: the stream consumer has put it among the dead letters."""
        self._refused += 1
        record = refused.record
        place = Place(TOPICS[record.topic], record.partition)
        log.warning("refused", place=str(place), offset=record.offset, reason=refused.reason)

    def chunk(self) -> Chunk:
        """What was gathered."""
        last = {Place(TOPICS[topic], partition): record for (topic, partition), record in self._last.items()}
        return Chunk(
            pa.Table.from_batches(self._events, EVENT_SCHEMA),
            pa.Table.from_batches(self._deletions, DELETED_SCHEMA),
            {place: record.offset + 1 for place, record in last.items()},
            {place: fingerprint(record.value) for place, record in last.items()},
            self._refused,
        )


Columns = dict[str, Sequence[Any]]


def _batch(schema: pa.Schema, columns: Mapping[str, Sequence[Any]]) -> pa.RecordBatch:
    """Columns as Arrow has them; one that is missing is empty in every row."""
    rows = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.record_batch(arrays, schema)


def _event_columns(topic: int, applicable: Sequence[Applicable]) -> Columns:
    """All are of the topic, so all have the same fields."""
    events = [one.event for one in applicable]
    own = [name for name in OF_SOME if hasattr(events[0], name)]
    return {
        "event_id": _texts([event.event_id for event in events]),
        "event_type": [KINDS[topic]] * len(events),
        "occurred_at": [one.at for one in applicable],
        "image_id": [event.image_id for event in events],
        "user_id": [event.user_id for event in events],
        "is_test": [event.is_test for event in events],
        "imported": [event.imported for event in events],
        **{name: [getattr(event, name) for event in events] for name in own},
        "topic": [TOPICS[topic]] * len(events),
        "partition": [one.partition for one in applicable],
        "offset": [one.offset for one in applicable],
    }


def _deletion_columns(applicable: Sequence[Applicable]) -> Columns:
    return {
        "image_id": [one.event.image_id for one in applicable],
        "deleted_at": [one.at for one in applicable],
        "event_id": _texts([one.event.event_id for one in applicable]),
        "partition": [one.partition for one in applicable],
        "offset": [one.offset for one in applicable],
    }


def _texts(identities: Sequence[UUID]) -> list[str]:
    """`str` of each, made all at once, which takes a twentieth of the time."""
    return msgspec.json.encode(identities).decode()[2:-2].split('","')
