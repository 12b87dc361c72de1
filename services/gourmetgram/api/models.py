"""Bodies of requests and answers."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gourmetgram.core.categories import Category

LARGEST_ID = 2**63 - 1
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _without_control_characters(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("expected text without control characters")
    return text


def _not_in_the_future(year: int) -> int:
    if year > datetime.now(UTC).year:
        raise ValueError(f"expected a year that is not in the future, got {year}")
    return year


def _past(moment: datetime) -> datetime:
    if moment > datetime.now(UTC):
        raise ValueError(f"expected a time in the past, got {moment.isoformat()}")
    if moment < EARLIEST:
        raise ValueError(f"expected a time since {EARLIEST.year}, got {moment.isoformat()}")
    return moment.astimezone(UTC)


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Printable = AfterValidator(_without_control_characters)
Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Year = Annotated[int, Field(ge=1900), AfterValidator(_not_in_the_future)]
Caption = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), Printable]
Content = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), Printable]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Printable]
Past = Annotated[AwareDatetime, AfterValidator(_past)]


class Body(BaseModel):
    """A request body; a field that does not exist is an error, because it is mostly a misspelt one."""

    model_config = ConfigDict(extra="forbid")


class NewUser(Body):
    """Somebody who joins."""

    username: Username
    country_of_residence: Country
    year_of_birth: Year | None = None
    tos_version_accepted: Annotated[int, Field(ge=1, le=1000)] = 1
    is_test_account: bool = False


class User(BaseModel):
    """A user, and on joining the token that proves it, shown this once."""

    id: int
    username: str
    country_of_residence: str
    year_of_birth: int | None
    tos_version_accepted: int
    is_test_account: bool
    created_at: datetime
    token: str


class Image(BaseModel):
    """A post."""

    id: int
    user_id: int
    caption: str
    category: Category
    source: str
    created_at: datetime
    views: int
    s3_url: str
    content_url: str


class ImagePage(BaseModel):
    """Posts, newest first; pass `next_before_id` as `before_id` to get those after them."""

    images: list[Image]
    next_before_id: int | None


class NewComment(Body):
    """A comment on an image."""

    image_id: Id
    content: Content


class Comment(BaseModel):
    """A stored comment."""

    id: int
    image_id: int
    user_id: int
    content: str
    created_at: datetime


class NewFlag(Body):
    """A complaint about an image or about a comment: exactly one of the two."""

    image_id: Id | None = None
    comment_id: Id | None = None
    reason: Reason

    @model_validator(mode="after")
    def _one_target(self) -> "NewFlag":
        if (self.image_id is None) == (self.comment_id is None):
            came = "neither" if self.image_id is None else "both"
            raise ValueError(f"expected exactly one of image_id and comment_id, got {came}")
        return self


class Flag(BaseModel):
    """A stored complaint."""

    id: int
    user_id: int
    image_id: int | None
    comment_id: int | None
    reason: str
    review_status: str
    created_at: datetime


class Viewed(BaseModel):
    """A view that was counted."""

    image_id: int
    viewed_at: datetime


class Decision(BaseModel):
    """One decision about an image, with what it was based on."""

    risk_score: float
    recommendation: Literal["SAFE", "REVIEW", "FLAG"]
    inference_mode: str
    model_version: str
    trigger_type: str
    as_of: datetime
    policy_version: str
    rationale: Any
    created_at: datetime


class Moderation(BaseModel):
    """What moderation thinks of an image: the served decision of the latest `as_of` first."""

    image_id: int
    status: Literal["pending", "SAFE", "REVIEW", "FLAG"]
    decisions: list[Decision]


class ImportedUser(NewUser):
    """A user who joined in the past."""

    created_at: Past

    @model_validator(mode="after")
    def _born_before(self) -> "ImportedUser":
        if self.year_of_birth is not None and self.created_at.year < self.year_of_birth:
            raise ValueError(f"{self.username} joined before the year of birth, {self.year_of_birth}")
        return self


class ImportedUpload(Body):
    """A post of the past. Events of this batch may name it by `ref`; `photo` is a base64 picture of at most 64 KiB."""

    ref: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    username: Username
    caption: Caption = ""
    category: Category
    occurred_at: Past
    photo: Annotated[str, StringConstraints(min_length=1, max_length=90_000)]


class ImportedEvent(Body):
    """A view, comment or flag of the past; `image` is an id or a `ref` of the same batch."""

    event_type: Literal["view", "comment", "flag"]
    event_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    occurred_at: Past
    username: Username
    image: Id | str
    content: Content | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _text_of_its_type(self) -> "ImportedEvent":
        wanted = {"view": (False, False), "comment": (True, False), "flag": (False, True)}[self.event_type]
        if (self.content is not None, self.reason is not None) != wanted:
            raise ValueError("expected content for a comment, reason for a flag, and neither for a view")
        return self


MOST_ITEMS = 5_000


class ImportBatch(Body):
    """Part of a history. It is imported whole or not at all."""

    users: list[ImportedUser] = []
    uploads: list[ImportedUpload] = []
    events: list[ImportedEvent] = []

    @model_validator(mode="after")
    def _bounded(self) -> "ImportBatch":
        if (items := len(self.users) + len(self.uploads) + len(self.events)) > MOST_ITEMS:
            raise ValueError(f"expected at most {MOST_ITEMS} items in a batch, got {items}")
        return self


class Imported(BaseModel):
    """What a batch became: ids by username and by ref, and how many events were stored."""

    users: dict[str, int]
    images: dict[str, int]
    events: int


class Health(BaseModel):
    """How the API is, and each store it needs."""

    status: Literal["ok", "degraded", "down"]
    version: str
    kafka_enabled: bool
    dependencies: dict[str, Literal["up", "down", "off"]]
