"""What the history must come to, recounted in plain Python from the records of the topics alone.

Nothing here is imported from the platform. Times are unix microseconds.
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from tests.support.lakehouse import Count, microseconds

MINUTE = 60_000_000
COUNTED = ("view", "comment", "flag")
OF_SOME = ("comment_id", "flag_id", "reason", "caption_length", "category")


class Stored(Protocol):
    """A record as a topic holds it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...


class Deleted(NamedTuple):
    """A deletion of an image: the event that says so, and where it stands."""

    event_id: str
    partition: int
    offset: int


class History:
    """The topics as a whole.

    Args:
        records: everything that is in the topics of events; those of a partition in their order.
    """

    def __init__(self, records: Iterable[Stored]) -> None:
        self.deleted: dict[int, set[Deleted]] = {}
        self.repeated = 0
        self.unusable = 0
        self._events: dict[str, dict[str, Any]] = {}
        for record in records:
            content = readable(record.value)
            if content is None:
                self.unusable += 1
            elif content["event_type"] == "deletion":
                one = Deleted(content["event_id"], record.partition, record.offset)
                self.deleted.setdefault(content["image_id"], set()).add(one)
            elif content["event_id"] in self._events:
                self.repeated += 1
            else:
                self._events[content["event_id"]] = _row(record, content)

    def rows(self) -> list[dict[str, Any]]:
        """The table of events, by event id."""
        alive = [row for row in self._events.values() if row["image_id"] not in self.deleted]
        return sorted(alive, key=lambda row: str(row["event_id"]))

    def windows(self, kind: str) -> dict[Count, int]:
        """How many events of a kind each five minutes have, [start, end), by image and start; none for no event."""
        counted: Counter[Count] = Counter()
        for row in self.rows():
            on_comment = kind == "flag" and row["comment_id"] is not None
            if row["event_type"] == kind and not row["is_test"] and not on_comment:
                at = microseconds(row["occurred_at"])
                counted[row["image_id"], at - at % (5 * MINUTE)] += 1
        return dict(counted)


def readable(value: bytes | None) -> dict[str, Any] | None:
    """The event in a record; None for what the test has planted as unusable, and marked so where it is JSON at all."""
    try:
        content = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and "unusable" not in content else None


def _row(record: Stored, content: dict[str, Any]) -> dict[str, Any]:
    common = {name: content[name] for name in ("event_id", "event_type", "image_id", "user_id", "is_test")}
    return (
        common
        | {"occurred_at": datetime.fromisoformat(content["occurred_at"]), "imported": content.get("imported", False)}
        | {name: content.get(name) for name in OF_SOME}
        | {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    )
