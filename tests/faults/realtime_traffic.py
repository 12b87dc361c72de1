"""Events in bulk: out of order, late, duplicated, of test accounts and of images that are deleted meanwhile.

Images and users are rows of their own. Their events go by two ways in turns: through the outbox, as the API's would,
and straight into the topics. Everything is drawn from one seed; only the times move with the clock.
"""

import json
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2.extensions
from confluent_kafka import Message, Producer
from psycopg2.extras import execute_values

from gourmetgram.core import topics
from tests.faults.unusable import UNUSABLE, Unusable

CHUNK = 400
USERS = 60
CATEGORIES = ("Bread", "Dairy", "Dessert", "Egg", "Fried", "Meat", "Noodles", "Rice", "Seafood", "Soup", "Veggie")

USER_ROWS = """
INSERT INTO users (username, tos_version_accepted, tos_accepted_at, country_of_residence, is_test_account, created_at)
VALUES %s RETURNING id
"""
IMAGE_ROWS = "INSERT INTO images (user_id, s3_url, source, caption, category, created_at) VALUES %s RETURNING id"
OUTBOX_ROWS = "INSERT INTO outbox (topic, key, payload, created_at) VALUES %s"


@dataclass
class Photo:
    """An image to write events about. `lateness` draws how many seconds ago an event is to have happened."""

    uploaded: datetime
    lateness: Callable[[random.Random], float]
    imported: bool = False
    by_test_account: bool = False
    caption: str = ""
    category: str = "Bread"
    user: int = 0
    id: int = 0


@dataclass
class Sent:
    """What was done, for the tests that look at it afterwards."""

    events: int = 0
    duplicates: int = 0
    by_outbox: int = 0
    deleted: list[int] = field(default_factory=list)
    unusable: list[tuple[Unusable, int, int]] = field(default_factory=list)
    """What no consumer can read, with the partition and the offset where it landed."""


def _now_and_then(chance: random.Random) -> float:
    """Seconds late: nearly none, and minutes once in a while."""
    return chance.uniform(0, 240) if chance.random() < 0.05 else chance.expovariate(1)


def _within_an_hour(chance: random.Random) -> float:
    return chance.uniform(0, 3000)


def _of_yesterday(chance: random.Random) -> float:
    return chance.uniform(7200, 80_000)


def _too_late(chance: random.Random) -> float:
    """Now, or late but within reach, or when no window reaches any more."""
    return chance.choice((chance.uniform(0, 60), chance.uniform(600, 3800), chance.uniform(4200, 10_000)))


def photos(chance: random.Random, now: datetime) -> list[Photo]:
    """Images of all ages: just posted, about to become 5 and 30 minutes old, of the last hour, older, imported."""

    def ago(low: float, high: float) -> datetime:
        return now - timedelta(seconds=chance.uniform(low, high))

    drawn = [
        *(Photo(ago(0, 10), _now_and_then) for _ in range(120)),
        *(Photo(ago(240, 310), _now_and_then) for _ in range(60)),
        *(Photo(ago(1740, 1810), _within_an_hour) for _ in range(60)),
        *(Photo(ago(0, 3300), _within_an_hour) for _ in range(150)),
        *(Photo(ago(7200, 10_800), _too_late) for _ in range(90)),
        *(Photo(ago(0, 3300), _now_and_then, by_test_account=True) for _ in range(20)),
        *(Photo(ago(80_000, 90_000), _now_and_then, imported=True) for _ in range(30)),
    ]
    for photo in drawn:
        photo.caption, photo.category = "é" * chance.randrange(30), chance.choice(CATEGORIES)
    return drawn


