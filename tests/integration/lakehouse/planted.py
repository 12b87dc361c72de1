"""People, posts and what happened to them, planted in the application's tables and in the topics alike."""

import itertools
import json
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from confluent_kafka import Producer

from gourmetgram.core import events
from gourmetgram.core.categories import CATEGORIES
from gourmetgram.lakehouse.catalog import open_storage
from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit.stack import Stack
from tests.support.database import Rows, superuser_rows
from tests.support.training_planted import EMPTY, plant_actions
from tests.support.training_recount import Action

CLASSES: dict[str, Any] = {one.type: one for one in events.EVENT_CLASSES}
HOUR = timedelta(hours=1)
JOINED = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """Writes rows as the API does, and the events that the relay would publish."""

    def __init__(self, rows: Rows, servers: str) -> None:
        self.now = datetime.now(UTC)
        self._rows = rows
        self._actions = itertools.count(1)
        self._producer = Producer({"bootstrap.servers": servers, "linger.ms": 5})

    def user(self, number: int, *, born: int | None = 1980, is_test: bool = False) -> int:
        self._rows(
            "INSERT INTO users VALUES (%s, %s, 1, %s, 'DE', %s, %s, %s)",
            *(number, f"user {number}", JOINED, born, is_test, JOINED),
        )
        return number

    def post(self, image: int, user: int, hours_ago: float, *, source: str = "user_upload") -> datetime:
        """A picture that was uploaded so many hours ago; returns when."""
        at = self.now - hours_ago * HOUR
        category = CATEGORIES[image % len(CATEGORIES)]
        self._rows(
            "INSERT INTO images (id, user_id, s3_url, source, caption, category, created_at) "
            "VALUES (%s, %s, %s, %s, 'lunch', %s, %s)",
            *(image, user, f"s3://gourmetgram-images/{image}", source, category, at),
        )
        self.tell("upload", image, at, user_id=user, caption_length=5, category=category)
        return at

    def tell(self, kind: str, image: int, at: datetime, **fields: Any) -> None:
        """An event alone, as the relay publishes it; `flush` before anybody reads."""
        own: dict[str, dict[str, Any]] = {"comment": {"comment_id": 1}, "flag": {"flag_id": 1, "reason": "spam"}}
        whole = {"event_id": uuid.uuid4(), "user_id": 0, "is_test": False, **own.get(kind, {}), **fields}
        one = CLASSES[kind](occurred_at=at, image_id=image, **whole)
        self._producer.produce(one.topic, events.encode(one), str(image))

    def review(self, image: int, action: str, comment: int | None = None) -> None:
        """What a moderator does to an image, or to a comment below it."""
        plant_actions([Action(next(self._actions), image, action, comment)], self._rows)

    def delete(self, image: int) -> None:
        """The row stays without its texts, and the event says so."""
        self._rows("UPDATE images SET deleted_at = now(), caption = '' WHERE id = %s", image)
        self.tell("deletion", image, datetime.now(UTC))
        self.flush()

    def decide(self, image: int, as_of: datetime, model: str = "", **changes: Any) -> int:
        """A decision of the rules, or of a model; returns its id."""
        values = {
            "inference_request_id": str(uuid.uuid4()),
            "target_type": "image",
            "target_id": image,
            "inference_mode": "model" if model else "heuristic",
            "model_version": model,
            "risk_score": 0.4,
            "recommendation": "REVIEW",
            "served": True,
            "trigger_type": "anchor",
            "as_of": as_of,
            "features": json.dumps({"views_5min": 3.0}),
            "policy_version": "v1",
            "rationale": "[]",
            "created_at": as_of + timedelta(seconds=2),
            "partition": 4,
            "offsets": json.dumps({"gourmetgram.views": 17, "gourmetgram.flags": 3}),
        } | changes
        places = ", ".join(["%s"] * len(values))
        ((number,),) = self._rows(
            f"INSERT INTO moderation ({', '.join(values)}) VALUES ({places}) RETURNING id", *values.values()
        )
        return int(number)

    def flush(self) -> None:
        """Return when the broker has everything."""
        assert self._producer.flush(30) == 0


@contextmanager
def world(stack: Stack) -> Iterator[World]:
    """Empty tables of the application; what the topics hold stays, so take ids of your own."""
    stack.up("migrate")
    with superuser_rows(stack) as rows:
        rows(EMPTY)
        yield World(rows, stack.address("redpanda"))


def busy(planted: World, first: int, images: int, seed: int) -> dict[int, int]:
    """Posts of five people over three days, with views, comments and flags; every fifth is flagged later.

    The last of the people is a child. Some views are a test account's, some flags are on comments.

    Returns:
        The uploader of each image.
    """
    chance = random.Random(seed)
    people = [planted.user(first + number, born=2015 if number == 4 else 1980) for number in range(5)]
    made = {first + 10 + number: chance.choice(people) for number in range(images)}
    for position, (image, user) in enumerate(made.items()):
        at = planted.post(image, user, 72 * (1 - position / images) + 0.2)
        for kind, most in (("view", 30), ("comment", 4)):
            for _ in range(chance.randint(0, most)):
                planted.tell(kind, image, at + chance.random() ** 3 * 2 * HOUR, is_test=chance.random() < 0.1)
        if position % 3 == 0:
            planted.tell("flag", image, at + chance.uniform(0, 2) * HOUR, comment_id=1)
        if position % 5 == 0:
            planted.tell("flag", image, at + chance.uniform(0.05, 10) * HOUR)
    planted.flush()
    return made


def model(settings: LakehouseSettings, version: str, seen: list[int], **metadata: Any) -> str:
    """A folder as the training of models leaves it; returns where."""
    storage = open_storage(settings)
    folder = str(Path(settings.models.partition("://")[2]) / version)
    storage.create_dir(folder)
    ids = pa.table({"image_id": pa.array(seen, pa.int64())})
    pyarrow.parquet.write_table(ids, f"{folder}/image_ids.parquet", filesystem=storage)
    with storage.open_output_stream(f"{folder}/metadata.json") as file:
        file.write(json.dumps({"version": version, **metadata}).encode())
    with storage.open_output_stream(f"{folder}/model.joblib") as file:
        file.write(b"numbers")
    return folder
