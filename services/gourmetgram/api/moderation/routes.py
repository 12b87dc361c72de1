"""The review queue for programs: what waits, one item, and what to do with it. Tokens of scope `moderator` only."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from gourmetgram.api.auth import ModeratorCaller
from gourmetgram.api.content import PHOTO, photo_of
from gourmetgram.api.context import Parts
from gourmetgram.api.errors import documented
from gourmetgram.api.moderation.actions import Moderator, Order, act
from gourmetgram.api.moderation.items import Item, image_of, item_of
from gourmetgram.api.moderation.models import (
    ActionTaken,
    NewAction,
    QueueItem,
    QueuePage,
    ReviewComment,
    ReviewDecision,
    ReviewFlag,
    ReviewItem,
)
from gourmetgram.api.moderation.queue import KEY_PATTERN, Filters, Key, Recommended, page_of, seen_of
from gourmetgram.api.moderation.versions import Seen
from gourmetgram.api.routes.images import ImageId
from gourmetgram.core.moderation import Trigger

router = APIRouter(prefix="/moderation", tags=["moderation"])

NOT_KEPT = "no-store"


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row of the queue and a whole item have in common."""
    names = ("user_id", "caption", "category", "created_at", "views")
    return {name: row[name] for name in names} | {
        "image_id": row["id"],
        "hidden": row["moderator_hidden"],
        "photo_url": f"/moderation/{row['id']}/photo",
    }


def _queue_item(row: Mapping[str, Any]) -> QueueItem:
    names = ("risk_score", "recommendation", "trigger_type", "as_of", "open_flags")
    return QueueItem(version=str(seen_of(row)), **_common(row), **{name: row[name] for name in names})


def _review_item(item: Item) -> ReviewItem:
    return ReviewItem(
        version=str(item.seen),
        decision=ReviewDecision(**item.decision) if item.decision else None,
        flags=[ReviewFlag(**flag) for flag in item.flags],
        all_flags=item.image["all_flags"],
        comments=[ReviewComment(**comment) for comment in item.comments],
        all_comments=item.image["all_comments"],
        actions=[ActionTaken(**action) for action in item.actions],
        **_common(item.image),
    )


@router.get("/queue", responses=documented(401, 403, 422, 503))
async def queue(
    parts: Parts,
    caller: ModeratorCaller,  # noqa: ARG001 - that there is one
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str | None, Query(pattern=KEY_PATTERN, description="`next_after` of the page before")] = None,
    recommendation: Recommended | None = None,
    trigger: Trigger | None = None,
) -> QueuePage:
    """Images that wait for a person: flagged, or found risky, and nobody has decided since. The riskiest first."""
    page = await page_of(parts.database, Filters(recommendation, trigger), Key.parse(after) if after else None, limit)
    return QueuePage(
        items=[_queue_item(row) for row in page.rows],
        waiting=page.waiting,
        next_after=str(page.next) if page.next else None,
    )


@router.get("/{image_id}", responses=documented(401, 403, 404, 410, 422, 503))
async def read_item(parts: Parts, caller: ModeratorCaller, image_id: ImageId) -> ReviewItem:  # noqa: ARG001
    """All that is known about an image, whether it waits or not, and whether it is hidden or not."""
    return _review_item(await item_of(parts.database, image_id))


@router.get("/{image_id}/photo", response_class=Response, responses=PHOTO | documented(401, 403, 404, 410, 422, 503))
async def read_photo(parts: Parts, caller: ModeratorCaller, image_id: ImageId) -> Response:  # noqa: ARG001
    """The photo, hidden or not."""
    return await photo_of(parts.store, await image_of(parts.database, image_id), NOT_KEPT)


@router.post("/{image_id}/actions", status_code=201, responses=documented(400, 401, 403, 404, 409, 410, 413, 422, 503))
async def take_action(parts: Parts, caller: ModeratorCaller, image_id: ImageId, new: NewAction) -> ActionTaken:
    """Decide: `confirm` or `reject` the flags, which also hides or shows; `hide` or `restore` and leave flags alone.

    `version` says what you had seen. When somebody has acted since, the answer is 409, says who did what, and nothing
    is stored. Flags that came since stay open.
    """
    order = Order(new.action, image_id, new.comment_id, Seen.parse(new.version))
    done = await act(parts.database, Moderator.of(caller.token_id, caller.token_name), order)
    return ActionTaken(**asdict(done))
