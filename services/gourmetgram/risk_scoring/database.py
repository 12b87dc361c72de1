"""PostgreSQL: the facts about an image as of an instant, and the decisions."""

from collections.abc import Sequence
from typing import Any, Final, Self

import msgspec
import psycopg2
import psycopg2.extensions

from gourmetgram.core.moderation import Mode, ModerationRequest
from gourmetgram.risk_scoring.scoring import Decision, Subject

SESSION: Final = {
    "statement_timeout": "20s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "plan_cache_mode": "force_generic_plan",
}

# One round trip each, prepared once: what a decision costs is mostly the commit.
PREPARE: Final = """
PREPARE subjects (bigint[], bigint[]) AS
    SELECT asked.number, images.deleted_at IS NOT NULL,
           (extract(epoch FROM images.created_at) * 1000000)::bigint, length(images.caption), images.category,
           (SELECT count(*) FROM images AS others WHERE others.user_id = images.user_id
               AND others.created_at <= timestamptz 'epoch' + asked.as_of * interval '1 microsecond'),
           (extract(epoch FROM users.created_at) * 1000000)::bigint, pg_current_snapshot()::text
    FROM unnest($1, $2) WITH ORDINALITY AS asked (image_id, as_of, number)
    JOIN images ON images.id = asked.image_id JOIN users ON users.id = images.user_id;
PREPARE decide (uuid[], bigint[], text[], text[], float8[], text[], boolean[], text[], bigint[], text[], text[], text[],
                integer[], text[], pg_snapshot) AS
    INSERT INTO moderation (inference_request_id, target_type, target_id, inference_mode, model_version, risk_score,
                            recommendation, served, trigger_type, as_of, features, policy_version, rationale, partition,
                            offsets, seen, created_at)
    SELECT request_id, 'image', image_id, mode, version, score, recommendation, served, trigger,
           timestamptz 'epoch' + as_of * interval '1 microsecond', features::jsonb, policy, rationale::jsonb,
           partition, offsets::jsonb, $15, clock_timestamp()
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS decision (request_id, image_id, mode,
         version, score, recommendation, served, trigger, as_of, features, policy, rationale, partition, offsets)
    ON CONFLICT DO NOTHING RETURNING inference_request_id, served;
"""


MODE = "SELECT mode FROM scoring_mode ORDER BY id DESC LIMIT 1"

LOADED = """
INSERT INTO model_versions (version, metadata, loaded_at, created_at) VALUES (%s, %s, now(), now())
ON CONFLICT (version) DO UPDATE SET loaded_at = excluded.loaded_at
"""


class ModeTable:
    """The mode that is set, and the models that were loaded; a session of its own, for it is asked beside requests."""

    def __init__(self, connection: "psycopg2.extensions.connection") -> None:
        self._connection = connection
        self._cursor = connection.cursor()

    @classmethod
    def connect(cls, url: str) -> Self:
        """Open a session within 3 s."""
        return cls(_connect(url, "risk_scoring mode"))

    def mode(self) -> Mode:
        """See deployment.ModeStore."""
        self._cursor.execute(MODE)
        row = self._cursor.fetchone()
        return row[0] if row else "heuristic"

    def loaded(self, version: str, metadata: str) -> None:
        """See deployment.ModeStore."""
        self._cursor.execute(LOADED, (version, metadata))

    def close(self) -> None:
        """End the session."""
        self._connection.close()


class Database:
    """One session. Every method raises psycopg2.Error when it breaks; then close it and open another."""

    def __init__(self, connection: "psycopg2.extensions.connection") -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.execute(PREPARE)

    @classmethod
    def connect(cls, url: str) -> Self:
        """Open a session within 3 s. Each statement is a transaction of its own."""
        return cls(_connect(url, "risk_scoring"))

    def subjects(self, requests: Sequence[ModerationRequest]) -> tuple[list[Subject | None], str | None]:
        """What is known about the image of each request; None where it was deleted, or never was.

        And which transactions could be seen: what others have committed since, these decisions do not know.
        """
        images, instants = [one.image_id for one in requests], [one.as_of for one in requests]
        self._cursor.execute("EXECUTE subjects (%s, %s)", (images, instants))
        found: list[Subject | None] = [None] * len(requests)
        rows = self._cursor.fetchall()
        for number, is_deleted, *facts, _ in rows:
            if not is_deleted:
                found[number - 1] = Subject(*facts)
        return found, rows[0][-1] if rows else None

    def store(self, decisions: Sequence[Decision], seen: str | None) -> set[str]:
        """Commit decisions; return the ids of the requests that had none that is served before."""
        columns = zip(*map(_row, decisions), strict=True)
        self._cursor.execute(
            "EXECUTE decide (%s::uuid[], %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [*map(list, columns), seen],
        )
        return {str(request) for request, is_served in self._cursor.fetchall() if is_served}

    def close(self) -> None:
        """End the session."""
        self._connection.close()


def _connect(url: str, name: str) -> "psycopg2.extensions.connection":
    connection = psycopg2.connect(
        url,
        connect_timeout=3,
        application_name=name,
        options=" ".join(f"-c {key}={value}" for key, value in SESSION.items()),
        tcp_user_timeout=10_000,
    )
    connection.autocommit = True
    return connection


def _row(decision: Decision) -> tuple[Any, ...]:
    request = decision.request
    return (
        str(request.request_id),
        request.image_id,
        decision.inference_mode,
        decision.model_version,
        decision.risk_score,
        decision.recommendation,
        decision.served,
        request.trigger,
        request.as_of,
        _json(decision.features),
        decision.policy_version,
        _json(decision.rationale),
        request.partition,
        _json(request.offsets),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
