"""The counts behind every vector that is computed offline, against loops over all events.

A live question has borders: of each topic only what is below an offset had been seen. One of the history has none.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from gourmetgram.lakehouse.sql import Session
from gourmetgram.lakehouse.training_data.rows import count

MINUTE = 60 * 10**6
WINDOWS = {
    "views_5min": ("view", 5 * MINUTE),
    "views_1hr": ("view", 60 * MINUTE),
    "comments_5min": ("comment", 5 * MINUTE),
    "comments_1hr": ("comment", 60 * MINUTE),
    "flags_5min": ("flag", 5 * MINUTE),
    "flags_1hr": ("flag", 60 * MINUTE),
}
NOW = 1_790_000_000_000_000
MOMENTS = [NOW, NOW + 1, NOW + 5 * MINUTE, NOW + 60 * MINUTE]
"""At which questions are asked."""
EDGES = [0, 1, -1, 7, -5 * MINUTE, -60 * MINUTE, -90 * MINUTE]
IMAGES = 3
INSTANT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Event:
    image_id: int
    event_type: str
    occurred_at: int
    is_test: bool
    imported: bool
    comment_id: int | None
    offset: int


@dataclass(frozen=True)
class Question:
    image_id: int
    as_of: int
    is_live: bool
    views_before: int | None
    comments_before: int | None
    flags_before: int | None
    posts_unseen: int = 0

    def border(self, kind: str) -> int | None:
        return {"view": self.views_before, "comment": self.comments_before, "flag": self.flags_before}[kind]


@dataclass(frozen=True)
class Post:
    image_id: int | None
    user_id: int
    uploaded_at: int


def near_an_edge(chance: Random) -> int:
    return chance.choice(MOMENTS) + chance.choice(EDGES) + chance.choice([-1, 0, 0, 1])


def an_event(chance: Random) -> Event:
    return Event(
        image_id=chance.randint(1, IMAGES),
        event_type=chance.choice(["view", "comment", "flag", "upload"]),
        occurred_at=near_an_edge(chance),
        is_test=chance.random() < 0.2,
        imported=chance.random() < 0.3,
        comment_id=chance.choice([None, None, 5]),
        offset=chance.randint(0, 12),
    )


def a_question(chance: Random) -> Question:
    is_live = chance.random() < 0.7
    borders = [chance.choice([None, chance.randint(0, 13)]) if is_live else None for _ in range(3)]
    posts_unseen = chance.choice([0, 0, 2]) if is_live else 0
    return Question(
        chance.randint(1, IMAGES), chance.choice(MOMENTS), is_live, borders[0], borders[1], borders[2], posts_unseen
    )


def some_posts(chance: Random) -> list[Post]:
    """The images that are asked about, and some that were deleted."""
    return [Post(image, chance.randint(1, 2), near_an_edge(chance)) for image in (1, 2, 3, *[None] * 8)]


def happened(question: Question, kind: str, all_events: list[Event]) -> list[Event]:
    """What had been seen of this kind, whenever it happened; test accounts and flags on comments are left out."""
    border = question.border(kind)
    return [
        one
        for one in all_events
        if one.image_id == question.image_id
        and one.event_type == kind
        and not one.is_test
        and not (kind == "flag" and one.comment_id is not None)
        and (border is None or one.offset < border)
    ]


def expected(question: Question, all_events: list[Event], all_posts: list[Post]) -> dict[str, int]:
    counts = {}
    for name, (kind, length) in WINDOWS.items():
        counts[name] = 0
        for one in happened(question, kind, all_events):
            if question.is_live and one.imported:
                continue
            counts[name] += question.as_of - length < one.occurred_at <= question.as_of
    counts["total_flags"] = 0
    for one in happened(question, "flag", all_events):
        was_seen = question.is_live and one.imported and question.flags_before is not None
        counts["total_flags"] += was_seen or one.occurred_at <= question.as_of
    (post,) = [one for one in all_posts if one.image_id == question.image_id]
    counts["user_image_count"] = -question.posts_unseen
    for other in all_posts:
        counts["user_image_count"] += other.user_id == post.user_id and other.uploaded_at <= question.as_of
    return counts


def table(rows: list[Any], types: dict[str, pa.DataType], **more: Any) -> pa.Table:
    columns = {name: pa.array([getattr(row, name) for row in rows], kind) for name, kind in types.items()}
    return pa.table({**columns, **{name: pa.array(values) for name, values in more.items()}})


EVENT_TYPES = {
    "image_id": pa.int64(),
    "event_type": pa.string(),
    "occurred_at": INSTANT,
    "is_test": pa.bool_(),
    "imported": pa.bool_(),
    "comment_id": pa.int64(),
    "offset": pa.int64(),
}
QUESTION_TYPES = {
    "image_id": pa.int64(),
    "as_of": pa.int64(),
    "is_live": pa.bool_(),
    "views_before": pa.int64(),
    "comments_before": pa.int64(),
    "flags_before": pa.int64(),
    "posts_unseen": pa.int64(),
}
POST_TYPES = {"image_id": pa.int64(), "user_id": pa.int64(), "uploaded_at": pa.int64()}


def answers(all_events: list[Event], questions: list[Question], all_posts: list[Post]) -> list[dict[str, Any]]:
    """What the SQL makes of it, in the order of the questions."""
    sources = {
        "events": table(all_events, EVENT_TYPES),
        "questions": table(questions, QUESTION_TYPES, number=range(len(questions))),
        "posts": table(
            all_posts,
            POST_TYPES,
            caption_length=[3] * len(all_posts),
            category=["Soup"] * len(all_posts),
            user_created_at=[NOW] * len(all_posts),
        ),
    }
    with Session.over(sources) as session:
        count(session)
        found: list[dict[str, Any]] = session.table("answers").to_pylist()
    return found


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
def test_counts_equal_loops_over_all_events(seed: int) -> None:
    chance = Random(seed)
    all_events = [an_event(chance) for _ in range(chance.choice([0, 1, 20, 150]))]
    questions = [a_question(chance) for _ in range(60)]
    all_posts = some_posts(chance)
    found = answers(all_events, questions, all_posts)
    assert [row["number"] for row in found] == list(range(len(questions)))
    for question, row in zip(questions, found, strict=True):
        wanted = expected(question, all_events, all_posts)
        assert {name: row[name] for name in wanted} == wanted, question


def view(at: int, **changes: Any) -> Event:
    return Event(**{**VIEW, "occurred_at": at, **changes})


VIEW = {
    "image_id": 1, "event_type": "view", "is_test": False, "imported": False, "comment_id": None, "offset": 0,
}  # fmt: skip


def ask(all_events: list[Event], **changes: Any) -> dict[str, Any]:
    whole = {"image_id": 1, "as_of": NOW, "is_live": True, "views_before": None, "comments_before": None}
    (row,) = answers(all_events, [Question(**{**whole, "flags_before": None, **changes})], [Post(1, 1, NOW)])
    return row


def test_a_window_has_its_end_and_not_its_start() -> None:
    found = ask([view(NOW), view(NOW + 1), view(NOW - 5 * MINUTE), view(NOW - 5 * MINUTE + 1), view(NOW - 60 * MINUTE)])
    assert (found["views_5min"], found["views_1hr"]) == (2, 3)


def test_two_events_at_one_instant_are_two() -> None:
    assert ask([view(NOW), view(NOW)])["views_5min"] == 2


def test_a_border_leaves_out_what_stands_at_it() -> None:
    assert ask([view(NOW, offset=4), view(NOW, offset=5), view(NOW, offset=6)], views_before=5)["views_5min"] == 1


def test_an_imported_flag_counts_live_in_the_total_alone_as_soon_as_it_was_seen() -> None:
    flags = [view(NOW + 9, event_type="flag", imported=True), view(NOW, event_type="flag", imported=True, offset=7)]
    found = ask(flags, flags_before=7)
    assert (found["flags_1hr"], found["total_flags"]) == (0, 1)
    assert ask(flags, flags_before=8)["total_flags"] == 2


def test_to_the_history_an_imported_flag_is_one_like_any_other() -> None:
    flags = [view(NOW + 9, event_type="flag", imported=True), view(NOW, event_type="flag", imported=True)]
    found = ask(flags, is_live=False)
    assert (found["flags_1hr"], found["total_flags"]) == (1, 1)
