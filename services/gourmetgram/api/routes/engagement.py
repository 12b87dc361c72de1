"""People view, comment and flag."""

import asyncpg
from fastapi import APIRouter

from gourmetgram.api import models
from gourmetgram.api.auth import Caller, UserCaller
from gourmetgram.api.context import Context, Parts
from gourmetgram.api.errors import ApiError, documented
from gourmetgram.api.models import NewComment, NewFlag, Viewed
from gourmetgram.api.routes.images import ImageId
from gourmetgram.api.writes import IdempotencyKey, Request, Write
from gourmetgram.core import events
from gourmetgram.core.ids import uuid7

router = APIRouter(tags=["engagement"])

IMAGE = "SELECT id, deleted_at, moderator_hidden AS hidden FROM images WHERE id = $5"

COMMENT = Write(
    name="comment",
    target_name="image",
    target=IMAGE,
    new_id="nextval('comments_id_seq')",
    insert="""INSERT INTO comments (id, image_id, user_id, content, created_at)
    SELECT id, $5, $1, $6, $4 FROM allowed RETURNING id""",
    values=2,
    event_key="$5",
    event_ids="jsonb_build_object('comment_id', id)",
    grouped=True,
)
FLAG_ON_IMAGE = Write(
    name="flag on an image",
    target_name="image",
    target=IMAGE,
    new_id="nextval('flags_id_seq')",
    insert="""INSERT INTO flags (id, user_id, image_id, reason, created_at)
    SELECT id, $1, $5, $6, $4 FROM allowed RETURNING id""",
    values=2,
    event_key="$5",
    event_ids="jsonb_build_object('flag_id', id)",
)
FLAG_ON_COMMENT = Write(
    name="flag on a comment",
    target_name="comment",
    target="""SELECT c.image_id, coalesce(c.deleted_at, i.deleted_at) AS deleted_at,
           c.moderator_hidden OR i.moderator_hidden AS hidden
    FROM comments c JOIN images i ON i.id = c.image_id WHERE c.id = $5""",
    new_id="nextval('flags_id_seq')",
    insert="""INSERT INTO flags (id, user_id, comment_id, reason, created_at)
    SELECT id, $1, $5, $6, $4 FROM allowed RETURNING id""",
    values=2,
    event_key="(SELECT image_id FROM target)",
    event_ids="jsonb_build_object('flag_id', id, 'image_id', (SELECT image_id FROM target))",
)
# A view is not a row. Version 1 adds to the counter at once, and everybody who looks at one image waits in one queue.
# Version 2 only tells the outbox; the relay adds up the views of a whole batch.
COUNT_NOW = "UPDATE images SET views = views + 1 FROM allowed WHERE images.id = allowed.id RETURNING images.id"
COUNT_LATER = "SELECT id FROM allowed"


def view_write(streaming: bool) -> Write:
    """How a view is written in this version."""
    return Write(
        name="view",
        target_name="image",
        target=IMAGE,
        new_id="id",
        insert=COUNT_LATER if streaming else COUNT_NOW,
        values=1,
        event_key="id",
        event_ids="'{}'::jsonb",
        grouped=streaming,
    )


VIEWED_AT = "SELECT created_at FROM idempotency_keys WHERE user_id = $1 AND key = $2"


def _facts(caller: Caller, request: Request, image_id: int) -> dict[str, object]:
    return {
        "event_id": uuid7(),
        "occurred_at": request.at,
        "image_id": image_id,
        "user_id": caller.user_id,
        "is_test": caller.is_test,
    }


@router.post("/images/{image_id}/view", status_code=201, responses=documented(401, 403, 404, 410, 422, 503))
async def view(parts: Parts, caller: UserCaller, image_id: ImageId, key: IdempotencyKey = None) -> Viewed:
    """Say that you looked at an image."""
    request = Request.now(caller.user_id, key, "view", image_id)
    event = events.View(**_facts(caller, request, image_id))  # type: ignore[arg-type]
    written = await parts.writer.write(view_write(parts.settings.streaming), request, event, image_id, image_id)
    viewed_at = request.at
    if written.replayed and (row := await parts.database.row(VIEWED_AT, caller.user_id, key)):
        viewed_at = row["created_at"]
    return Viewed(image_id=image_id, viewed_at=viewed_at)


@router.post("/comments/", status_code=201, responses=documented(400, 401, 403, 404, 410, 413, 422, 503))
async def comment(parts: Parts, caller: UserCaller, new: NewComment, key: IdempotencyKey = None) -> models.Comment:
    """Comment on an image."""
    request = Request.now(caller.user_id, key, "comment", new.image_id, new.content)
    event = events.Comment(comment_id=0, **_facts(caller, request, new.image_id))  # type: ignore[arg-type]
    written = await parts.writer.write(COMMENT, request, event, new.image_id, new.image_id, new.content)
    if written.replayed:
        return models.Comment(**await _stored(parts, "comments", written.id))
    return models.Comment(
        id=written.id, image_id=new.image_id, user_id=caller.user_id, content=new.content, created_at=request.at
    )


@router.post("/flags/", status_code=201, responses=documented(400, 401, 403, 404, 409, 410, 413, 422, 503))
async def flag(parts: Parts, caller: UserCaller, new: NewFlag, key: IdempotencyKey = None) -> models.Flag:
    """Complain about an image or a comment, once each."""
    kind, target = (FLAG_ON_IMAGE, new.image_id) if new.image_id is not None else (FLAG_ON_COMMENT, new.comment_id)
    assert target is not None  # noqa: S101 - NewFlag has exactly one target
    request = Request.now(caller.user_id, key, kind.name, target, new.reason)
    facts = _facts(caller, request, new.image_id or 0)
    event = events.Flag(flag_id=0, reason=new.reason, comment_id=new.comment_id, **facts)  # type: ignore[arg-type]
    try:
        written = await parts.writer.write(kind, request, event, target, target, new.reason)
    except asyncpg.UniqueViolationError as error:
        raise ApiError(409, "flagged_before", f"You have flagged this {kind.target_name} before.") from error
    return models.Flag(**await _stored(parts, "flags", written.id))


async def _stored(parts: Context, table: str, identifier: int) -> dict[str, object]:
    row = await parts.database.row(f"SELECT * FROM {table} WHERE id = $1", identifier)  # noqa: S608 - our own names
    assert row is not None  # noqa: S101 - rows of these tables are never removed
    return dict(row)
