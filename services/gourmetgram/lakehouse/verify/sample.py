"""A few images by chance, and their rows recomputed from single events."""

from collections.abc import Iterator, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset

from gourmetgram.lakehouse.files import microseconds
from gourmetgram.lakehouse.sql import Session
from gourmetgram.lakehouse.verify.checks import Check
from gourmetgram.lakehouse.verify.recount import Event, Post, Row, rows_of
from gourmetgram.lakehouse.verify.sources import Sources, Training
from gourmetgram.lakehouse.verify.training import no_copy

NAME: Final = "training data, sample"
SHOWN: Final = 3


def check(sources: Sources, training: Training, images: int) -> Check:
    """Whether the rows of so many images equal what plain Python makes of the same events."""
    posted, users = sources.raw_of(training, "images"), sources.raw_of(training, "users")
    if posted is None or users is None:
        return no_copy(NAME)
    with Session.over({"training": training.rows}) as session:
        chosen = session.table("verify_sample", images=images)["image_id"].combine_chunks()
    found = training.rows.to_table(filter=pc.field("image_id").isin(chosen)).to_pylist()
    events = _events(sources.events_of(training), chosen)
    until = microseconds(training.complete_until)
    verdicts = _verdicts(sources.raw_of(training, "reviews"), chosen)
    posts = _posts(posted, users, verdicts, chosen)
    expected = [row for post in posts for row in rows_of(post, events[post.image_id], until)]
    wrong = list(differences(found, expected))
    return Check(
        name=NAME,
        level="error",
        passed=not wrong,
        found="; ".join([f"{len(found)} rows of {len(chosen)} images", *wrong[:SHOWN]]),
        expected=f"the {len(expected)} rows that a recount of single events gives",
    )


def differences(found: list[Row], expected: list[Row]) -> Iterator[str]:
    """What two lists of rows do not agree on, in words."""
    here, there = _by_key(found), _by_key(expected)
    for key in sorted(here.keys() | there.keys()):
        name = f"image {key[0]} at {key[1]} min"
        if key not in here or key not in there:
            yield f"{name} is {'missing' if key not in here else 'not to be there'}"
            continue
        for column, value in there[key].items():
            if here[key].get(column) != value:
                yield f"{name}: {column} is {here[key].get(column)}, not {value}"


def _by_key(rows: list[Row]) -> dict[tuple[int, int], Row]:
    return {(row["image_id"], row["anchor_minutes"]): row for row in rows}


def _events(events: pyarrow.dataset.Dataset, chosen: pa.Array) -> dict[int, list[Event]]:
    """What counts of each image: nothing of test accounts, no flags on comments."""
    found: dict[int, list[Event]] = {image: [] for image in chosen.to_pylist()}
    columns = ["image_id", "event_type", "occurred_at", "is_test", "comment_id"]
    for one in events.to_table(columns=columns, filter=pc.field("image_id").isin(chosen)).to_pylist():
        on_comment = one["event_type"] == "flag" and one["comment_id"] is not None
        if not (one["is_test"] or on_comment):
            found[one["image_id"]].append(Event(one["event_type"], microseconds(one["occurred_at"])))
    return found


def _verdicts(reviews: pyarrow.dataset.Dataset | None, chosen: pa.Array) -> dict[int, bool]:
    """By image whether it was confirmed last; there were no reviews when the oldest copies were made."""
    if reviews is None:
        return {}
    given = reviews.to_table(filter=pc.field("image_id").isin(chosen)).to_pylist()
    return {one["image_id"]: one["verdict"] == "confirmed" for one in sorted(given, key=lambda one: int(one["id"]))}


def _posts(
    images: pyarrow.dataset.Dataset, users: pyarrow.dataset.Dataset, verdicts: Mapping[int, bool], chosen: pa.Array
) -> Iterator[Post]:
    own = images.to_table(filter=pc.field("id").isin(chosen)).to_pylist()
    uploaders = pa.array({one["user_id"] for one in own}, pa.int64())
    people = {one["id"]: one for one in users.to_table(filter=pc.field("id").isin(uploaders)).to_pylist()}
    posted: dict[int, list[int]] = {user: [] for user in people}
    for one in images.to_table(
        columns=["user_id", "created_at"], filter=pc.field("user_id").isin(uploaders)
    ).to_pylist():
        posted[one["user_id"]].append(microseconds(one["created_at"]))
    for one in own:
        user = people[one["user_id"]]
        yield Post(
            image_id=one["id"],
            uploaded_at=microseconds(one["created_at"]),
            caption_length=one["caption_length"],
            category=one["category"],
            country=user["country_of_residence"],
            user_created_at=microseconds(user["created_at"]),
            posted=posted[one["user_id"]],
            is_confirmed=verdicts.get(one["id"]),
        )
