"""Bodies of the review queue's requests and answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from gourmetgram.api.models import Body, Id
from gourmetgram.api.moderation.actions import Action
from gourmetgram.api.moderation.versions import PATTERN, Seen
from gourmetgram.core.categories import Category


def _a_version(text: str) -> str:
    return str(Seen.parse(text))


Version = Annotated[
    str,
    StringConstraints(pattern=PATTERN),
    AfterValidator(_a_version),
    Field(description="What you had seen of the item: send back what you got with it"),
]


class NewAction(Body):
    """What to do to an image, or to one of its comments when `comment_id` is given."""

    action: Action
    version: Version
    comment_id: Id | None = None


class ActionTaken(BaseModel):
    """An action as it is in the audit."""

    id: int
    action: Action
    target_type: Literal["image", "comment"]
    target_id: int
    moderator: str
    created_at: datetime


class _Image(BaseModel):
    """What is shown of an image, wherever it is shown."""

    image_id: int
    version: str
    user_id: int
    caption: str
    category: Category
    created_at: datetime
    views: int
    hidden: bool
    photo_url: str


class QueueItem(_Image):
    """An image that waits for a person; the score and what follows are None where nothing was decided yet."""

    risk_score: float | None
    recommendation: Literal["SAFE", "REVIEW", "FLAG"] | None
    trigger_type: str | None
    as_of: datetime | None
    open_flags: int


class QueuePage(BaseModel):
    """What waits, the riskiest first; pass `next_after` as `after` to get what is behind these."""

    items: list[QueueItem]
    waiting: int
    next_after: str | None


class ReviewDecision(BaseModel):
    """The served decision of the latest `as_of`, and the features that it was made of, as they were then."""

    id: int
    risk_score: float
    recommendation: Literal["SAFE", "REVIEW", "FLAG"]
    inference_mode: str
    model_version: str
    policy_version: str
    trigger_type: str
    as_of: datetime
    features: dict[str, Any]
    rationale: Any
    created_at: datetime


class ReviewFlag(BaseModel):
    """A complaint about the image."""

    id: int
    user_id: int
    reason: str
    review_status: str
    resolved_at: datetime | None
    created_at: datetime


class ReviewComment(BaseModel):
    """A comment, and why people complained about it."""

    id: int
    user_id: int
    content: str
    moderator_hidden: bool
    open_flags: int
    reasons: list[str]
    created_at: datetime


class ReviewItem(_Image):
    """All that is known about an image; of long lists, the first entries."""

    decision: ReviewDecision | None
    flags: list[ReviewFlag]
    all_flags: int
    comments: list[ReviewComment]
    all_comments: int
    actions: list[ActionTaken]
