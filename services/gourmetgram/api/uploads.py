"""Posting an image: the photo goes to object storage first, then the row and its event in one statement."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from gourmetgram.api.context import Context
from gourmetgram.api.errors import ApiError, DependencyDown
from gourmetgram.api.writes import Request, Write, Written
from gourmetgram.core.categories import Category
from gourmetgram.core.events import Upload
from gourmetgram.core.ids import uuid7

UPLOAD = Write(
    name="upload",
    target_name="user",
    target="SELECT NULL::timestamptz AS deleted_at, false AS hidden",
    new_id="nextval('images_id_seq')",
    insert="""INSERT INTO images (id, user_id, s3_url, source, caption, category, created_at)
    SELECT id, $1, $5, 'user_upload', $6, $7, $4 FROM allowed RETURNING id""",
    values=3,
    event_key="id",
    event_ids="jsonb_build_object('image_id', id)",
)

PRIOR = "SELECT FROM idempotency_keys WHERE user_id = $1 AND key = $2"

_NAMESPACE = UUID("0192f0c1-0000-7000-8000-00676f75726d")


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody wants to post; `extension` is the verified kind of the photo."""

    photo: bytes
    extension: str
    caption: str
    category: Category


def object_name(request: Request, extension: str) -> str:
    """The name of a photo in the bucket; the same request sent again names the same object.

    The day is part of it: keys are forgotten after a day, and the same upload sent later still is another post, which
    must not share its photo with the first.
    """
    repeatable = f"{request.user_id} {request.key} {request.at:%Y-%m-%d} {request.fingerprint.hex()}"
    return f"uploads/{uuid5(_NAMESPACE, repeatable) if request.key else uuid7()}.{extension}"


async def post_image(parts: Context, request: Request, post: Post, *, is_test: bool) -> Written:
    """Store the photo and its row. When the row is refused, the photo is removed again.

    When PostgreSQL goes away meanwhile, nobody knows whether the row was written, so the photo stays: one that no row
    refers to wastes a little space, while a row without a photo is a broken post.
    """
    name = object_name(request, post.extension)
    if not (request.key and await parts.database.row(PRIOR, request.user_id, request.key)):
        await parts.store.put(name, post.photo)
    event = Upload(
        event_id=uuid7(),
        occurred_at=request.at,
        image_id=0,
        user_id=request.user_id,
        is_test=is_test,
        caption_length=len(post.caption),
        category=post.category,
    )
    values = (parts.store.url(name), post.caption, post.category)
    try:
        return await parts.writer.write(UPLOAD, request, event, request.user_id, *values)
    except DependencyDown:
        raise
    except ApiError:
        await parts.store.remove(name)
        raise
