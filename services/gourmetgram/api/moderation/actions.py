"""What a moderator does to an image or a comment: all of it in one transaction, with its row in the audit, or nothing.

The row of the image is locked first, so that of two moderators who act at the same time the second sees what the first
did, and is told instead of overwriting it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from gourmetgram.api.database import Database
from gourmetgram.api.errors import ApiError, gone, unknown
from gourmetgram.api.moderation.versions import Seen

Action = Literal["confirm", "reject", "hide", "restore"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
HIDDEN_BY: Final[Mapping[Action, bool]] = {"confirm": True, "hide": True, "reject": False, "restore": False}
REVIEWS: Final[Mapping[Action, str]] = {"confirm": "confirmed", "reject": "rejected"}
"""What becomes of the flags; hiding and restoring leave them as they are."""

DID: Final[Mapping[str, str]] = {
    "confirm": "confirmed that {} breaks the rules, and hid it",
    "reject": "found nothing wrong with {}",
    "hide": "hid {}",
    "restore": "showed {} again",
}

_IMAGE: Final = "SELECT deleted_at, moderator_hidden FROM images WHERE id = $1 FOR NO KEY UPDATE"
_COMMENT: Final = "SELECT deleted_at, moderator_hidden FROM comments WHERE id = $1 AND image_id = $2 FOR NO KEY UPDATE"
_LAST: Final = """
SELECT id, moderator, action, target_type, target_id, created_at FROM moderation_actions
WHERE image_id = $1 ORDER BY id DESC LIMIT 1
"""
_STORE: Final = """
INSERT INTO moderation_actions (moderator, token_id, action, target_type, target_id, image_id, decision_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6,
        (SELECT id FROM moderation WHERE id = $7 AND target_type = 'image' AND target_id = $6), $8)
RETURNING id
"""
_RESOLVE: Final = """
UPDATE flags SET review_status = $1, resolved_at = $2, moderation_action_id = $3
WHERE {column} = $4 AND id <= $5 AND review_status <> $1
"""
_RESOLVE_OF: Final = {"image": _RESOLVE.format(column="image_id"), "comment": _RESOLVE.format(column="comment_id")}
_HIDE_IMAGE: Final = "UPDATE images SET moderator_hidden = $1 WHERE id = $2 AND moderator_hidden <> $1"
_HIDE_COMMENT: Final = "UPDATE comments SET moderator_hidden = $1, moderator_action_id = $2 WHERE id = $3"


@dataclass(frozen=True, slots=True)
class Moderator:
    """Who acts: the token they use, and its name."""

    token_id: int
    name: str

    @classmethod
    def of(cls, token_id: int, name: str) -> "Moderator":
        """A moderator, whose token may have no name."""
        return cls(token_id, name or f"moderator {token_id}")


@dataclass(frozen=True, slots=True)
class Order:
    """What to do to an image, or to a comment below it, by somebody who had seen this much."""

    action: Action
    image_id: int
    comment_id: int | None
    seen: Seen

    @property
    def target(self) -> tuple[Literal["image", "comment"], int]:
        """Type and id of what is acted on."""
        return ("image", self.image_id) if self.comment_id is None else ("comment", self.comment_id)


@dataclass(frozen=True, slots=True)
class Done:
    """A row of `moderation_actions`."""

    id: int
    action: Action
    target_type: Literal["image", "comment"]
    target_id: int
    moderator: str
    created_at: datetime


def told(action: Mapping[str, Any]) -> str:
    """What somebody did, as a sentence without its full stop."""
    target = "the image" if action["target_type"] == "image" else f"comment {action['target_id']}"
    return f"{action['moderator']} {DID[action['action']].format(target)}"


def _acted_meanwhile(last: Mapping[str, Any] | None) -> ApiError:
    what = "this is not what was last done to it"
    if last is not None:
        what = f"{told(last)} on {last['created_at'].astimezone(UTC):%-d %B %Y at %H:%M:%S} UTC"
    return ApiError(
        409, "acted_meanwhile", f"Since you looked at this item, {what}. Nothing of yours was stored: look at it again."
    )


async def act(database: Database, moderator: Moderator, order: Order) -> Done:
    """Carry out an order.

    Raises:
        ApiError: 404 or 410 when the image or comment is not there, 409 when somebody acted since it was seen, or when
            it is hidden or shown already.
    """
    async with database.transaction() as connection:
        hidden_now = await _lock(connection, order)
        hide = HIDDEN_BY[order.action]
        if order.action not in REVIEWS and hide == hidden_now:
            state = "hidden" if hide else "shown"
            raise ApiError(409, "nothing_to_do", f"The {order.target[0]} {order.target[1]} is {state} already.")
        return await _carry_out(connection, moderator, order)


async def _lock(connection: Any, order: Order) -> bool:
    """Make everybody else wait, see that the order still fits, and tell whether its target is hidden."""
    image = await connection.fetchrow(_IMAGE, order.image_id)
    if image is None:
        raise unknown("image", order.image_id)
    if image["deleted_at"] is not None:
        raise gone("image", order.image_id)
    last = await connection.fetchrow(_LAST, order.image_id)
    if (last["id"] if last else 0) != order.seen.action:
        raise _acted_meanwhile(last)
    if order.comment_id is None:
        return bool(image["moderator_hidden"])
    comment = await connection.fetchrow(_COMMENT, order.comment_id, order.image_id)
    if comment is None:
        raise unknown(f"comment below image {order.image_id}", order.comment_id)
    if comment["deleted_at"] is not None:
        raise gone("comment", order.comment_id)
    return bool(comment["moderator_hidden"])


async def _carry_out(connection: Any, moderator: Moderator, order: Order) -> Done:
    at = datetime.now(UTC)  # now that the lock is ours: later actions have later times
    kind, target_id = order.target
    action_id = await connection.fetchval(
        _STORE,
        moderator.name, moderator.token_id, order.action, kind, target_id, order.image_id, order.seen.decision, at,
    )  # fmt: skip
    if (status := REVIEWS.get(order.action)) is not None:
        # A flag that came after what was seen stays open: nobody has judged it.
        await connection.execute(_RESOLVE_OF[kind], status, at, action_id, target_id, order.seen.flag)
    hide = HIDDEN_BY[order.action]
    if kind == "image":
        await connection.execute(_HIDE_IMAGE, hide, target_id)
    else:
        await connection.execute(_HIDE_COMMENT, hide, action_id, target_id)
    return Done(action_id, order.action, kind, target_id, moderator.name, at)