class Traffic:
    """Sends the events, chunk by chunk, whoever dies meanwhile."""

    def __init__(self, connection: "psycopg2.extensions.connection", broker: str, seed: int) -> None:
        self._chance = random.Random(seed)
        self._connection = connection
        self._producer = Producer(
            {
                "bootstrap.servers": broker,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self._started = datetime.now(UTC)
        self._users: list[int] = []
        self.photos = photos(self._chance, self._started)
        self.sent = Sent()

    def prepare(self) -> None:
        """Rows of users and images."""
        some_days_ago = self._started - timedelta(days=9.5)
        people = [
            (f"bulk-{n}", 1, some_days_ago, "FR", n < USERS // 10, some_days_ago + timedelta(hours=n))
            for n in range(USERS)
        ]
        with self._connection.cursor() as cursor:
            self._users = [row[0] for row in execute_values(cursor, USER_ROWS, people, fetch=True)]
            for photo in self.photos:
                photo.user = self._chance.choice(self._users[: USERS // 10] if photo.by_test_account else self._users)
            images = [
                (p.user, "s3://nowhere", "import" if p.imported else "user_upload", p.caption, p.category, p.uploaded)
                for p in self.photos
            ]
            rows = execute_values(cursor, IMAGE_ROWS, images, fetch=True, page_size=1000)
            for photo, (number,) in zip(self.photos, rows, strict=True):
                photo.id = number

    def send(self, total: int) -> Iterator[int]:
        """About `total` events; yields how many have been sent, after every chunk of them."""
        uploads = self._chance.sample(self.photos, len(self.photos))
        bursts = sorted(self._bursts(), key=lambda event: str(event["occurred_at"]))
        doomed = self._chance.sample(self.photos, 60)
        planted = self._chance.sample(UNUSABLE * 4, len(UNUSABLE) * 4)
        chunks = -(-(total - len(bursts) - len(uploads)) // CHUNK)
        for number in range(chunks):
            share = 1 + 2 * len(uploads) // max(1, chunks // 3)  # all uploads within the first part
            chunk = [self._upload(uploads.pop()) for _ in range(min(share, len(uploads)))]
            chunk += self._chance.sample([self._event() for _ in range(CHUNK)], CHUNK)
            chunk += [bursts.pop(0) for _ in range(min(1 + len(bursts) * 2 // max(1, chunks - number), len(bursts)))]
            if number > chunks // 4 and doomed and self._chance.random() < 2 * 60 / chunks:
                chunk.append(self._deletion(doomed.pop()))
            self._send(chunk, by_outbox=self._chance.random() < 0.6)
            for _ in range(min(1 + len(planted) // (chunks - number), len(planted))):
                self._plant(planted.pop())
            yield self.sent.events
        assert not uploads
        assert not bursts
        assert not planted
        assert self._producer.flush(60) == 0

    # ---- what is sent

    def _event(self) -> dict[str, Any]:
        """A view, comment or flag of anybody on any image; the first images get most of them."""
        photo = self.photos[int(len(self.photos) * self._chance.random() ** 2)]
        kind = self._chance.choices(("view", "comment", "flag"), (80, 15, 5))[0]
        imported = photo.imported and self._chance.random() < 0.8
        lateness = _of_yesterday(self._chance) if imported else photo.lateness(self._chance)
        at = max(photo.uploaded, datetime.now(UTC) - timedelta(seconds=lateness))
        return self._of(kind, photo, at) | {"imported": imported}

    def _upload(self, photo: Photo) -> dict[str, Any]:
        more = {"caption_length": len(photo.caption), "category": photo.category, "user_id": photo.user}
        return self._of("upload", photo, photo.uploaded) | more | {"is_test": photo.by_test_account}

    def _deletion(self, photo: Photo) -> dict[str, Any]:
        return self._of("deletion", photo, datetime.now(UTC)) | {"is_test": False}

    def _bursts(self) -> Iterator[dict[str, Any]]:
        """Images that became popular three times over, so that their alerts are armed again in between."""
        for photo in self.photos[240:280]:
            for _ in range(3):
                start = self._chance.uniform(60, max(61, (self._started - photo.uploaded).total_seconds() - 200))
                for kind, number, seconds in (("view", 120, 150), ("comment", 14, 40)):
                    for _ in range(self._chance.randint(number - 20, number + 10)):
                        age = timedelta(seconds=start - self._chance.uniform(0, seconds))
                        yield self._of(kind, photo, max(photo.uploaded, self._started - max(age, timedelta(0))))

    def _of(self, kind: str, photo: Photo, at: datetime) -> dict[str, Any]:
        event = {
            "schema_version": 1,
            "event_id": str(uuid.UUID(int=self._chance.getrandbits(128), version=4)),
            "event_type": kind,
            "occurred_at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "image_id": photo.id,
            "user_id": self._chance.choice(self._users),
            "is_test": self._chance.random() < 0.03,
            "imported": photo.imported and kind == "upload",
        }
        if kind == "comment":
            event["comment_id"] = self._chance.randrange(1, 2**40)
        if kind == "flag":
            on_comment = self._chance.random() < 0.2
            event |= {"flag_id": self._chance.randrange(1, 2**40), "reason": "spam"}
            event["comment_id"] = self._chance.randrange(1, 2**40) if on_comment else None
        return event

    # ---- how it is sent

    def _send(self, chunk: Sequence[dict[str, Any]], *, by_outbox: bool) -> None:
        self.sent.events += len(chunk)
        if by_outbox:
            self.sent.by_outbox += len(chunk)
            self._put_into_outbox(chunk)
        else:
            self._mark_deleted(chunk)
            self._put_into_topics(chunk)

    def _put_into_outbox(self, chunk: Sequence[dict[str, Any]]) -> None:
        now = datetime.now(UTC)
        rows = [(topics.EVENT_TOPICS[e["event_type"]], e["image_id"], json.dumps(e), now) for e in chunk]
        with self._connection.cursor() as cursor:
            cursor.execute("BEGIN")
            self._mark_deleted(chunk)
            execute_values(cursor, OUTBOX_ROWS, rows, page_size=len(rows))
            cursor.execute("NOTIFY outbox")
            cursor.execute("COMMIT")

    def _mark_deleted(self, chunk: Sequence[dict[str, Any]]) -> None:
        for event in chunk:
            if event["event_type"] == "deletion":
                self.sent.deleted.append(event["image_id"])
                with self._connection.cursor() as cursor:
                    cursor.execute("UPDATE images SET deleted_at = now() WHERE id = %s", (event["image_id"],))

    def _put_into_topics(self, chunk: Sequence[dict[str, Any]]) -> None:
        again = [event for event in chunk if self._chance.random() < 0.04]
        self.sent.duplicates += len(again)
        for event in (*chunk, *again):
            self._produce(topics.EVENT_TOPICS[event["event_type"]], json.dumps(event).encode(), event["image_id"])
        assert self._producer.flush(60) == 0

    def _plant(self, one: Unusable) -> None:
        def note(error: object, message: Message) -> None:
            assert error is None, error
            self.sent.unusable.append((one, message.partition() or 0, message.offset() or 0))

        photo = self._chance.choice(self.photos)
        value = one.value(photo.id, datetime.now(UTC))
        self._produce(one.topic, value, None if one.without_key else photo.id, note)

    def _produce(self, topic: str, value: bytes | None, key: int | None, note: Any = None) -> None:
        text = None if key is None else str(key)
        self._producer.produce(topic, value, text, on_delivery=note)
        self._producer.poll(0)
