"""A row of the training data computed once more, in plain Python, event by event: nothing of SQL or arrays in it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.windows import ANCHORS, DAY, HOUR, LABEL_HORIZON, MINUTE, SECOND
from gourmetgram.lakehouse.files import EPOCH

Row = dict[str, Any]

LENGTHS = {"5min": 5 * MINUTE, "1hr": HOUR}


class Event(NamedTuple):
    """What happened to an image; `at` in unix microseconds."""

    kind: str
    at: int


class Post(NamedTuple):
    """An image and its uploader; times are unix microseconds, `posted` those of all posts of the uploader.

    `is_confirmed` is what moderators found last, None where none has looked at it.
    """

    image_id: int
    uploaded_at: int
    caption_length: int
    category: str
    country: str
    user_created_at: int
    posted: Sequence[int]
    is_confirmed: bool | None


def rows_of(post: Post, events: Sequence[Event], complete_until: int) -> Iterator[Row]:
    """What the training data must say about an image; `events` without those that count nowhere."""
    flags = [event.at for event in events if event.kind == "flag"]
    for anchor in ANCHORS:
        as_of = post.uploaded_at + anchor * MINUTE
        if as_of <= complete_until:
            is_known = post.uploaded_at + LABEL_HORIZON <= complete_until
            later = [at for at in flags if as_of < at <= post.uploaded_at + LABEL_HORIZON]
            yield {
                "image_id": post.image_id,
                "anchor_minutes": anchor,
                "as_of": EPOCH + timedelta(microseconds=as_of),
                **_features(post, events, as_of),
                "label": bool(later) if is_known else None,
                "already_flagged": any(at <= as_of for at in flags),
                "split_time": EPOCH + timedelta(microseconds=post.uploaded_at),
                "country": post.country,
                "label_confirmed": post.is_confirmed,
            }


def _features(post: Post, events: Sequence[Event], as_of: int) -> Row:
    def seen(kind: str, length: int | None = None) -> int:
        ages = [as_of - event.at for event in events if event.kind == kind and event.at <= as_of]
        return len([age for age in ages if length is None or age < length])

    windows = {
        f"{kind}s_{name}": seen(kind, length)
        for kind in ("view", "comment", "flag")
        for name, length in LENGTHS.items()
    }
    day = EPOCH + timedelta(microseconds=as_of)
    return {
        "time_since_upload_seconds": (as_of - post.uploaded_at) / SECOND,
        "hour_of_day": day.hour,
        "day_of_week": day.weekday(),
        "is_weekend": day.isoweekday() in (6, 7),
        **windows,
        "total_flags": seen("flag"),
        "view_velocity_per_min": windows["views_5min"] / 5,
        "comment_to_view_ratio": windows["comments_1hr"] / max(windows["views_1hr"], 1),
        "recent_engagement_score": windows["views_5min"] + 5 * windows["comments_5min"],
        "caption_length": post.caption_length,
        "has_caption": post.caption_length > 0,
        "user_image_count": len([at for at in post.posted if at <= as_of]),
        "user_age_days": (as_of - post.user_created_at) / DAY,
        **{f"category_{name}": name == post.category for name in CATEGORIES},
    }
