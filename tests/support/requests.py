"""Requests for moderation as the stream consumer would ask them."""

from typing import Any

from gourmetgram.core.moderation import COUNT_NAMES, Counts, ModerationRequest, Trigger, request_id

QUIET = dict.fromkeys(COUNT_NAMES, 0)
NOON = 1_795_521_600_000_000
"""2026-11-24 12:00:00 UTC, a Tuesday, in unix microseconds."""


def asked(image: int = 1, trigger: Trigger = "upload", key: str = "0", **changes: Any) -> ModerationRequest:
    """A request about an image that nothing happened to; keywords are counts, or replace fields."""
    counts = Counts(**QUIET | {name: changes.pop(name) for name in COUNT_NAMES if name in changes})
    fields: dict[str, Any] = {
        "request_id": request_id(image, trigger, key),
        "image_id": image,
        "trigger": trigger,
        "key": key,
        "as_of": NOON,
        "counts": counts,
        "partition": 0,
        "offsets": {},
    }
    return ModerationRequest(**fields | changes)
