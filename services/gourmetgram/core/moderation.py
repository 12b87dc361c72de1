"""Requests for moderation: what the stream consumer asks and the scorer answers.

A request freezes what was known about an image at one instant. Its id follows from what it is about, so the same
question asked twice, by a replay or a restart, is the same request.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args
from uuid import UUID, uuid5

import msgspec

from gourmetgram.core.events import Count, Id
from gourmetgram.core.windows import WINDOWS

SCHEMA_VERSION = 1

NAMESPACE = UUID("0192f0c1-0000-7000-8000-6d6f64657261")

Trigger = Literal["upload", "anchor", "viral", "suspicious", "flagged"]
"""Why an image is scored: it was posted, it reached an age, or a count crossed its threshold."""

TRIGGERS: tuple[Trigger, ...] = get_args(Trigger)

Mode = Literal["heuristic", "shadow", "model"]
"""Who decides: the rules, the rules while a model scores every request as well, or the model."""

MODES: tuple[Mode, ...] = get_args(Mode)

NEWEST_FIRST: Final = "as_of DESC, id DESC"
"""The order of decisions about an image, for SQL: who knew the most comes first.

Not who was written last: topics are read side by side, and anchors fire late, so that what was known at the upload may
be decided after what a flag has told.
"""

Partition = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Topic = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]+$")]


class Counts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The six windows and the total of flags, at the request's `as_of`."""

    views_5min: Count
    views_1hr: Count
    comments_5min: Count
    comments_1hr: Count
    flags_5min: Count
    flags_1hr: Count
    total_flags: Count


class ModerationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Please score this image, with what was counted up to `as_of` (unix microseconds).

    `offsets` says how far each topic had been applied when the counts were frozen (next offset by topic, within the
    image's partition), so that the counts can be recomputed from the same records at any later time. `key` tells
    requests of one trigger apart: the anchor in minutes, the number of flags, or the event that crossed the threshold.
    """

    schema_version: int = SCHEMA_VERSION
    request_id: UUID
    image_id: Id
    trigger: Trigger
    key: str
    as_of: Count
    counts: Counts
    partition: Partition
    offsets: Mapping[Topic, Count]


def request_id(image_id: int, trigger: Trigger, key: str) -> UUID:
    """The one id of this question."""
    return uuid5(NAMESPACE, f"{image_id}/{trigger}/{key}")


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ModerationRequest)

COUNT_NAMES: tuple[str, ...] = (*(window.name for window in WINDOWS), "total_flags")


def encode_request(request: ModerationRequest) -> bytes:
    """The request as JSON, ready to be published."""
    return _encoder.encode(request)


def decode_request(value: bytes | str) -> ModerationRequest:
    """The request in a record's value.

    Raises:
        msgspec.DecodeError: not JSON, or (`msgspec.ValidationError`) not a request, or one whose id is not its own.
    """
    try:
        request = _decoder.decode(value)
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deeply") from error
    expected = request_id(request.image_id, request.trigger, request.key)
    if request.request_id != expected:
        raise msgspec.ValidationError(f"expected request_id {expected}, got {request.request_id}")
    return request
