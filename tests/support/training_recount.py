"""What the training data must come to, recounted in plain Python, row by row and event by event.

Nothing here is imported from the platform. Times are unix microseconds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ANCHORS = (0, 5, 30)
CATEGORIES = ("Bread", "Dairy", "Dessert", "Egg", "Fried", "Meat", "Noodles", "Rice", "Seafood", "Soup", "Veggie")

Row = dict[str, Any]


@dataclass(frozen=True)
class User:
    """A row of `users`."""

    id: int
    created_at: int
    country_of_residence: str = "DE"
    year_of_birth: int | None = 1980
    tos_version_accepted: int | None = 1
    tos_accepted_at: int | None = 0
    is_test_account: bool = False


@dataclass(frozen=True)
class Image:
    """A row of `images`; `id` is known here also of one that was deleted."""

    id: int
    user_id: int
    created_at: int
    source: str = "user_upload"
    caption_length: int = 7
    category: str = "Soup"
    is_deleted: bool = False


@dataclass(frozen=True)
class Happening:
    """A row of the table of events, as far as it matters."""

    event_type: str
    image_id: int
    occurred_at: int
    is_test: bool = False
    imported: bool = False
    comment_id: int | None = None


@dataclass(frozen=True)
class Action:
    """A row of `moderation_actions`: what a moderator did to an image, or to a comment below it."""

    id: int
    image_id: int
    action: str = "confirm"
    comment_id: int | None = None
    moderator: str = "ana"


@dataclass
class World:
    """Everything there is at one instant; all that happened up to `complete_until` is among the events."""

    users: list[User]
    images: list[Image]
    events: list[Happening]
    complete_until: int
    deleted_since: set[int] = field(default_factory=set)
    """Images that were deleted after the rows of `images` had been read."""
    actions: list[Action] = field(default_factory=list)

    def rows(self) -> list[Row]:
        """The training data, by image and anchor."""
        return [
            row
            for image, user, events in sorted(self._considered(), key=lambda one: one[0].id)
            if self._excluded_by(image, user, events) is None
            for row in self._rows_about(image, user, [event for event in events if counts(event)])
        ]

    def exclusions(self) -> Counter[str | None]:
        """How many images each rule excludes as the first one; by None those that are kept."""
        return Counter(self._excluded_by(*one) for one in self._considered())

    def _considered(self) -> Iterator[tuple[Image, User, list[Happening]]]:
        """Each image with its uploader and all that happened to it."""
        users = {user.id: user for user in self.users}
        events: dict[int, list[Happening]] = defaultdict(list)
        for event in self.events:
            events[event.image_id].append(event)
        for image in self.images:
            if image.created_at <= self.complete_until:
                yield image, users[image.user_id], events[image.id]

    def _excluded_by(self, image: Image, user: User, events: list[Happening]) -> str | None:
        answers = {
            "deleted": image.is_deleted or image.id in self.deleted_since,
            "no_upload_event": all(event.event_type != "upload" for event in events),
            "synthetic": image.source == "synthetic",
            "test_account": user.is_test_account,
            "terms_not_accepted": not user.tos_version_accepted or user.tos_accepted_at is None,
            "age_unknown": user.year_of_birth is None,
            "minor": moment(image.created_at).year - (user.year_of_birth or 0) <= 18,
        }
        return next((name for name, is_so in answers.items() if is_so), None)

    def _rows_about(self, image: Image, user: User, events: list[Happening]) -> Iterator[Row]:
        posts = [one.created_at for one in self.images if one.user_id == user.id]
        flags = [event.occurred_at for event in events if event.event_type == "flag"]
        for anchor in ANCHORS:
            as_of = image.created_at + anchor * MINUTE
            if as_of > self.complete_until:
                break
            is_known = image.created_at + DAY <= self.complete_until
            features = features_at(as_of, image, user, events, posts)
            yield {
                "image_id": image.id,
                "anchor_minutes": anchor,
                "as_of": moment(as_of),
                **features,
                "label": any(as_of < at <= image.created_at + DAY for at in flags) if is_known else None,
                "already_flagged": any(at <= as_of for at in flags),
                "split_time": moment(image.created_at),
                "country": user.country_of_residence,
                "label_confirmed": self._verdict(image),
            }

    def _verdict(self, image: Image) -> bool | None:
        """Whether moderators confirmed last that it breaks the rules; None where they never said."""
        verdict = None
        for one in sorted(self.actions, key=lambda one: one.id):
            if one.image_id == image.id and one.comment_id is None and one.action in ("confirm", "reject"):
                verdict = one.action == "confirm"
        return verdict


def counts(event: Happening) -> bool:
    """Neither what test accounts do nor flags on comments count."""
    return not event.is_test and not (event.event_type == "flag" and event.comment_id is not None)


def features_at(as_of: int, image: Image, user: User, events: Iterable[Happening], posts: Iterable[int]) -> Row:
    """DESIGN, section 4: "The 29 features"."""
    seen: Counter[str] = Counter()
    for event in events:
        age = as_of - event.occurred_at
        if age < 0:
            continue
        seen[f"total_{event.event_type}s"] += 1
        seen[f"{event.event_type}s_5min"] += age < 5 * MINUTE
        seen[f"{event.event_type}s_1hr"] += age < HOUR
    at = moment(as_of)
    return {
        "time_since_upload_seconds": (as_of - image.created_at) / SECOND,
        "hour_of_day": at.hour,
        "day_of_week": at.weekday(),
        "is_weekend": at.strftime("%a") in ("Sat", "Sun"),
        **{
            f"{kind}_{length}": seen[f"{kind}_{length}"]
            for kind in ("views", "comments", "flags")
            for length in LENGTHS
        },
        "total_flags": seen["total_flags"],
        "view_velocity_per_min": seen["views_5min"] / 5,
        "comment_to_view_ratio": seen["comments_1hr"] / max(seen["views_1hr"], 1),
        "recent_engagement_score": seen["views_5min"] + 5 * seen["comments_5min"],
        "caption_length": image.caption_length,
        "has_caption": image.caption_length > 0,
        "user_image_count": sum(posted <= as_of for posted in posts),
        "user_age_days": (as_of - user.created_at) / DAY,
        **{f"category_{category}": image.category == category for category in CATEGORIES},
    }


LENGTHS = ("5min", "1hr")


def moment(microseconds: int) -> datetime:
    """The instant of unix microseconds; exact."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def differences(found: Iterable[Mapping[str, Any]], expected: Iterable[Mapping[str, Any]]) -> list[str]:
    """What two lists of rows do not agree on, in lines for people."""
    here, there = _by_key(found), _by_key(expected)
    lines = [f"{key} is missing" for key in there.keys() - here.keys()]
    lines += [f"{key} should not be there" for key in here.keys() - there.keys()]
    for key in here.keys() & there.keys():
        names = here[key].keys() | there[key].keys()
        lines += [
            f"{key}: {name} is {here[key].get(name)!r}, not {there[key].get(name)!r}"
            for name in names
            if not _same(here[key].get(name), there[key].get(name))
        ]
    return sorted(lines)


def _same(one: object, other: object) -> bool:
    """Equal, and both or neither of them empty."""
    return one == other and (one is None) == (other is None)


def _by_key(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[int, int], Mapping[str, Any]]:
    listed = list(rows)
    found = {(row["image_id"], row["anchor_minutes"]): row for row in listed}
    assert len(found) == len(listed), f"{len(listed) - len(found)} rows are there twice"
    return found
