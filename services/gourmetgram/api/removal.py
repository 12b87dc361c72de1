"""Deleting an image: the row is emptied at once, and the photo goes now or, when object storage is away, later."""

import structlog

from gourmetgram.api.database import Database
from gourmetgram.api.errors import DependencyDown
from gourmetgram.api.storage import PhotoStore
from gourmetgram.api.writes import Write

log = structlog.get_logger("api")

# A moderator is named and has a token, $6 and $7: then the audit says so. An owner is neither.
DELETE = Write(
    name="delete",
    target_name="image",
    target="SELECT id, deleted_at, false AS hidden FROM images WHERE id = $5",
    new_id="id",
    insert="""UPDATE images SET deleted_at = $4, caption = '' FROM allowed
    WHERE images.id = allowed.id AND deleted_at IS NULL RETURNING images.id
), silenced AS (
    UPDATE comments SET content = '', deleted_at = coalesce(deleted_at, $4) FROM allowed WHERE image_id = allowed.id
), audited AS (
    INSERT INTO moderation_actions (moderator, token_id, action, target_type, target_id, image_id, created_at)
    SELECT $6::text, $7::bigint, 'delete', 'image', id, id, $4 FROM allowed WHERE $7 IS NOT NULL""",
    values=3,
    event_key="id",
    event_ids="'{}'::jsonb",
)

WITH_PHOTO = """
SELECT id, s3_url FROM images
WHERE deleted_at IS NOT NULL AND object_deleted_at IS NULL AND ($1::bigint IS NULL OR id = $1)
ORDER BY id LIMIT 100
"""
# A comment that was on its way while its image was deleted arrives afterwards: it is emptied here.
SILENCE_LATE = """
UPDATE comments SET content = '', deleted_at = images.deleted_at FROM images
WHERE images.id = image_id AND images.deleted_at > now() - interval '1 hour' AND comments.deleted_at IS NULL
"""
FORGOTTEN = "UPDATE images SET object_deleted_at = now() WHERE id = $1"


async def forget_photo(database: Database, store: PhotoStore, image_id: int | None = None) -> int:
    """Remove the photos of deleted images, of one or of all that still have one; return how many.

    A store that is away is no error: whoever calls next, or the sweeper, goes on.
    """
    removed = 0
    try:
        for row in await database.rows(WITH_PHOTO, image_id):
            await store.remove(store.name(row["s3_url"]))
            await database.run(FORGOTTEN, row["id"])
            removed += 1
    except DependencyDown as error:
        log.warning("photos_remain", reason=error.detail)
    return removed
