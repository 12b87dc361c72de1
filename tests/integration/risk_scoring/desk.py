"""Where a test posts images, asks for moderation and waits for the decisions."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

from confluent_kafka import Producer

from gourmetgram.core import topics
from gourmetgram.core.moderation import ModerationRequest, encode_request
from labkit.stack import Stack
from tests.faults.recount import Stored, read_topics
from tests.support.database import Rows, superuser_rows
from tests.support.processes import wait_until

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
USER = """
INSERT INTO users (username, tos_version_accepted, tos_accepted_at, country_of_residence, created_at)
VALUES (%s, 1, %s, 'IT', %s) RETURNING id
"""
IMAGE = """
INSERT INTO images (user_id, s3_url, source, caption, category, created_at, deleted_at)
VALUES (%s, 's3://nowhere', 'user_upload', %s, %s, %s, %s) RETURNING id
"""
DECISIONS = """
SELECT inference_request_id::text AS request_id, target_type, target_id, inference_mode, model_version, risk_score,
       recommendation, served, trigger_type, as_of, features, policy_version, rationale, partition, offsets, created_at
FROM moderation WHERE inference_request_id = ANY (%s::uuid[]) ORDER BY id
"""
COLUMNS = (
    *("request_id", "target_type", "target_id", "inference_mode", "model_version", "risk_score", "recommendation"),
    *("served", "trigger_type", "as_of", "features", "policy_version", "rationale", "partition", "offsets"),
    "created_at",
)


class Letter(NamedTuple):
    """A record that was put into the topic of requests, and where it landed."""

    partition: int
    offset: int


class Desk:
    """PostgreSQL and the topic of requests, from the other side."""

    def __init__(self, stack: Stack, rows: Rows) -> None:
        self.rows = rows
        self._broker = stack.address("redpanda")
        self._producer = Producer({"bootstrap.servers": self._broker, "acks": "all", "log_level": 0})

    @classmethod
    @contextmanager
    def at(cls, stack: Stack) -> Iterator[Self]:
        """A desk with a connection of its own."""
        with superuser_rows(stack) as rows:
            yield cls(stack, rows)

    def user(self, created_at: datetime) -> int:
        return int(self.rows(USER, str(uuid.uuid4()), created_at, created_at)[0][0])

    def image(self, user: int, created_at: datetime, caption: str = "", category: str = "Bread", **more: Any) -> int:
        return int(self.rows(IMAGE, user, caption, category, created_at, more.get("deleted_at"))[0][0])

    def some_image(self) -> int:
        """An image with an owner, of which nothing matters."""
        now = datetime.now(UTC)
        return self.image(self.user(now), now)

    def ask(self, *requests: ModerationRequest) -> None:
        """Put requests into their topic, as the stream consumer does."""
        for request in requests:
            self.put(encode_request(request), key=str(request.image_id))

    def put(self, value: bytes | None, key: str | None = None) -> Letter:
        """Put anything at all into the topic of requests, and wait until it is there."""
        places: list[Letter] = []
        self._producer.produce(
            topics.MODERATION_REQUESTS,
            value,
            key,
            on_delivery=lambda _, message: places.append(Letter(message.partition() or 0, message.offset() or 0)),
        )
        assert self._producer.flush(60) == 0
        return places[0]

    def decisions(self, *requests: ModerationRequest) -> list[dict[str, Any]]:
        """All rows about these requests, oldest first, by column name."""
        found = self.rows(DECISIONS, [str(one.request_id) for one in requests])
        return [dict(zip(COLUMNS, row, strict=True)) for row in found]

    def answers(self, requests: Sequence[ModerationRequest], seconds: float = 30) -> list[dict[str, Any]]:
        """The decisions, once there are as many as requests."""
        wait_until(lambda: len(self.decisions(*requests)) >= len(requests), "all requests are decided", seconds)
        return self.decisions(*requests)

    def answer(self, request: ModerationRequest) -> dict[str, Any]:
        """Ask and wait for the one decision."""
        self.ask(request)
        (decision,) = self.answers([request])
        return decision

    def dead_letters(self) -> list[Stored]:
        """All letters about the topic of requests."""
        letters = read_topics(self._broker, [topics.DEAD_LETTERS])
        return [one for one in letters if one.event["topic"] == topics.MODERATION_REQUESTS]


def instant(microseconds: int) -> datetime:
    """A time in UTC from unix microseconds, exactly."""
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
