"""How every write works: one SQL statement that does all of it, or nothing.

The statement looks for an earlier request with the same idempotency key, looks at what is written to (is it there, is
it deleted or hidden?), takes a new id, claims the key for it, writes the row, and in version 2 its event to the outbox.
Row and event are committed together because they are one statement. Writes of a `grouped` kind that arrive at the same
time also share a transaction, and so its round trip and its commit (batches.py); any other is a transaction of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Header

from gourmetgram.api.batches import Batches
from gourmetgram.api.database import Database
from gourmetgram.api.errors import ApiError, gone, hidden, unknown
from gourmetgram.core.events import Event, encode

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="A name for what you intend: requests with the same name are carried out once",
    ),
]

# <write>
_STATEMENT = """
WITH prior AS (
    SELECT fingerprint, resource_id FROM idempotency_keys WHERE user_id = $1 AND key = $2
), target AS (
    {target}
), new AS (
    SELECT {new_id} AS id FROM target WHERE deleted_at IS NULL AND NOT hidden AND NOT EXISTS (SELECT FROM prior)
), claim AS (
    INSERT INTO idempotency_keys (user_id, key, fingerprint, resource_id, created_at)
    SELECT $1, $2, $3, id, $4 FROM new WHERE $2::text IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING resource_id
), allowed AS (
    SELECT id FROM new WHERE $2::text IS NULL UNION ALL SELECT resource_id FROM claim
), written AS (
    {insert}
){outbox}
SELECT (SELECT id FROM written) AS id,
       (SELECT count(*) FROM target) = 1 AS found,
       (SELECT deleted_at FROM target) IS NOT NULL AS deleted,
       (SELECT hidden FROM target) AS hidden,
       (SELECT fingerprint FROM prior) AS prior_fingerprint,
       (SELECT resource_id FROM prior) AS prior_id
"""

_OUTBOX = """, event AS (
    INSERT INTO outbox (topic, key, payload, created_at)
    SELECT ${topic}, {key}, ${payload}::jsonb || {ids}, $4 FROM written
)"""
# </write>

FIRST_FREE = 5
"""$1 to $4 are the user, the idempotency key, its fingerprint and the time; a write's own values begin here."""


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write, as pieces of SQL.

    `target` selects `deleted_at`, `hidden` and what else is needed of what is written to, which `target_name` calls in
    words. `new_id` is the id of the new row; `insert` writes it from `allowed (id)` and returns `id`; `values` counts
    the write's own values, from $5 on. `event_key` is the image id, `event_ids` what the database adds to the event.
    """

    name: str
    target_name: str
    target: str
    new_id: str
    insert: str
    values: int
    event_key: str
    event_ids: str
    grouped: bool = False
    """Whether writes of this kind may share a transaction: they wait for no row, and none is ever refused."""

    def statement(self, streaming: bool) -> str:
        """The whole statement, with the outbox or without."""
        topic = FIRST_FREE + self.values
        outbox = _OUTBOX.format(topic=topic, payload=topic + 1, key=self.event_key, ids=self.event_ids)
        return _STATEMENT.format(
            target=self.target, new_id=self.new_id, insert=self.insert, outbox=outbox if streaming else ""
        )


@dataclass(frozen=True, slots=True)
class Request:
    """Who writes, under which key, and when; `fingerprint` tells two different requests with one key apart."""

    user_id: int
    key: str | None
    fingerprint: bytes
    at: datetime

    @classmethod
    def now(cls, user_id: int, key: str | None, *content: object) -> "Request":
        """A request that arrives at this moment."""
        fingerprint = sha256(repr(content).encode()).digest() if key else b""
        return cls(user_id, key, fingerprint, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Written:
    """The id of the row, and whether it was an earlier request with the same key that wrote it."""

    id: int
    replayed: bool


class Writer:
    """Carries out writes, with the outbox or without."""

    def __init__(
        self, database: Database, streaming: bool, kinds: "list[Write]", on_commit: Callable[[], None]
    ) -> None:
        self._database = database
        self._on_commit = on_commit
        self.streaming = streaming
        self._statements = {kind.name: kind.statement(streaming) for kind in kinds}
        self._batches = {kind.name: Batches(database, self._statements[kind.name]) for kind in kinds if kind.grouped}

    async def write(self, kind: Write, request: Request, event: Event, target_id: int, *values: object) -> Written:
        """Write a row and its event.

        Raises:
            ApiError: 404 or 410 when what is written to is not there or not shown, 422 when the key had another use.
        """
        outbox = (event.topic, encode(event).decode()) if self.streaming else ()
        facts = (request.user_id, request.key, request.fingerprint, request.at, *values, *outbox)
        if kind.grouped:
            row = await self._batches[kind.name].row(*facts)
        else:
            row = await self._database.row(self._statements[kind.name], *facts)
        assert row is not None  # noqa: S101 - the statement always returns one row
        if row["id"] is not None:
            self._on_commit()
            return Written(row["id"], replayed=False)
        if row["prior_fingerprint"] is not None:
            return replay(row["prior_fingerprint"], row["prior_id"], request)
        if refusal := _refusal(row):
            raise refusal(kind.target_name, target_id)
        # Another request with this key was committed while ours waited for it: it can be seen now.
        return await self.write(kind, request, event, target_id, *values)


def _refusal(row: Any) -> Callable[[str, int], ApiError] | None:
    if not row["found"]:
        return unknown
    if row["deleted"]:
        return gone
    return hidden if row["hidden"] else None


def replay(fingerprint: bytes, resource_id: int, request: Request) -> Written:
    """What an earlier request with the same key wrote."""
    if fingerprint != request.fingerprint:
        raise ApiError(
            422,
            "key_reused",
            "This Idempotency-Key was used for a different request before. Use a new key for each intention.",
        )
    return Written(resource_id, replayed=True)
