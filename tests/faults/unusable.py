"""Records that no consumer can use, and what their dead letters have to say."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from gourmetgram.core import topics


class Unusable(NamedTuple):
    """A record for `topic`, made for an image at a time; `reason` is part of its dead letter."""

    topic: str
    value: Callable[[int, datetime], bytes | None]
    reason: str
    without_key: bool = False


def _event(image: int, now: datetime, **changes: Any) -> dict[str, Any]:
    event = {
        "schema_version": 1,
        "event_id": str(uuid.uuid4()),
        "event_type": "view",
        "occurred_at": now.isoformat(),
        "image_id": image,
        "user_id": 1,
        "is_test": False,
        "imported": False,
        "unusable": True,
    }
    return event | changes


def _changed(**changes: Any) -> Callable[[int, datetime], bytes]:
    return lambda image, now: json.dumps(_event(image, now, **changes)).encode()


def _shifted(**shift: float) -> Callable[[int, datetime], bytes]:
    return lambda image, now: json.dumps(
        _event(image, now, occurred_at=(now + timedelta(**shift)).isoformat())
    ).encode()


def _deep(image: int, now: datetime) -> bytes:
    return json.dumps(_event(image, now)).encode()[:-1] + b', "more": ' + b"[" * 20_000


UNUSABLE = (
    Unusable(topics.VIEWS, lambda *_: b"\xff\xfe no JSON", "not an event: JSON is malformed"),
    Unusable(topics.FLAGS, lambda *_: b"", "not an event: Input data was truncated"),
    Unusable(topics.DELETIONS, lambda *_: None, "the record has no value"),
    Unusable(topics.COMMENTS, lambda *_: b"[]", "Expected `object`, got `array`"),
    Unusable(topics.VIEWS, _deep, "nested too deeply"),
    Unusable(topics.COMMENTS, _changed(), "a view event belongs to gourmetgram.views"),
    Unusable(topics.DELETIONS, _changed(), "a view event belongs to gourmetgram.views"),
    Unusable(topics.VIEWS, _changed(event_type="like"), "like"),
    Unusable(topics.VIEWS, _changed(image_id="many"), "Expected `int`, got `str` - at `$.image_id`"),
    Unusable(topics.VIEWS, _changed(image_id=10**25), "`$.image_id`"),
    Unusable(topics.VIEWS, _changed(image_id=-3), "`$.image_id`"),
    Unusable(topics.VIEWS, _changed(user_id=2**70), "`$.user_id`"),
    Unusable(topics.VIEWS, _changed(event_id="x"), "`$.event_id`"),
    Unusable(topics.VIEWS, _changed(), "as key, got None", without_key=True),
    Unusable(topics.VIEWS, _shifted(hours=1), "s from now"),
    Unusable(topics.VIEWS, _changed(occurred_at="1969-12-31T23:59:59Z"), "before 1970"),
    Unusable(topics.VIEWS, _changed(occurred_at="2026-01-01T00:00:00"), "`$.occurred_at`"),
    Unusable(topics.MODERATION_REQUESTS, _changed(), "not a request: "),
    Unusable(topics.MODERATION_REQUESTS, lambda *_: None, "not a request: Input data was truncated"),
    Unusable(topics.MODERATION_REQUESTS, lambda *_: b"{", "not a request: "),
)
