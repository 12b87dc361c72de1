"""From a Kafka record to an event, or to the reason why it is none. No I/O."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from gourmetgram.core import events, topics
from gourmetgram.core.windows import MINUTE, SECOND

TOPICS: Final = tuple(topics.EVENT_TOPICS.values())
"""The topics that are consumed; a position in this tuple is the number of a topic."""

KINDS: Final = tuple(topics.EVENT_TOPICS)
"""The type of event that belongs to each of TOPICS."""

CLOCK_SKEW: Final = MINUTE
"""An event from further ahead than this would move stream time, and with it everybody's windows: it is refused."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Record(NamedTuple):
    """What the broker holds: `topic` is a position in TOPICS."""

    topic: int
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Applicable(NamedTuple):
    """An event that can be counted, with where it stood; `at` is `occurred_at` in unix microseconds."""

    topic: int
    partition: int
    offset: int
    at: int
    event: events.AnyEvent


class Refused(NamedTuple):
    """A record that can never be counted, and why."""

    record: Record
    reason: str


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 of an instant with a time zone; exact."""
    return (instant - _EPOCH) // _MICROSECOND


def read(record: Record, now: int) -> Applicable | Refused:
    """Decode and check one record; `now` is the present in unix microseconds."""
    if record.value is None:
        return Refused(record, "the record has no value")
    try:
        event = events.decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Refused(record, f"not an event: {error}")
    at = microseconds(event.occurred_at)
    if reason := _contradiction(record, event) or _impossible_time(event, at, now):
        return Refused(record, reason)
    return Applicable(record.topic, record.partition, record.offset, at, event)


def _contradiction(record: Record, event: events.AnyEvent) -> str:
    if event.topic != TOPICS[record.topic]:
        return f"a {event.type} event belongs to {event.topic}, this is {TOPICS[record.topic]}"
    if record.key != str(event.image_id).encode():
        return f"expected the image id {event.image_id} as key, got {record.key!r}"
    return ""


def _impossible_time(event: events.AnyEvent, at: int, now: int) -> str:
    if at > now + CLOCK_SKEW:
        return f"it says it happens at {event.occurred_at.isoformat()}, {(at - now) / SECOND:.0f} s from now"
    return "it says it happened before 1970" if at < 0 else ""
