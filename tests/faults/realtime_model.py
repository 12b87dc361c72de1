"""What the real-time path must come to, recounted in plain Python from the topics alone.

Nothing here is imported from the platform: neither its windows nor its rules nor its script. Times are unix
microseconds. Where the platform's answer depends on what it had applied of the other topics, the offsets that a
decision froze say so.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests.faults.raw_topics import Raw

MINUTE = 60_000_000
HOUR = 60 * MINUTE
RETAINED = 65 * MINUTE
EXACT = RETAINED - HOUR
"""An instant no further than this behind stream time has all of its last hour in Redis."""

WINDOWS = {
    "views_5min": ("view", 5 * MINUTE),
    "views_1hr": ("view", HOUR),
    "comments_5min": ("comment", 5 * MINUTE),
    "comments_1hr": ("comment", HOUR),
    "flags_5min": ("flag", 5 * MINUTE),
    "flags_1hr": ("flag", HOUR),
}
COUNTED = ("view", "comment", "flag")
MILESTONES = (10, 100, 1000)
NAMESPACE = uuid.UUID("0192f0c1-0000-7000-8000-6d6f64657261")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def identity(image: int, trigger: str, key: str) -> str:
    """The id of a question: a UUID of version 5 in the platform's namespace."""
    return str(uuid.uuid5(NAMESPACE, f"{image}/{trigger}/{key}"))


class Event(NamedTuple):
    """A distinct event that counts; `offset` is where its topic had it first."""

    partition: int
    offset: int
    id: str
    at: int
    imported: bool
    content: Mapping[str, Any]


@dataclass
class Image:
    """All that happened to an image, each kind in the order of its topic."""

    id: int
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))

    @property
    def deleted(self) -> bool:
        return bool(self.events["deletion"])

    @property
    def upload(self) -> Event | None:
        return next(iter(self.events["upload"]), None)

    def totals(self) -> dict[str, int]:
        """Imported or not, however late."""
        return {kind: len(self.events[kind]) for kind in COUNTED}

    def live(self, kind: str) -> list[Event]:
        """Those that windows are made of."""
        return [event for event in self.events[kind] if not event.imported]

    def counts(self, as_of: int, offsets: Mapping[str, int]) -> dict[str, int]:
        """The six windows and the total of flags at an instant, from what was below the offsets (by kind)."""
        known = {kind: [e for e in self.events[kind] if e.offset < offsets[kind] and e.at <= as_of] for kind in COUNTED}
        windows = {
            name: sum(not event.imported and event.at > as_of - length for event in known[kind])
            for name, (kind, length) in WINDOWS.items()
        }
        return windows | {"total_flags": len(known["flag"])}

    def milestones(self) -> dict[int, int]:
        """Views at which it was when: the event that brought it there tells the time, unless it was imported."""
        views = self.events["view"]
        reached = {number: views[number - 1] for number in MILESTONES if len(views) >= number}
        return {number: event.at for number, event in reached.items() if not event.imported}

    def requests(self, watermark: int) -> dict[tuple[str, str], int]:
        """What must have been asked when stream time has come to `watermark`: instant by trigger and key."""
        asked = {("flagged", str(number)): at for number, at in self._doublings()}
        asked |= {("viral", event): at for event, at in crossings(self.live("view"), 5 * MINUTE, 100)}
        asked |= {("suspicious", event): at for event, at in crossings(self.live("comment"), MINUTE, 10)}
        for upload in self.live("upload"):
            asked["upload", "0"] = upload.at
            due = {("anchor", str(minutes)): upload.at + minutes * MINUTE for minutes in (5, 30)}
            asked |= {question: at for question, at in due.items() if at <= watermark}
        return asked

    def _doublings(self) -> Iterator[tuple[int, int]]:
        """The first flag, the second, the fourth ...: each asks at the newest flag's time."""
        newest = 0
        for number, event in enumerate(self.events["flag"], start=1):
            if not event.imported:
                newest = max(newest, event.at)
                if number in {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}:
                    yield number, newest


def crossings(events: Iterable[Event], length: int, threshold: int) -> Iterator[tuple[str, int]]:
    """The events that lift the count in the window before the newest time to the threshold, and that time."""
    times: list[int] = []
    newest = 0
    for event in events:
        times.append(event.at)
        newest = max(newest, event.at)
        if event.at > newest - length and sum(time > newest - length for time in times) == threshold:
            yield event.id, newest


class Model:
    """The topics as a whole.

    Args:
        records: everything in the topics of events, ordered by partition and offset.
        kinds: the type of event that belongs to each topic.
    """

    def __init__(self, records: Iterable[Raw], kinds: Mapping[str, str]) -> None:
        self.images: dict[int, Image] = {}
        self.repeated = 0
        self.distinct = 0
        seen: set[str] = set()
        for record in records:
            content = readable(record.value)
            if content is None:
                continue
            if content["event_id"] in seen:
                self.repeated += 1
                continue
            seen.add(content["event_id"])
            kind = kinds[record.topic]
            if kind == "deletion" or not content["is_test"]:
                self._add(kind, record, content)
        self.distinct = len(seen)

    def _add(self, kind: str, record: Raw, content: Mapping[str, Any]) -> None:
        if kind == "flag" and content.get("comment_id") is not None:
            return
        number = content["image_id"]
        at = microseconds(datetime.fromisoformat(content["occurred_at"]))
        event = Event(record.partition, record.offset, content["event_id"], at, content.get("imported", False), content)
        self.images.setdefault(number, Image(number)).events[kind].append(event)

    @property
    def alive(self) -> list[Image]:
        return [image for image in self.images.values() if not image.deleted]


def readable(value: bytes | None) -> dict[str, Any] | None:
    """The event in a record; None for what the test has planted as unusable, and marked so where it is JSON at all."""
    try:
        content = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and "unusable" not in content else None


def risk(features: Mapping[str, float]) -> tuple[float, list[str]]:
    """The score by the rules of policy v1, and their names."""
    signs = {
        "flagged": (0.4, features["total_flags"] >= 1),
        "discussed": (0.3, features["comments_5min"] >= 10),
        "viral": (0.2, features["views_5min"] >= 100),
    }
    held = {name: points for name, (points, holds) in signs.items() if holds}
    return round(sum(held.values()), 6), list(held)


def recommendation(score: float, flagged: bool) -> str:
    """What a score means."""
    if score > 0.7:
        return "FLAG"
    return "REVIEW" if flagged or score >= 0.3 else "SAFE"
