"""The outbox table in PostgreSQL, as the one relay that leads sees it."""

import select
from collections.abc import Mapping
from typing import Any, Self

import psycopg2
import psycopg2.extensions

from gourmetgram.outbox_relay.batch import OutboxRow

CHANNEL = "outbox"
"""Where the API says that there is something to publish."""

LEADER_LOCK = int.from_bytes(b"outbox", "big")
"""The advisory lock that the leading relay's session holds."""

SILENCE = ("idle_session_timeout", "idle_in_transaction_session_timeout")

SESSION = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    # A statement that waits for a row of the API's learns within a second that its relay has died.
    "client_connection_check_interval": "1s",
    "statement_timeout": "20s",
    # The outbox swings between empty and huge, so its statistics are always wrong: walk the primary key regardless.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "plan_cache_mode": "force_generic_plan",
}

# SKIP LOCKED and the leader lock guard the same thing twice: no row can be claimed by two relays, whatever else breaks.
PREPARE = """
PREPARE claim (int) AS
    DELETE FROM outbox WHERE id = ANY (ARRAY(SELECT id FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING id, topic, key, payload::text, extract(epoch FROM created_at)::float8;
PREPARE add_views (bigint[], bigint[]) AS
    UPDATE images SET views = images.views + gained.views
    FROM (SELECT * FROM unnest($1, $2) AS gained(id, views) ORDER BY id) AS gained WHERE images.id = gained.id;
"""


class Outbox:
    """One session with PostgreSQL: the leader lock, claims, and news of new rows.

    Every method raises psycopg2.Error when the session breaks; then close it and open another.
    """

    def __init__(self, connection: "psycopg2.extensions.connection") -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.execute(PREPARE)

    @classmethod
    def connect(cls, url: str, silence_seconds: int) -> Self:
        """Open a session within 3 s; PostgreSQL ends it, and frees its lock, after `silence_seconds` without a word.

        Let that be longer than a producer tries to deliver: then what a frozen leader still holds has expired when
        it thaws and finds that another one leads.
        """
        session = SESSION | dict.fromkeys(SILENCE, f"{silence_seconds}s")
        connection = psycopg2.connect(
            url,
            connect_timeout=3,
            application_name="outbox_relay",
            options=" ".join(f"-c {name}={value}" for name, value in session.items()),
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )
        connection.autocommit = True  # BEGIN and COMMIT travel with the first and last statement: one round trip less
        return cls(connection)

    def lead(self) -> bool:
        """Become the leader, unless another session leads.

        Asked again and again instead of waiting inside PostgreSQL: a waiting statement holds a snapshot, and
        nothing the leader deletes could be vacuumed away meanwhile.
        """
        leads = bool(self._one("SELECT pg_try_advisory_lock(%s)", (LEADER_LOCK,)))
        if leads:
            self._cursor.execute(f"LISTEN {CHANNEL}")
        return leads

    def claim(self, limit: int) -> list[OutboxRow]:
        """Delete and return the first `limit` rows in id order, in a transaction that `commit` or `release` ends."""
        self._cursor.execute("BEGIN; EXECUTE claim(%s)", (limit,))
        rows = sorted(map(OutboxRow._make, self._cursor.fetchall()))
        if not rows:
            self.release()
        return rows

    def commit(self, views: Mapping[int, int]) -> None:
        """Add the views to their images and make the deletion of the claimed rows final."""
        if views:
            self._cursor.execute("EXECUTE add_views(%s, %s); COMMIT", (list(views), list(views.values())))
        else:
            self._cursor.execute("COMMIT")

    def release(self) -> None:
        """Put the claimed rows back."""
        self._cursor.execute("ROLLBACK")

    def oldest(self) -> float | None:
        """When the first waiting row was written (unix seconds), or None when nothing waits."""
        when = self._one("SELECT extract(epoch FROM created_at)::float8 FROM outbox ORDER BY id LIMIT 1")
        return None if when is None else float(when)

    def wait(self, seconds: float) -> None:
        """Return when the API says that there are new rows, or after these seconds."""
        if not self._connection.notifies:
            select.select([self._connection], [], [], seconds)
        self._connection.poll()
        self._connection.notifies.clear()

    def close(self) -> None:
        """End the session; an open transaction is rolled back and the leader lock is free."""
        self._connection.close()

    def _one(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        self._cursor.execute(statement, values)
        row = self._cursor.fetchone()
        return None if row is None else row[0]
