"""Rows as the API would write them, for images of our own."""

import json
import uuid
from typing import Any

import psycopg2.extensions

from gourmetgram.core import topics
from tests.support.processes import wait_until

USER = """
INSERT INTO users (username, tos_version_accepted, tos_accepted_at, country_of_residence, created_at)
VALUES (%s, 1, now(), 'IT', now()) RETURNING id
"""
IMAGE = """
INSERT INTO images (user_id, s3_url, source, category, created_at)
VALUES (%s, 's3://nowhere', 'user_upload', 'Bread', now()) RETURNING id
"""
ROW = "INSERT INTO outbox (topic, key, payload, created_at) VALUES (%s, %s, %s, now())"


class OutboxRows:
    """The outbox, written to and looked at as the database's superuser."""

    def __init__(self, connection: "psycopg2.extensions.connection") -> None:
        self._cursor = connection.cursor()

    def image(self) -> int:
        """A new image of a new user."""
        return int(self.ask(IMAGE, self.ask(USER, str(uuid.uuid4()))))

    def add(self, image: int, topic: str = topics.VIEWS, **content: Any) -> str:
        """One committed row; returns its event id."""
        event_id = str(uuid.uuid4())
        self.tell(ROW, topic, image, json.dumps({"event_id": event_id, "image_id": image, **content}))
        return event_id

    def notify(self) -> None:
        self.tell("NOTIFY outbox")

    def views(self, image: int) -> int:
        return int(self.ask("SELECT views FROM images WHERE id = %s", image))

    def wait_until_empty(self, seconds: float = 30) -> None:
        wait_until(lambda: self.ask("SELECT count(*) FROM outbox") == 0, "the outbox is empty", seconds)

    def tell(self, statement: str, *values: object) -> None:
        self._cursor.execute(statement, values)

    def ask(self, statement: str, *values: object) -> Any:
        self.tell(statement, *values)
        row = self._cursor.fetchone()
        assert row is not None
        return row[0]
