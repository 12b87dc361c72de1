"""Importing a batch of history: checked as a whole, then written in one transaction, or not at all."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import anyio.to_thread

from gourmetgram.api.context import Context
from gourmetgram.api.errors import ApiError
from gourmetgram.api.models import ImportBatch, Imported, ImportedEvent, ImportedUpload
from gourmetgram.api.photos import NotAPhoto, verify
from gourmetgram.api.writes import Request, replay
from gourmetgram.core.events import Comment, Event, Flag, Upload, View, encode

MAX_PHOTO_BYTES = 64 * 1024

CLAIM = """
INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at) VALUES (0, $1, $2, $3) ON CONFLICT DO NOTHING
RETURNING key
"""
PRIOR = "SELECT fingerprint, response FROM idempotency_keys WHERE user_id = 0 AND key = $1"
REMEMBER = "UPDATE idempotency_keys SET response = $2::jsonb WHERE user_id = 0 AND key = $1"

INSERT_USERS = """
INSERT INTO users (username, country_of_residence, year_of_birth, tos_version_accepted, tos_accepted_at,
                   is_test_account, created_at)
SELECT username, country, year, tos, created_at, is_test, created_at
FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bool[], $6::timestamptz[])
     AS new (username, country, year, tos, is_test, created_at)
