"""Everything that is known about one image, for the person who decides about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gourmetgram.api.database import Database
from gourmetgram.api.errors import gone, unknown
from gourmetgram.api.moderation.queue import Key
from gourmetgram.api.moderation.versions import Seen, newest
from gourmetgram.core.moderation import NEWEST_FIRST

MOST_FLAGS, MOST_COMMENTS, MOST_ACTIONS = 100, 50, 100

# What makes up the version is read first: whatever comes while the rest is read counts as not seen.
_IMAGE: Final = f"""
SELECT i.*, u.created_at AS user_since,
       {newest("i.id")},
       (SELECT count(*) FROM comments WHERE image_id = i.id AND deleted_at IS NULL) AS all_comments,
       (SELECT count(*) FROM flags WHERE image_id = i.id) AS all_flags
FROM images i JOIN users u ON u.id = i.user_id WHERE i.id = $1
"""  # noqa: S608 - our own text
_ALONE: Final = "SELECT * FROM images WHERE id = $1"
_DECISION: Final = f"""
SELECT id, risk_score, recommendation, inference_mode, model_version, trigger_type, as_of, features, policy_version,
       rationale, created_at
FROM moderation WHERE target_type = 'image' AND target_id = $1 AND served ORDER BY {NEWEST_FIRST} LIMIT 1
"""  # noqa: S608 - our own text
_FLAGS: Final = """
SELECT id, user_id, reason, review_status, resolved_at, created_at FROM flags WHERE image_id = $1
ORDER BY review_status = 'pending' DESC, id DESC LIMIT $2
"""
_COMMENTS: Final = """
SELECT c.id, c.user_id, c.content, c.moderator_hidden, c.created_at, f.open AS open_flags,
       coalesce(f.reasons, ARRAY[]::text[]) AS reasons
FROM comments c CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE review_status = 'pending') AS open,
           (array_agg(reason ORDER BY id DESC))[:5] AS reasons
    FROM flags WHERE comment_id = c.id
) f
WHERE c.image_id = $1 AND c.deleted_at IS NULL
ORDER BY f.open DESC, c.id DESC LIMIT $2
"""
_ACTIONS: Final = """
SELECT id, moderator, action, target_type, target_id, created_at FROM moderation_actions
WHERE image_id = $1 ORDER BY id DESC LIMIT $2
"""
ACTION: Final = """
SELECT image_id, moderator, action, target_type, target_id, created_at FROM moderation_actions WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Item:
    """Rows of the database: the image, its newest served decision if there is one, and what people said and did.

    Of long lists the first entries are here, flagged ones first; `image` has `all_comments` and `all_flags`.
    """

    image: Mapping[str, Any]
    decision: Mapping[str, Any] | None
    flags: Sequence[Mapping[str, Any]]
    comments: Sequence[Mapping[str, Any]]
    actions: Sequence[Mapping[str, Any]]

    @property
    def seen(self) -> Seen:
        """What somebody who is shown this has seen."""
        newest = self.decision["id"] if self.decision else 0
        return Seen(self.image["newest_action"], self.image["newest_flag"], newest)

    @property
    def key(self) -> Key:
        """Where this item is, or was, in the queue."""
        return Key(self.decision["risk_score"] if self.decision else 0.0, self.image["id"])

    @property
    def open_flags(self) -> int:
        """How many flags on the image itself nobody has judged, among those that are here."""
        return sum(flag["review_status"] == "pending" for flag in self.flags)


async def image_of(database: Database, image_id: int) -> Mapping[str, Any]:
    """The row of an image, hidden or not.

    Raises:
        ApiError: 404 or 410, it is not there.
    """
    return await _present(database, _ALONE, image_id)


async def _present(database: Database, query: str, image_id: int) -> Mapping[str, Any]:
    row: Mapping[str, Any] | None = await database.row(query, image_id)
    if row is None:
        raise unknown("image", image_id)
    if row["deleted_at"] is not None:
        raise gone("image", image_id)
    return row


async def item_of(database: Database, image_id: int) -> Item:
    """An image with all that belongs to it.

    Raises:
        ApiError: 404 or 410, it is not there.
    """
    image = await _present(database, _IMAGE, image_id)
    decision = await database.row(_DECISION, image_id)
    return Item(
        image=image,
        decision=_decoded(decision) if decision else None,
        flags=await database.rows(_FLAGS, image_id, MOST_FLAGS),
        comments=await database.rows(_COMMENTS, image_id, MOST_COMMENTS),
        actions=await database.rows(_ACTIONS, image_id, MOST_ACTIONS),
    )


def _decoded(decision: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: orjson.loads(decision[name]) for name in ("features", "rationale")}
    return dict(decision) | texts
