"""From records of the topics to the columns of the tables."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa
import structlog

from gourmetgram.core.events import Deletion
from gourmetgram.core.records import TOPICS, Applicable, Record, Refused, read
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
    """Records as chunks of `limit`, the last one of the rest; what happens after `now` (microseconds) is refused."""
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
        self._last: dict[Place, Record] = {}
        self._refused = 0

    def add(self, batch: Sequence[Record]) -> None:
        """Take a batch in."""
        results = [read(record, self._now) for record in batch]
        applicable = [one for one in results if isinstance(one, Applicable)]
        for one in results:
            if isinstance(one, Refused):
                self._refuse(one)
        events = [one for one in applicable if not isinstance(one.event, Deletion)]
        deletions = [one for one in applicable if isinstance(one.event, Deletion)]
        first = self.records
        self._events.append(_batch(EVENT_SCHEMA, [_event(one, first + at) for at, one in enumerate(events)]))
        self._deletions.append(_batch(DELETED_SCHEMA, [_deletion(one) for one in deletions]))
        self._last |= {Place(TOPICS[record.topic], record.partition): record for record in batch}
        self.records += len(batch)

    def _refuse(self, refused: Refused) -> None:
        """Say so, and go on: the stream consumer has put it among the dead letters."""
        self._refused += 1
        record = refused.record
        place = Place(TOPICS[record.topic], record.partition)
        log.warning("refused", place=str(place), offset=record.offset, reason=refused.reason)

    def chunk(self) -> Chunk:
        """What was gathered."""
        return Chunk(
            pa.Table.from_batches(self._events, EVENT_SCHEMA),
            pa.Table.from_batches(self._deletions, DELETED_SCHEMA),
            {place: record.offset + 1 for place, record in self._last.items()},
            {place: fingerprint(record.value) for place, record in self._last.items()},
            self._refused,
        )


def _batch(schema: pa.Schema, rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.record_batch(
        [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema
    )


def _event(one: Applicable, order: int) -> tuple[Any, ...]:
    event = one.event
    return (
        str(event.event_id),
        event.type,
        one.at,
        event.image_id,
        event.user_id,
        event.is_test,
        event.imported,
        *(getattr(event, name, None) for name in OF_SOME),
        TOPICS[one.topic],
        one.partition,
        one.offset,
        order,
    )


def _deletion(one: Applicable) -> tuple[Any, ...]:
    return one.event.image_id, one.at, str(one.event.event_id), one.partition, one.offset
