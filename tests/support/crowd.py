"""People who make events, straight into the topics: in no order, some repeated, some of test accounts."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from confluent_kafka import Producer

from gourmetgram.core import topics
from gourmetgram.core.broker import PRODUCER
from gourmetgram.core.records import KINDS
from tests.faults.unusable import UNUSABLE

EVENT_TOPICS = tuple(topics.EVENT_TOPICS.values())
OWN: dict[str, dict[str, Any]] = {
    "upload": {"caption_length": 3, "category": "Soup"},
    "comment": {"comment_id": 1},
    "flag": {"flag_id": 1, "reason": "spam"},
}


class Crowd:
    """Events of the last three days, in no order; some are repeated, some nobody can read."""

    def __init__(self, servers: str, seed: int, images: int = 9) -> None:
        self._chance = random.Random(seed)
        self._first_image = 1000 * seed
        self._images = images
        self._producer = Producer({**PRODUCER, "bootstrap.servers": servers, "log_level": 0})

    def say(self, number: int, kinds: tuple[str, ...] = KINDS[:4], image: int | None = None) -> None:
        """So many events, and wait until the broker has them."""
        chance = self._chance
        for _ in range(number):
            about = image or self._first_image + chance.randint(1, self._images)
            kind = chance.choice(kinds)
            content = json.dumps(self._event(kind, about)).encode()
            for _ in range(1 + (chance.random() < 0.1)):
                self._put(topics.EVENT_TOPICS[kind], about, content)
        assert self._producer.flush(30) == 0

    def babble(self) -> None:
        """Everything that nobody can read."""
        for one in UNUSABLE:
            if one.topic in EVENT_TOPICS:
                self._put(one.topic, None if one.without_key else 1, one.value(1, datetime.now(UTC)))
        assert self._producer.flush(30) == 0

    def _event(self, kind: str, image: int) -> dict[str, Any]:
        at = datetime.now(UTC) - timedelta(seconds=self._chance.choice([0, 300, 86_400, self._chance.random() * 2e5]))
        event = {
            "schema_version": 1,
            "event_id": str(UUID(int=self._chance.getrandbits(128), version=4)),
            "event_type": kind,
            "occurred_at": at.isoformat(),
            "image_id": image,
            "user_id": self._chance.randint(1, 50),
            "is_test": kind != "deletion" and self._chance.random() < 0.1,
            "imported": self._chance.random() < 0.3,
        }
        on_comment = {"comment_id": 4} if kind == "flag" and self._chance.random() < 0.3 else {}
        return event | OWN.get(kind, {}) | on_comment

    def _put(self, topic: str, key: int | None, value: bytes | None) -> None:
        self._producer.produce(topic, value, None if key is None else str(key))
        self._producer.poll(0)
