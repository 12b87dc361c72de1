"""Worlds made up for tests of the training data, and what the platform makes of them."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from gourmetgram.lakehouse.training_data.eligibility import Report
from gourmetgram.lakehouse.training_data.rows import SCHEMA, TrainingRows
from tests.support.lakehouse import microseconds
from tests.support.training_recount import (
    CATEGORIES,
    DAY,
    HOUR,
    MINUTE,
    Action,
    Happening,
    Image,
    Row,
    User,
    World,
    differences,
)

NEW_YEAR = microseconds(datetime(2027, 1, 1, tzinfo=UTC))
FRIDAY = microseconds(datetime(2026, 11, 20, 23, 59, 30, tzinfo=UTC))
BEGINNING = NEW_YEAR - 400 * DAY
BORDERS = sorted(
    {anchor - length for anchor in (0, 5 * MINUTE, 30 * MINUTE) for length in (0, 5 * MINUTE, HOUR)} | {DAY}
)
"""Where something changes, after an upload."""
LATER = DAY + HOUR

INSTANT = pa.timestamp("us", tz="UTC")
VERDICTS = {"confirm": "confirmed", "reject": "rejected"}
ACTIONS = (*VERDICTS, "hide", "restore")
SOURCES: Mapping[str, tuple[type[Any], dict[str, pa.DataType]]] = {
    "users": (
        User,
        {
            "id": pa.int64(),
            "country_of_residence": pa.string(),
            "year_of_birth": pa.int32(),
            "tos_version_accepted": pa.int32(),
            "tos_accepted_at": INSTANT,
            "is_test_account": pa.bool_(),
            "created_at": INSTANT,
        },
    ),
    "images": (
        Image,
        {
            "id": pa.int64(),
            "user_id": pa.int64(),
            "source": pa.string(),
            "caption_length": pa.int64(),
            "category": pa.string(),
            "created_at": INSTANT,
        },
    ),
    "landed": (
        Happening,
        {
            "event_type": pa.string(),
            "image_id": pa.int64(),
            "occurred_at": INSTANT,
            "is_test": pa.bool_(),
            "imported": pa.bool_(),
            "comment_id": pa.int64(),
            "offset": pa.int64(),
        },
    ),
    "reviews": (Action, {"id": pa.int64(), "image_id": pa.int64(), "verdict": pa.string()}),
}


def sources(world: World) -> dict[str, pa.Table]:
    """The world as a raw snapshot and the tables of the history hold it."""
    gone = dict.fromkeys(("id", "source", "caption_length", "category"))
    rows = {
        "users": [vars(user) for user in world.users],
        "images": [vars(image) | (gone if image.is_deleted else {}) for image in world.images],
        "landed": [vars(event) | {"offset": number} for number, event in enumerate(world.events)],
        "reviews": list(_reviews(world)),
    }
    tables = {
        name: pa.table(
            {column: pa.array([row[column] for row in rows[name]], kind) for column, kind in columns.items()}
        )
        for name, (_, columns) in SOURCES.items()
    }
    return tables | {"deleted": pa.table({"image_id": pa.array(world.deleted_since, pa.int64())})}


def _reviews(world: World) -> Iterator[Row]:
    """What the view of that name shows of the actions."""
    gone = {image.id for image in world.images if image.is_deleted}
    for one in world.actions:
        if one.action in VERDICTS and one.comment_id is None and one.image_id not in gone:
            yield vars(one) | {"verdict": VERDICTS[one.action]}


def found(world: World, rows: int = 1000) -> tuple[list[Row], Report]:
    """What the platform makes of a world."""
    with TrainingRows.over(sources(world), world.complete_until) as training:
        batches = list(training.batches(rows))
        assert all(batch.schema == SCHEMA for batch in batches)
        return [row for batch in batches for row in batch.to_pylist()], training.report()


def rows_of(world: World) -> dict[int, Row]:
    """The rows of a world with one image, by anchor."""
    rows, _ = found(world)
    assert differences(rows, world.rows()) == []
    return {row["anchor_minutes"]: row for row in rows}


def one_image(*events: Happening, complete_until: int = NEW_YEAR + 3 * DAY, **of_the_user: Any) -> World:
    """An image that a user has uploaded at the beginning of a year."""
    upload = Happening("upload", 1, NEW_YEAR)
    return World(
        [User(1, BEGINNING, **of_the_user)], [Image(1, 1, NEW_YEAR)], [upload, *events], complete_until=complete_until
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Few people and images, and much happens on a border."""
    births = st.sampled_from([None, 1980, 2007, 2008, 2009])
    users = [
        User(
            number,
            created_at=BEGINNING + draw(st.sampled_from([0, 1, DAY])),
            country_of_residence=draw(st.sampled_from(["DE", "US"])),
            year_of_birth=draw(st.one_of(st.just(1980), births)),
            tos_version_accepted=draw(st.sampled_from([1, 1, 1, 0, None])),
            tos_accepted_at=draw(st.sampled_from([0, 0, 0, None])),
            is_test_account=draw(st.sampled_from([False, False, False, True])),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    images = [
        Image(
            number,
            user_id=draw(st.sampled_from(users)).id,
            created_at=draw(st.sampled_from([NEW_YEAR, FRIDAY]))
            + draw(st.sampled_from([-1, 0, 1, 5 * MINUTE, 30 * MINUTE])),
            source=draw(st.sampled_from(["user_upload", "import", "synthetic"])),
            caption_length=draw(st.sampled_from([0, 1, 80])),
            category=draw(st.sampled_from(CATEGORIES)),
            is_deleted=draw(st.sampled_from([False, False, True])),
        )
        for number in range(1, draw(st.integers(1, 5)) + 1)
    ]
    uploads = [Happening("upload", image.id, image.created_at) for image in images if draw(st.integers(0, 9))]
    last = draw(st.sampled_from(images)).created_at
    return World(
        users,
        images,
        events=uploads + draw(st.lists(happenings(images), max_size=60)),
        complete_until=last + draw(st.sampled_from(BORDERS)) + draw(st.sampled_from([-1, 0, 1])),
        deleted_since={image.id for image in images if not draw(st.integers(0, 9))},
        actions=draw(actions(images)),
    )


@st.composite
def actions(draw: st.DrawFn, images: list[Image]) -> list[Action]:
    """What moderators do to images and to comments below them, one after the other."""
    done = draw(
        st.lists(st.tuples(st.sampled_from(images), st.sampled_from(ACTIONS), st.sampled_from([None, None, 5])))
    )
    return [
        Action(number, image.id, action, comment_id) for number, (image, action, comment_id) in enumerate(done, start=1)
    ]


@st.composite
def happenings(draw: st.DrawFn, images: list[Image], after: tuple[int, ...] = tuple(BORDERS)) -> Happening:
    """Something that happens to one of the images, on a border or a microsecond beside it."""
    image = draw(st.sampled_from(images))
    kind = draw(st.sampled_from(["view", "comment", "flag", "flag"]))
    return Happening(
        kind,
        image.id,
        image.created_at + draw(st.sampled_from(after)) + draw(st.sampled_from([-1, 0, 1])),
        is_test=draw(st.sampled_from([False, False, False, True])),
        imported=draw(st.booleans()),
        comment_id=draw(st.sampled_from([None, None, 5])) if kind == "flag" else 5 if kind == "comment" else None,
    )


def big_world(chance: random.Random, images: int, around: int = NEW_YEAR) -> World:
    """As many images as that, three weeks of them, of all sorts of people, and much happens near the borders."""
    users = [
        User(
            number,
            created_at=BEGINNING + chance.randrange(DAY),
            country_of_residence=chance.choice(["DE", "US", "PL"]),
            year_of_birth=chance.choice([None, 1950, 1980, 1999, 2007, 2008, 2009]),
            tos_version_accepted=chance.choice([1, 1, 2, 0, None]),
            is_test_account=chance.random() < 0.1,
        )
        for number in range(1, images // 5)
    ]
    posts = [
        Image(
            number,
            user_id=chance.choice(users).id,
            created_at=around + chance.randrange(-7 * DAY, 14 * DAY),
            source=chance.choice(["user_upload", "user_upload", "import", "synthetic"]),
            caption_length=chance.choice([0, 1, 80]),
            category=chance.choice(CATEGORIES),
            is_deleted=chance.random() < 0.1,
        )
        for number in range(1, images + 1)
    ]
    uploads = [Happening("upload", image.id, image.created_at) for image in posts if chance.random() < 0.9]
    happened = [_chance_happening(chance, chance.choice(posts)) for _ in range(30 * images)]
    gone = {image.id for image in posts if chance.random() < 0.05}
    done = [Action(number, *_chance_action(chance, posts)) for number in range(1, images)]
    return World(users, posts, uploads + happened, around + 13 * DAY, gone, done)


def _chance_action(chance: random.Random, posts: list[Image]) -> tuple[int, str, int | None, str]:
    return (
        chance.choice(posts).id,
        chance.choice(ACTIONS),
        chance.choice([None, None, 5]),
        chance.choice(["ana", "ben"]),
    )


def _chance_happening(chance: random.Random, image: Image) -> Happening:
    kind = chance.choices(["view", "comment", "flag"], [20, 5, 1])[0]
    after = chance.choice([chance.choice(BORDERS) + chance.choice([-1, 0, 1]), chance.randrange(-HOUR, LATER)])
    return Happening(
        kind,
        image.id,
        image.created_at + after,
        is_test=chance.random() < 0.1,
        imported=chance.random() < 0.5,
        comment_id=5 if kind == "comment" or (kind == "flag" and chance.random() < 0.3) else None,
    )
