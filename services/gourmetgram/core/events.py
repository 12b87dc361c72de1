"""The events of GourmetGram: what happened to an image, one typed class each.

These classes are the only definition. The API writes them, every consumer reads them, and the JSON Schemas in
`schemas/` are generated from them (`python -m gourmetgram.core.schemas`).
"""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final
from uuid import UUID

import msgspec

from gourmetgram.core import topics
from gourmetgram.core.categories import Category

SCHEMA_VERSION = 1

Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]

LARGEST: Final = 2**53 - 1
"""No number is larger: Lua (in Redis) and JavaScript count exactly up to here."""

Id = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event_type"):
    """What all events have. Times are UTC with microseconds; `is_test` marks the deeds of test accounts."""

    type: ClassVar[str]

    schema_version: int = SCHEMA_VERSION
    event_id: UUID
    occurred_at: Timestamp
    image_id: Id
    user_id: Count
    is_test: bool
    imported: bool = False

    @property
    def topic(self) -> str:
        """The topic that this event belongs to."""
        return topics.EVENT_TOPICS[self.type]


class Upload(Event, frozen=True, kw_only=True, tag="upload"):
    """An image was posted."""

    type = "upload"

    caption_length: Count
    category: Category


class View(Event, frozen=True, kw_only=True, tag="view"):
    """Somebody looked at an image."""

    type = "view"


class Comment(Event, frozen=True, kw_only=True, tag="comment"):
    """Somebody commented on an image."""

    type = "comment"

    comment_id: Id


class Flag(Event, frozen=True, kw_only=True, tag="flag"):
    """Somebody flagged an image, or a comment on it (then `comment_id` is set)."""

    type = "flag"

    flag_id: Id
    reason: str
    comment_id: Id | None = None


class Deletion(Event, frozen=True, kw_only=True, tag="deletion"):
    """An image was deleted by its owner or a moderator, who is `user_id` (0 for a moderator's token)."""

    type = "deletion"


AnyEvent = Upload | View | Comment | Flag | Deletion
EVENT_CLASSES: tuple[type[Event], ...] = (Upload, View, Comment, Flag, Deletion)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """The event as JSON, ready to be published.

    Raises:
        ValueError: `occurred_at` has no time zone or is not UTC.
    """
    if event.occurred_at.utcoffset() != UTC.utcoffset(None):
        raise ValueError(f"expected occurred_at in UTC, got {event.occurred_at.isoformat()}")
    return _encoder.encode(event)


def decode(value: bytes | str) -> AnyEvent:
    """The event in a record's value; fields that a newer writer added are ignored.

    Raises:
        msgspec.DecodeError: not JSON, or (`msgspec.ValidationError`) not an event; the message names the field.
    """
    try:
        event: AnyEvent = _decoder.decode(value)
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deeply") from error
    return event
