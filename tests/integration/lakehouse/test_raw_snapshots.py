"""Raw snapshots: all tables of one instant, whatever is written meanwhile; and nothing that nobody here needs."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import psycopg2.errors
import pyarrow.parquet
import pytest

from gourmetgram.lakehouse.catalog import open_storage
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.training_data import extract, raw
from labkit.stack import Stack
from tests.support.database import Rows, superuser, superuser_rows
from tests.support.lakehouse import microseconds
from tests.support.processes import wait_until
from tests.support.training_planted import EMPTY, plant_actions, plant_rows
from tests.support.training_recount import DAY, Action, Image, User

NOW = microseconds(datetime.now(UTC))
SECRET = "nobody may read this"


@pytest.fixture
def database(lake_stack: Stack) -> Iterator[Rows]:
    """Two users, a post of the first, and a comment on it."""
    lake_stack.up("migrate")
    with superuser_rows(lake_stack) as rows:
        rows(EMPTY)
        users = [User(number, NOW - 9 * DAY, tos_accepted_at=NOW) for number in (1, 2)]
        plant_rows(users, [Image(1, 1, NOW - DAY)], rows)
        rows("UPDATE images SET caption = %s", SECRET)
        rows("UPDATE users SET username = %s || id", SECRET)
        rows("INSERT INTO comments (id, image_id, user_id, content, created_at) VALUES (1, 1, 2, %s, now())", SECRET)
        yield rows
        rows(EMPTY)


def table(lakehouse: LakehouseSettings, taken: raw.Taken, name: str) -> list[dict[str, Any]]:
    path = raw.path_of(taken.folder, name)
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path, filesystem=open_storage(lakehouse)).to_pylist()
    return rows


POST = """
WITH posted AS (
    INSERT INTO images (user_id, s3_url, source, category, created_at) VALUES (1, '', 'user_upload', 'Soup', now())
    RETURNING id
), seen AS (
    INSERT INTO image_milestones SELECT id, 10, now() FROM posted
)
INSERT INTO flags (user_id, image_id, reason, created_at) SELECT 2, id, 'spam', now() FROM posted
"""
"""What a transaction writes belongs together: a post, that it was seen, and a flag."""


@contextmanager
def writer(stack: Stack) -> Iterator[list[int]]:
    """Somebody who posts all the time; each post is a transaction. Gives how many there were, as a list of one."""
    posts, stop = [0], threading.Event()

    def write() -> None:
        with superuser(stack) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT setval('images_id_seq', 1000)")
            while not stop.is_set():
                cursor.execute(POST)
                posts[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield posts
    finally:
        stop.set()
        thread.join(30)


def test_all_tables_are_of_one_instant(lakehouse: LakehouseSettings, lake_stack: Stack, database: Rows) -> None:
    sizes = []
    with writer(lake_stack) as posts:
        for number in range(10):
            before = posts[0]
            wait_until(lambda: posts[0] > before + 20, "somebody has posted")  # noqa: B023 - called at once
            taken = extract.take(lakehouse, open_storage(lakehouse), f"run {number}", deletions=0)
            posted = {row["id"] for row in table(lakehouse, taken, "images")} - {1}
            assert {row["image_id"] for row in table(lakehouse, taken, "flags")} == posted
            assert {row["image_id"] for row in table(lakehouse, taken, "image_milestones")} == posted
            assert taken.rows == {
                **{"users": 2, "images": len(posted) + 1, "comments": 1},
                **{"flags": len(posted), "image_milestones": len(posted), "reviews": 0},
            }
            sizes.append(len(posted))
            assert before <= len(posted)
    assert all(less < more for less, more in itertools.pairwise(sizes)), "nobody has posted meanwhile"


def test_of_a_deleted_image_nothing_is_taken_but_that_its_user_had_posted_one(
    lakehouse: LakehouseSettings, database: Rows
) -> None:
    database("INSERT INTO flags (user_id, image_id, reason, created_at) VALUES (2, 1, 'spam', now())")
    database("INSERT INTO flags (user_id, comment_id, reason, created_at) VALUES (2, 1, 'spam', now())")
    database("INSERT INTO image_milestones VALUES (1, 10, now())")
    plant_actions([Action(1, 1)], database)
    storage = open_storage(lakehouse)
    alive = extract.take(lakehouse, storage, "alive", 0)
    assert alive.rows == {"users": 2, "images": 1, "comments": 1, "flags": 2, "image_milestones": 1, "reviews": 1}
    assert [(row["image_id"], row["comment_id"]) for row in table(lakehouse, alive, "flags")] == [(1, None), (1, 1)]
    database("UPDATE images SET deleted_at = now()")
    gone = extract.take(lakehouse, storage, "gone", 0)
    assert gone.rows == {"users": 2, "images": 1, "comments": 0, "flags": 0, "image_milestones": 0, "reviews": 0}
    (row,) = table(lakehouse, gone, "images")
    assert {name for name, value in row.items() if value is not None} == {"user_id", "created_at"}


def test_no_texts_and_no_names_are_in_a_snapshot(lakehouse: LakehouseSettings, database: Rows) -> None:
    plant_actions([Action(1, 1, moderator=SECRET)], database)
    database("UPDATE moderation_actions SET note = %s", SECRET)
    taken = extract.take(lakehouse, open_storage(lakehouse), "secret", 0)
    rows = {name: table(lakehouse, taken, name) for name in extract.TABLES}
    assert rows["images"][0]["caption_length"] == rows["comments"][0]["content_length"] == len(SECRET)
    assert rows["reviews"] == [{"id": 1, "image_id": 1, "verdict": "confirmed"}]
    assert SECRET not in str(rows)


def test_reviews_are_verdicts_about_images(lakehouse: LakehouseSettings, database: Rows) -> None:
    """Of two moderators, one of whom changes her mind; not what they hide, show or delete, nor of comments."""
    given = [("confirm", "ana"), ("hide", "ben"), ("reject", "ben"), ("restore", "ana"), ("delete", "ana")]
    done = [Action(number, 1, action, moderator=who) for number, (action, who) in enumerate(given, start=1)]
    plant_actions([*done, Action(6, 1, "confirm", comment_id=1), Action(7, 1, "confirm")], database)
    taken = extract.take(lakehouse, open_storage(lakehouse), "reviews", 0)
    assert [(row["id"], row["verdict"]) for row in table(lakehouse, taken, "reviews")] == [
        (1, "confirmed"),
        (3, "rejected"),
        (7, "confirmed"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT caption FROM images",
        "SELECT id FROM images",
        "SELECT username FROM users",
        "SELECT content FROM comments",
        "SELECT reason FROM flags",
        "SELECT moderator FROM moderation_actions",
        "SELECT id FROM moderation_actions",
        "SELECT payload FROM outbox",
        "SELECT features FROM moderation",
        "SELECT token_hash FROM api_tokens",
        "SELECT response FROM idempotency_keys",
        "UPDATE raw.users SET is_test_account = true",
        "DELETE FROM raw.users",
        "CREATE TABLE raw.mine (id int)",
        "CREATE TABLE public.mine (id int)",
    ],
)
def test_the_lakehouse_may_read_its_views_and_nothing_else(
    lakehouse: LakehouseSettings, database: Rows, statement: str
) -> None:
    with (
        closing(psycopg2.connect(lakehouse.database_url.get_secret_value())) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM raw.images")
        assert cursor.fetchall() == [(1,)]
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied"):
            cursor.execute(statement)


def test_many_rows_are_taken_in_pieces(lakehouse: LakehouseSettings, database: Rows) -> None:
    """More than one batch; they come in the order of the ids, all of them."""
    insert = "INSERT INTO comments (id, image_id, user_id, content, created_at) "
    database(f"{insert} SELECT id, 1, 2, 'x', now() FROM generate_series(2, 300000) AS id")
    taken = extract.take(lakehouse, open_storage(lakehouse), "many", 0)
    path = raw.path_of(taken.folder, "comments")
    file = pyarrow.parquet.ParquetFile(path, filesystem=open_storage(lakehouse))
    assert file.num_row_groups > 1
    ids = file.read(["id"])["id"].to_pylist()
    assert len(ids) == taken.rows["comments"] == 300_000
    assert ids == sorted(set(ids))


def test_a_retry_on_another_day_has_a_folder_of_its_own() -> None:
    day = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
    one = raw.folder_of("bucket/raw", "scheduled__2026-11-21T00:00:00+00:00", day)
    assert one == "bucket/raw/dt=2026-11-21/run_id=scheduled__2026-11-21T00_00_00_00_00"
    assert raw.folder_of("bucket/raw", "a/../b", day + timedelta(minutes=2)).startswith("bucket/raw/dt=2026-11-22/")
    assert raw.folder_of("bucket/raw", "a/../b", day).count("/") == one.count("/")
