"""A training row knows nothing that came later, whatever happens afterwards; and a leak that is planted is noticed."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gourmetgram.lakehouse import sql
from tests.support.lakehouse import microseconds
from tests.support.training_recount import DAY, MINUTE, Happening, Image, Row, User, World, differences
from tests.support.training_worlds import BEGINNING, LATER, NEW_YEAR, found, happenings, worlds

LABELS = ("label", "label_confirmed")


def without_labels(row: Row) -> Row:
    """What was known at the anchor."""
    return {name: value for name, value in row.items() if name not in LABELS}


def check_no_leak(world: World, more: list[Happening], cut: int) -> None:
    """What happens after an instant changes nothing that was known then."""
    after = [dataclasses.replace(event, occurred_at=max(event.occurred_at, cut + 1)) for event in more]
    before, _ = found(world)
    since, _ = found(dataclasses.replace(world, events=world.events + after))
    known = [[without_labels(row) for row in rows if microseconds(row["as_of"]) <= cut] for rows in (before, since)]
    assert known[0] == known[1]


@st.composite
def futures(draw: st.DrawFn) -> tuple[World, list[Happening], int]:
    """A world, what else may happen in it, and the instant after which it does."""
    world = draw(worlds())
    cut = draw(st.sampled_from(world.images)).created_at + draw(st.sampled_from([0, 5 * MINUTE, 30 * MINUTE]))
    return world, draw(st.lists(happenings(world.images), min_size=1, max_size=10)), cut


@settings(deadline=None, max_examples=15)
@given(futures())
def test_nothing_leaks_from_the_future(future: tuple[World, list[Happening], int]) -> None:
    check_no_leak(*future)


@settings(deadline=None, max_examples=10)
@given(worlds().flatmap(lambda world: st.tuples(st.just(world), st.lists(happenings(world.images, (LATER,))))))
def test_flags_after_the_horizon_are_no_label(example: tuple[World, list[Happening]]) -> None:
    world, more = example
    late = [
        dataclasses.replace(event, event_type="flag", is_test=False, comment_id=None, occurred_at=after_all(world))
        for event in more
    ]
    before, _ = found(world)
    since, _ = found(dataclasses.replace(world, events=world.events + late))
    assert since == before


@settings(deadline=None, max_examples=15)
@given(worlds())
def test_verdicts_are_a_label_and_nothing_else(world: World) -> None:
    """Whoever judges what and how often, everything but that one column stays as it is, to the last row."""
    judged, _ = found(world)
    not_judged, _ = found(dataclasses.replace(world, actions=[]))
    assert not_judged == [row | {"label_confirmed": None} for row in judged]


def after_all(world: World) -> int:
    """The first microsecond after the day of every image."""
    return max(image.created_at for image in world.images) + DAY + 1


LEAKS = {
    "windows that end when the label is read": ("window_counts", "instant <= as_of", "instant <= as_of + 86400000000"),
    "an end of windows that is one microsecond late": ("window_counts", "instant <= as_of", "instant <= as_of + 1"),
    "the uploader's posts of all time": ("posts_before", "ORDER BY instant", "ORDER BY 1"),
}


@pytest.fixture
def changed_sql(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Replaces text in one of the steps."""
    original = sql._text

    def change(step: str, old: str, new: str) -> None:
        assert old in original(step)
        monkeypatch.setattr(sql, "_text", lambda name: original(name).replace(old, new if name == step else old))

    yield change
    monkeypatch.undo()


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_noticed(changed_sql: Any, leak: str) -> None:
    posts = [Image(1, 1, NEW_YEAR), Image(2, 1, NEW_YEAR + 31 * MINUTE)]
    events = [Happening("upload", image.id, image.created_at) for image in posts]
    world = World([User(1, BEGINNING)], posts, events, NEW_YEAR + 2 * DAY)
    view = Happening("view", 1, 0)
    check_both(world, [view])
    changed_sql(*LEAKS[leak])
    with pytest.raises(AssertionError):
        check_both(world, [view])


def check_both(world: World, more: list[Happening]) -> None:
    """Against a recount, and against what comes later."""
    check_no_leak(world, more, NEW_YEAR)
    assert differences(found(world)[0], world.rows()) == []
