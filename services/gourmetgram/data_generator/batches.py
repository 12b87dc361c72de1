"""The batches of an import: what each one holds and how its body looks. The same world gives the same batches."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from gourmetgram.data_generator.world.engagement import COMMENT, FLAG, KINDS
from gourmetgram.data_generator.world.history import History
from gourmetgram.data_generator.world.posts import Post

USERS, UPLOADS, EVENTS = "users", "uploads", "events"
BATCH_ITEMS = {USERS: 2000, UPLOADS: 100, EVENTS: 2500}
"""Items of a batch by part; an upload weighs some 20 kB, and the API takes at most 5,000 items and 16 MiB."""

ReadPhoto = Callable[[Post], bytes]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows [start, stop) of one part of a history."""

    part: str
    start: int
    stop: int

    @property
    def name(self) -> str:
        """Its name within the import, also the end of its idempotency key."""
        return f"{self.part}-{self.start}"


def split(part: str, count: int) -> list[Batch]:
    """The batches of a part with `count` rows."""
    size = BATCH_ITEMS[part]
    return [Batch(part, start, min(start + size, count)) for start in range(0, count, size)]


def iso(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def users_body(history: History, batch: Batch) -> bytes:
    """People, with the time at which they joined."""
    rows = [
        {
            "username": person.username,
            "country_of_residence": person.country,
            "year_of_birth": person.year_of_birth,
            "tos_version_accepted": 1,
            "is_test_account": person.is_test_account,
            "created_at": iso(float(history.joined[batch.start + offset])),
        }
        for offset, person in enumerate(history.people[batch.start : batch.stop])
    ]
    return msgspec.json.encode({USERS: rows})


def uploads_body(history: History, batch: Batch, photo: ReadPhoto) -> bytes:
    """Uploads with their photos; the ref of an upload is its position in the history."""
    rows = [
        {
            "ref": str(image),
            "username": history.people[history.uploader[image]].username,
            "caption": history.posts[image].caption,
            "category": history.posts[image].category,
            "occurred_at": iso(float(history.uploaded[image])),
            "photo": base64.b64encode(photo(history.posts[image])).decode(),
        }
        for image in range(batch.start, batch.stop)
    ]
    return msgspec.json.encode({UPLOADS: rows})


def events_body(history: History, batch: Batch, images: Sequence[int]) -> bytes:
    """Views, comments and flags of images whose ids (by position) are known."""
    rows = [event_row(history, row, images) for row in range(batch.start, batch.stop)]
    return msgspec.json.encode({EVENTS: rows})


def event_row(history: History, row: int, images: Sequence[int]) -> Mapping[str, Any]:
    """One event as the import takes it."""
    events = history.events
    kind = int(events.kind[row])
    told: dict[str, Any] = {
        "event_type": KINDS[kind],
        "event_id": history.event_id(row),
        "occurred_at": iso(float(events.time[row])),
        "username": history.people[events.person[row]].username,
        "image": images[events.image[row]],
    }
    if kind in (COMMENT, FLAG):
        told["content" if kind == COMMENT else "reason"] = history.phrases[events.phrase[row]]
    return told