ON CONFLICT (username) DO NOTHING
"""
FIND_USERS = "SELECT username, id, is_test_account, created_at FROM users WHERE username = ANY($1)"
FIND_IMAGES = "SELECT id, created_at, deleted_at FROM images WHERE id = ANY($1)"
TAKE_IDS = "SELECT nextval($1::regclass) FROM generate_series(1, $2::int)"
# Batches that run at once share images: taking the row locks in one order keeps them from waiting for each other.
COUNT_VIEWS = """
WITH locked AS (SELECT id FROM images WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE)
UPDATE images SET views = images.views + gained.views
FROM unnest($1::bigint[], $2::bigint[]) AS gained (id, views) JOIN locked USING (id) WHERE images.id = gained.id
"""

_NAMESPACE = UUID("0192f0c1-0000-7000-8000-696d706f7274")


@dataclass(frozen=True, slots=True)
class Known:
    """A user or an image that events refer to."""

    id: int
    created_at: datetime
    is_test: bool = False


@dataclass(slots=True)
class Rows:
    """What a batch adds to the tables."""

    images: list[tuple[Any, ...]] = field(default_factory=list)
    comments: list[tuple[Any, ...]] = field(default_factory=list)
    flags: list[tuple[Any, ...]] = field(default_factory=list)
    views: dict[int, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


def _refused(detail: str) -> ApiError:
    return ApiError(422, "invalid", detail)


def photo_of(upload: ImportedUpload) -> tuple[bytes, str]:
    """The photo of an upload, and its extension.

    Raises:
        ApiError: 422, when it is not a base64 picture of at most 64 KiB.
    """
    try:
        photo = base64.b64decode(upload.photo, validate=True)
        if len(photo) > MAX_PHOTO_BYTES:
            raise _refused(f"upload {upload.ref}: expected a photo of at most 64 KiB, got {len(photo)} bytes.")
        return photo, verify(photo)
    except (binascii.Error, NotAPhoto) as error:
        raise _refused(f"upload {upload.ref}: {error}") from error


async def store_photos(parts: Context, uploads: Sequence[ImportedUpload]) -> dict[str, str]:
    """Put the photos into object storage, under names that follow from their refs; return the address by ref."""
    photos = await anyio.to_thread.run_sync(lambda: [photo_of(upload) for upload in uploads])
    urls = {}
    for upload, (photo, extension) in zip(uploads, photos, strict=True):
        name = f"imports/{uuid5(_NAMESPACE, upload.ref + upload.username)}.{extension}"
        await parts.store.put(name, photo)
        urls[upload.ref] = parts.store.url(name)
    return urls


def _find(kind: str, name: object, known: Mapping[Any, Known], at: datetime) -> Known:
    found = known.get(name)
    if found is None:
        raise _refused(f"expected a {kind} that exists, got {name!r}.")
    if at < found.created_at:
        raise _refused(
            f"{kind} {name!r} is from {found.created_at.isoformat()}, and something happened before, at {at}."
        )
    return found


def add_uploads(
    rows: Rows,
    uploads: Sequence[ImportedUpload],
    ids: Sequence[int],
    urls: Mapping[str, str],
    users: Mapping[str, Known],
) -> dict[str, Known]:
    """Add the images of a batch; return them by ref."""
    images = {}
    for upload, identifier in zip(uploads, ids, strict=True):
        user = _find("user", upload.username, users, upload.occurred_at)
        if upload.ref in images:
            raise _refused(f"expected each ref once in a batch, got {upload.ref!r} again.")
        images[upload.ref] = Known(identifier, upload.occurred_at)
        url, at = urls[upload.ref], upload.occurred_at
        rows.images.append((identifier, user.id, url, "import", upload.caption, upload.category, at))
        rows.events.append(
            Upload(
                **_facts(uuid5(_NAMESPACE, f"upload {upload.ref} {upload.username}"), at, identifier, user),  # type: ignore[arg-type]
                caption_length=len(upload.caption),
                category=upload.category,
            )
        )
    return images


def _facts(event_id: UUID, at: datetime, image_id: int, user: Known) -> dict[str, object]:
    return {
        "event_id": event_id,
        "occurred_at": at,
        "image_id": image_id,
        "user_id": user.id,
        "is_test": user.is_test,
        "imported": True,
    }


def add_events(
    rows: Rows, events: Iterable[ImportedEvent], comment_ids: Iterable[int], flag_ids: Iterable[int],
    users: Mapping[str, Known], images: Mapping[Any, Known],
) -> None:  # fmt: skip
    """Add the views, comments and flags of a batch; `images` is by ref and by id."""
    comment_ids, flag_ids = iter(comment_ids), iter(flag_ids)
    for one in events:
        user = _find("user", one.username, users, one.occurred_at)
        image = _find("image", one.image, images, one.occurred_at)
        facts = _facts(UUID(one.event_id), one.occurred_at, image.id, user)
        if one.event_type == "view":
            rows.views[image.id] = rows.views.get(image.id, 0) + 1
            rows.events.append(View(**facts))  # type: ignore[arg-type]
        elif one.event_type == "comment":
            identifier = next(comment_ids)
            rows.comments.append((identifier, image.id, user.id, one.content, one.occurred_at))
            rows.events.append(Comment(comment_id=identifier, **facts))  # type: ignore[arg-type]
        else:
            identifier = next(flag_ids)
            rows.flags.append((identifier, user.id, image.id, one.reason, one.occurred_at))
            rows.events.append(Flag(flag_id=identifier, reason=one.reason or "", **facts))  # type: ignore[arg-type]


async def import_batch(parts: Context, batch: ImportBatch, key: str) -> Imported:
    """Import a batch once; the same key again returns what the first time returned."""
    request = Request.now(0, key, "import", batch.model_dump_json())
    if prior := await parts.database.row(PRIOR, key):
        return _answered(prior, request)
    urls = await store_photos(parts, batch.uploads)
    async with parts.database.transaction() as connection:
        if await connection.fetchrow(CLAIM, key, request.fingerprint, request.at) is None:
            return _answered(await connection.fetchrow(PRIOR, key), request)
        users = await _users(connection, batch)
        rows, images = await _rows(connection, batch, urls, users)
        await _insert(connection, rows, streaming=parts.settings.streaming)
        answer = Imported(
            users={new.username: users[new.username].id for new in batch.users},
            images={upload.ref: images[upload.ref].id for upload in batch.uploads},
            events=len(batch.events),
        )
        await connection.execute(REMEMBER, key, answer.model_dump_json())
    parts.wakeup.committed()
    return answer


def _answered(prior: Any, request: Request) -> Imported:
    replay(prior["fingerprint"], 0, request)
    return Imported(**json.loads(prior["response"]))


async def _users(connection: Any, batch: ImportBatch) -> dict[str, Known]:
    new = sorted(batch.users, key=lambda user: user.username)  # one order, or two batches wait for each other
    if new:
        columns = ("username", "country_of_residence", "year_of_birth", "tos_version_accepted", "is_test_account")
        values = [[getattr(user, column) for user in new] for column in columns]
        await connection.execute(INSERT_USERS, *values, [user.created_at for user in new])
    names = {user.username for user in new}
    names |= {upload.username for upload in batch.uploads} | {event.username for event in batch.events}
    found = await connection.fetch(FIND_USERS, list(names))
    return {row["username"]: Known(row["id"], row["created_at"], row["is_test_account"]) for row in found}


async def _rows(
    connection: Any, batch: ImportBatch, urls: Mapping[str, str], users: Mapping[str, Known]
) -> tuple[Rows, dict[Any, Known]]:
    async def take(sequence: str, number: int) -> list[int]:
        return [row[0] for row in await connection.fetch(TAKE_IDS, sequence, number)] if number else []

    kinds = [event.event_type for event in batch.events]
    rows = Rows()
    images: dict[Any, Known] = {}
    for row in await connection.fetch(FIND_IMAGES, [one.image for one in batch.events if isinstance(one.image, int)]):
        if row["deleted_at"] is None:
            images[row["id"]] = Known(row["id"], row["created_at"])
    images |= add_uploads(rows, batch.uploads, await take("images_id_seq", len(batch.uploads)), urls, users)
    comment_ids = await take("comments_id_seq", kinds.count("comment"))
    flag_ids = await take("flags_id_seq", kinds.count("flag"))
    await anyio.to_thread.run_sync(add_events, rows, batch.events, comment_ids, flag_ids, users, images)
    return rows, images


async def _insert(connection: Any, rows: Rows, *, streaming: bool) -> None:
    async def copy(table: str, columns: str, records: Sequence[tuple[Any, ...]]) -> None:
        if records:
            await connection.copy_records_to_table(table, records=records, columns=columns.split())

    await copy("images", "id user_id s3_url source caption category created_at", rows.images)
    await copy("comments", "id image_id user_id content created_at", rows.comments)
    await copy("flags", "id user_id image_id reason created_at", rows.flags)
    if not streaming:
        await connection.execute(COUNT_VIEWS, list(rows.views), list(rows.views.values()))
        return
    now = datetime.now(UTC)  # when the row entered the outbox, so that the relay's lag is not a week
    outbox = [(event.topic, event.image_id, encode(event).decode(), now) for event in rows.events]
    await copy("outbox", "topic key payload created_at", outbox)
