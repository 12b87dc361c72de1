"""Milestones, written to PostgreSQL by a thread of its own: the stream does not wait for the database."""

import queue
import random
import threading
from collections import deque
from contextlib import closing
from typing import Final, NamedTuple, Self

import psycopg2
import psycopg2.extras
import structlog

from gourmetgram.core.backoff import Backoff

log = structlog.get_logger("stream_consumer")

BATCH: Final = 200

INSERT = """
INSERT INTO image_milestones (image_id, milestone, reached_at)
SELECT new.image_id, new.milestone, to_timestamp(new.reached_at / 1e6)
FROM (VALUES %s) AS new (image_id, milestone, reached_at) JOIN images ON images.id = new.image_id
ON CONFLICT DO NOTHING
"""


class Milestone(NamedTuple):
    """An image reached a number of views; `reached_at` in unix microseconds."""

    image_id: int
    milestone: int
    reached_at: int

    @classmethod
    def of(cls, member: str) -> Self:
        """Read a member of `stream:owed`: partition/milestone/image/number/time."""
        _, _, image_id, milestone, reached_at = member.split("/")
        return cls(int(image_id), int(milestone), int(reached_at))


class Milestones:
    """Writes members of `stream:owed`, once each, however long PostgreSQL is away; `arrived` has those written."""

    def __init__(self, database_url: str, longest_backoff: float) -> None:
        self._url = database_url
        self._backoff = Backoff(0.1, longest_backoff)
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self.arrived: deque[str] = deque()
        self._thread = threading.Thread(target=self._run, daemon=True, name="milestones")
        self._thread.start()

    def write(self, member: str) -> None:
        """Write this one when it is its turn."""
        self._waiting.put(member)

    def close(self) -> None:
        """Stop; what is not written is still owed."""
        self._stopping.set()
        self._thread.join(2)

    def _run(self) -> None:
        members: list[str] = []
        while not self._stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    while not self._stopping.is_set():
                        members = members or self._next()
                        self._insert(connection, members)
                        self.arrived.extend(members)
                        members = []
                        self._backoff.reset()
            except psycopg2.Error as failure:
                seconds = self._backoff.after_failure(random.random())  # noqa: S311 - spreads retries, not a secret
                log.warning("milestones wait for PostgreSQL", reason=str(failure).strip(), wait_seconds=seconds)
                self._stopping.wait(seconds)

    def _connect(self) -> "psycopg2.extensions.connection":
        """A session in which each statement commits; `with connection` would hold everything in one transaction."""
        connection = psycopg2.connect(self._url, connect_timeout=3, application_name="stream_consumer")
        connection.autocommit = True
        return connection

    def _next(self) -> list[str]:
        members: list[str] = []
        try:
            members.append(self._waiting.get(timeout=0.2))
            while len(members) < BATCH:
                members.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        return members

    def _insert(self, connection: "psycopg2.extensions.connection", members: list[str]) -> None:
        if members:
            with connection.cursor() as cursor:
                psycopg2.extras.execute_values(cursor, INSERT, [Milestone.of(member) for member in members])
