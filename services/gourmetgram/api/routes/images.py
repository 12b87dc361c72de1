"""Posts: upload, read, delete."""

from collections.abc import Mapping
from typing import Annotated, Any

import anyio
import anyio.to_thread
import orjson
from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile

from gourmetgram.api.auth import Caller, UserCaller, UserOrModerator
from gourmetgram.api.content import PHOTO, photo_of
from gourmetgram.api.context import Context, Parts
from gourmetgram.api.errors import ApiError, documented, gone, hidden, unknown
from gourmetgram.api.models import LARGEST_ID, Caption, Decision, Image, ImagePage, Moderation
from gourmetgram.api.moderation.actions import Moderator
from gourmetgram.api.photos import MAX_BYTES, NotAPhoto, verify
from gourmetgram.api.removal import DELETE, forget_photo
from gourmetgram.api.uploads import Post, post_image
from gourmetgram.api.writes import IdempotencyKey, Request
from gourmetgram.core.categories import Category
from gourmetgram.core.events import Deletion
from gourmetgram.core.ids import uuid7
from gourmetgram.core.moderation import NEWEST_FIRST

router = APIRouter(tags=["images"])

ImageId = Annotated[int, Path(ge=1, le=LARGEST_ID)]

# A photo of the largest size takes 200 MB while it is decoded: one at a time in each worker.
_decoding = anyio.CapacityLimiter(1)

ONE = "SELECT * FROM images WHERE id = $1"
PAGE = """
SELECT * FROM images
WHERE deleted_at IS NULL AND NOT moderator_hidden AND id < $1 ORDER BY id DESC LIMIT $2
"""
DECISIONS = f"""
SELECT risk_score, recommendation, inference_mode, model_version, trigger_type, as_of, policy_version, rationale,
       created_at
FROM moderation WHERE target_type = 'image' AND target_id = $1 AND served ORDER BY {NEWEST_FIRST} LIMIT 100
"""  # noqa: S608 - our own text


def _image(row: Mapping[str, Any]) -> Image:
    return Image(**{**row, "content_url": f"/images/{row['id']}/content"})


async def _existing(parts: Context, image_id: int) -> Any:
    row = await parts.database.row(ONE, image_id)
    if row is None:
        raise unknown("image", image_id)
    if row["deleted_at"] is not None:
        raise gone("image", image_id)
    return row


async def _shown(parts: Context, image_id: int) -> Any:
    row = await _existing(parts, image_id)
    if row["moderator_hidden"]:
        raise hidden("image", image_id)
    return row


async def _verified(file: UploadFile) -> tuple[bytes, str]:
    data = await file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ApiError(413, "too_large", f"Expected a photo of at most {MAX_BYTES // 2**20} MiB.")
    try:
        return data, await anyio.to_thread.run_sync(verify, data, limiter=_decoding)
    except NotAPhoto as error:
        raise ApiError(415, "not_a_photo", f"This is not a photo: {error}") from error


@router.post("/upload/", status_code=201, responses=documented(400, 401, 403, 413, 415, 422, 503))
async def upload(
    parts: Parts,
    caller: UserCaller,
    file: Annotated[UploadFile, File(description="JPEG, PNG or WebP, at most 10 MiB")],
    category: Annotated[Category, Form()],
    caption: Annotated[Caption, Form()] = "",
    key: IdempotencyKey = None,
) -> Image:
    """Post a photo."""
    photo, extension = await _verified(file)
    request = Request.now(caller.user_id, key, "upload", photo, caption, category)
    written = await post_image(parts, request, Post(photo, extension, caption, category), is_test=caller.is_test)
    return _image(await _existing(parts, written.id))


@router.get("/images/", responses=documented(422, 503))
async def list_images(
    parts: Parts,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before_id: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
) -> ImagePage:
    """Posts that are neither deleted nor hidden, newest first."""
    rows = await parts.database.rows(PAGE, before_id or LARGEST_ID, limit)
    return ImagePage(
        images=[_image(row) for row in rows], next_before_id=rows[-1]["id"] if len(rows) == limit else None
    )


@router.get("/images/{image_id}", responses=documented(404, 410, 422, 503))
async def read_image(parts: Parts, image_id: ImageId) -> Image:
    """One post."""
    return _image(await _shown(parts, image_id))


@router.get(
    "/images/{image_id}/content",
    response_class=Response,
    responses=PHOTO | documented(404, 410, 422, 503),
)
async def read_content(parts: Parts, image_id: ImageId) -> Response:
    """The photo itself."""
    return await photo_of(parts.store, await _shown(parts, image_id))


@router.get("/images/{image_id}/moderation", responses=documented(404, 410, 422, 503))
async def read_moderation(parts: Parts, image_id: ImageId) -> Moderation:
    """What was decided about a post, the latest `as_of` first; `pending` while nothing was."""
    await _shown(parts, image_id)
    rows = await parts.database.rows(DECISIONS, image_id)
    decisions = [Decision(**{**row, "rationale": orjson.loads(row["rationale"])}) for row in rows]
    return Moderation(
        image_id=image_id, status=decisions[0].recommendation if decisions else "pending", decisions=decisions
    )


def _may_delete(caller: Caller, owner: int) -> bool:
    return caller.scope == "moderator" or caller.user_id == owner


def _audited(caller: Caller) -> tuple[str | None, int | None]:
    if caller.scope != "moderator":
        return None, None
    moderator = Moderator.of(caller.token_id, caller.token_name)
    return moderator.name, moderator.token_id


@router.delete("/images/{image_id}", status_code=204, responses=documented(401, 403, 404, 410, 422, 503))
async def delete_image(
    parts: Parts, caller: UserOrModerator, image_id: ImageId, key: IdempotencyKey = None
) -> Response:
    """Delete a post: the photo, the caption and the texts of its comments go; a row without texts remains."""
    row = await parts.database.row(ONE, image_id)
    if row is not None and not _may_delete(caller, row["user_id"]):
        raise ApiError(403, "not_yours", f"Image {image_id} belongs to someone else; only its owner can delete it.")
    request = Request.now(caller.user_id, key, "delete", image_id)
    event = Deletion(
        event_id=uuid7(), occurred_at=request.at, image_id=image_id, user_id=caller.user_id, is_test=caller.is_test
    )
    await parts.writer.write(DELETE, request, event, image_id, image_id, *_audited(caller))
    await forget_photo(parts.database, parts.store, image_id)
    return Response(status_code=204)
