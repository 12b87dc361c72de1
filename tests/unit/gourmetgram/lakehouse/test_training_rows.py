"""Training rows against a recount in plain Python: what each row knows, its label, and when it is there."""

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gourmetgram.lakehouse.training_data.eligibility import RULES
from gourmetgram.lakehouse.training_data.rows import TrainingRows
from tests.support.training_recount import (
    DAY,
    HOUR,
    MINUTE,
    Action,
    Happening,
    Image,
    User,
    World,
    differences,
    moment,
)
from tests.support.training_worlds import (
    BEGINNING,
    NEW_YEAR,
    big_world,
    found,
    one_image,
    rows_of,
    sources,
    worlds,
)


@settings(deadline=None, max_examples=40)
@given(worlds())
def test_rows_and_report_are_a_recount(world: World) -> None:
    check(world)


def test_thousands_of_images_are_recounted() -> None:
    assert check(big_world(random.Random(20261121), images=2000)) > 1000


def check(world: World) -> int:
    """All rows, in order, and the report; returns how many rows there are."""
    rows, report = found(world)
    assert differences(rows, world.rows()) == []
    keys = [(row["image_id"], row["anchor_minutes"]) for row in rows]
    assert keys == sorted(keys)
    expected = world.exclusions()
    told = {one["rule"]: one["images"] for one in report["excluded"]}
    assert told == {rule.name: expected[rule.name] for rule in RULES}
    assert (report["kept"], report["considered"]) == (expected[None], sum(expected.values()))
    return len(rows)


@settings(deadline=None, max_examples=10)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_read_does_not_matter(world: World, chance: random.Random) -> None:
    mixed = dataclasses.replace(
        world,
        users=chance.sample(world.users, len(world.users)),
        images=chance.sample(world.images, len(world.images)),
        events=chance.sample(world.events, len(world.events)),
        actions=chance.sample(world.actions, len(world.actions)),
    )
    assert found(mixed) == found(world)


@pytest.mark.parametrize(
    ("after", "labels"),
    [
        (0, {0: False, 5: False, 30: False}),  # known at once, so it is no label of any anchor
        (1, {0: True, 5: False, 30: False}),
        (5 * MINUTE, {0: True, 5: False, 30: False}),
        (5 * MINUTE + 1, {0: True, 5: True, 30: False}),
        (30 * MINUTE, {0: True, 5: True, 30: False}),
        (DAY, {0: True, 5: True, 30: True}),
        (DAY + 1, {0: False, 5: False, 30: False}),
    ],
)
def test_the_label_is_a_flag_after_the_anchor_and_within_a_day(after: int, labels: dict[int, bool]) -> None:
    rows = rows_of(one_image(Happening("flag", 1, NEW_YEAR + after)))
    assert {anchor: row["label"] for anchor, row in rows.items()} == labels
    assert {anchor: row["already_flagged"] for anchor, row in rows.items()} == {
        anchor: after <= anchor * MINUTE for anchor in labels
    }


@pytest.mark.parametrize("changes", [{"is_test": True}, {"comment_id": 5}])
def test_flags_of_test_accounts_and_on_comments_count_nowhere(changes: dict[str, Any]) -> None:
    rows = rows_of(one_image(*(Happening("flag", 1, NEW_YEAR + at, **changes) for at in (0, HOUR))))
    assert [(row["label"], row["total_flags"], row["already_flagged"]) for row in rows.values()] == [
        (False, 0, False)
    ] * 3


@pytest.mark.parametrize(
    ("actions", "verdict"),
    [
        ([], None),
        ([("confirm", None)], True),
        ([("reject", None)], False),
        ([("confirm", None), ("reject", None)], False),
        ([("reject", None), ("confirm", None)], True),
        ([("confirm", None), ("restore", None)], True),  # showing it again judges nothing
        ([("hide", None)], None),
        ([("confirm", 5)], None),  # it is the comment that breaks the rules
        ([("reject", None), ("confirm", 5)], False),
    ],
)
def test_the_second_label_is_the_latest_verdict(actions: list[tuple[str, int | None]], verdict: bool | None) -> None:
    """The same at each anchor, without a single flag, and as soon as there are rows."""
    world = one_image(complete_until=NEW_YEAR + HOUR)
    world.actions = [Action(number, 1, action, comment) for number, (action, comment) in enumerate(actions)]
    world.actions += [Action(9, 2, "confirm" if verdict is False else "reject")]  # another image
    assert [row["label_confirmed"] for row in rows_of(world).values()] == [verdict] * 3


@pytest.mark.parametrize(
    ("complete_until", "labels"),
    [
        (NEW_YEAR - 1, {}),
        (NEW_YEAR, {0: None}),
        (NEW_YEAR + 5 * MINUTE - 1, {0: None}),
        (NEW_YEAR + 5 * MINUTE, {0: None, 5: None}),
        (NEW_YEAR + 30 * MINUTE, {0: None, 5: None, 30: None}),
        (NEW_YEAR + DAY - 1, {0: None, 5: None, 30: None}),
        (NEW_YEAR + DAY, {0: True, 5: True, 30: True}),
    ],
)
def test_rows_and_labels_wait_until_all_has_landed(complete_until: int, labels: dict[int, bool | None]) -> None:
    rows = rows_of(one_image(Happening("flag", 1, NEW_YEAR + HOUR), complete_until=complete_until))
    assert {anchor: row["label"] for anchor, row in rows.items()} == labels


def test_windows_are_open_at_their_start_and_closed_at_their_end() -> None:
    at = [NEW_YEAR + before for before in (-HOUR, -HOUR + 1, -5 * MINUTE, -5 * MINUTE + 1, 0, 0, 1)]
    row = rows_of(one_image(*(Happening("view", 1, one) for one in at)))[0]
    assert (row["views_5min"], row["views_1hr"]) == (3, 5)


def test_images_that_are_deleted_later_count_for_their_user() -> None:
    world = one_image()
    world.images += [Image(2, 1, NEW_YEAR - DAY, is_deleted=True), Image(3, 1, NEW_YEAR - HOUR)]
    world.images += [Image(4, 1, NEW_YEAR + 5 * MINUTE, is_deleted=True), Image(5, 2, NEW_YEAR - DAY)]
    world.users.append(User(2, BEGINNING))
    world.deleted_since = {3}
    assert {anchor: row["user_image_count"] for anchor, row in rows_of(world).items()} == {0: 3, 5: 4, 30: 4}


def test_nothing_gives_no_rows() -> None:
    rows, report = found(World([], [], [], NEW_YEAR))
    assert rows == []
    assert report["considered"] == report["kept"] == 0


def test_rows_come_in_batches_of_the_size_that_was_asked_for() -> None:
    images = [Image(number, 1, NEW_YEAR) for number in range(1, 2001)]
    world = World(
        [User(1, BEGINNING)], images, [Happening("upload", image.id, NEW_YEAR) for image in images], NEW_YEAR + HOUR
    )
    with TrainingRows.over(sources(world), world.complete_until) as training:
        sizes = [len(batch) for batch in training.batches(2048)]
    assert max(sizes) <= 2048
    assert sum(sizes) == 6000


def test_instants_are_exact() -> None:
    row = rows_of(one_image())[5]
    assert row["as_of"] == moment(NEW_YEAR + 5 * MINUTE)
    assert row["user_age_days"] == (400 * DAY + 5 * MINUTE) / DAY
