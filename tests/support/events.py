"""Events and records made up for tests of the stream consumer."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gourmetgram.core import events
from gourmetgram.core.records import KINDS, Applicable, Record

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OWN: dict[str, dict[str, Any]] = {
    "upload": {"caption_length": 3, "category": "Soup"},
    "comment": {"comment_id": 1},
    "flag": {"flag_id": 1, "reason": "spam"},
}
CLASSES: dict[str, Any] = {one.type: one for one in events.EVENT_CLASSES}


def event(kind: str, number: int, at: int, image: int = 1, **changes: Any) -> events.AnyEvent:
    """An event at a time in unix microseconds."""
    fields: dict[str, Any] = {
        "event_id": UUID(int=number),
        "occurred_at": EPOCH + timedelta(microseconds=at),
        "image_id": image,
        "user_id": 1,
        "is_test": False,
    }
    made: events.AnyEvent = CLASSES[kind](**(fields | OWN.get(kind, {}) | changes))
    return made


def applicable(kind: str, partition: int, offset: int, at: int, **changes: Any) -> Applicable:
    """The event that stands at this place."""
    return Applicable(KINDS.index(kind), partition, offset, at, event(kind, offset, at, **changes))


def record(one: events.AnyEvent, **changes: Any) -> Record:
    """How the broker holds an event."""
    whole = Record(KINDS.index(one.type), 0, 7, str(one.image_id).encode(), events.encode(one))
    return whole._replace(**changes)
