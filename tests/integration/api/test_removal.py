"""A deletion that was interrupted, or overtaken by a comment, is finished later."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing

import psycopg2
import pytest

from gourmetgram.api import maintenance
from gourmetgram.api.database import Database
from gourmetgram.api.removal import SILENCE_LATE, forget_photo
from gourmetgram.api.storage import PhotoStore
from labkit.stack import Stack
from tests.integration.api.people import new_person
from tests.integration.api.servers import ApiProcess, environment, in_background
from tests.support.database import Rows

OLD_KEY = """
INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at) SELECT %s, 'old', '', now() - interval '2 days'
"""


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    database = await Database.open(environment(stack, "v1")["DATABASE_URL"], 2)
    yield database
    await database.close()


def store(stack: Stack, endpoint: str | None = None) -> PhotoStore:
    settings = environment(stack, "v1")
    keys = (settings["S3_ACCESS_KEY"], settings["S3_SECRET_KEY"])
    return PhotoStore.connect(endpoint or settings["S3_ENDPOINT"], *keys, "gourmetgram-images")


async def test_a_photo_whose_removal_failed_is_removed_later(
    stack: Stack, v1: ApiProcess, database: Database, rows: Rows, objects: Callable[[], set[str]]
) -> None:
    image = new_person(v1).image()
    ((url,),) = rows("UPDATE images SET deleted_at = now() WHERE id = %s RETURNING s3_url", image)
    name = url.removeprefix("s3://gourmetgram-images/")
    assert await forget_photo(database, store(stack, "http://127.0.0.1:1"), image) == 0
    assert rows("SELECT object_deleted_at FROM images WHERE id = %s", image) == [(None,)]
    assert name in objects()
    working = store(stack)
    assert await forget_photo(database, working) == 1
    working.close()
    assert name not in objects()
    assert rows("SELECT count(*) FROM images WHERE id = %s AND object_deleted_at IS NOT NULL", image) == [(1,)]


async def test_a_comment_that_overtook_the_deletion_is_emptied(
    stack: Stack, v1: ApiProcess, database: Database, rows: Rows
) -> None:
    ana = new_person(v1)
    image = ana.image()
    url = f"postgresql://postgres:{stack.setting('POSTGRES_PASSWORD')}@{stack.address('postgres')}/gourmetgram"
    late = psycopg2.connect(url)
    with late, late.cursor() as cursor:
        cursor.execute(
            "INSERT INTO comments (image_id, user_id, content, created_at) VALUES (%s, %s, 'late', now())",
            (image, ana.id),
        )
        assert ana.delete(image).status_code == 204
    late.close()
    assert rows("SELECT content FROM comments WHERE image_id = %s", image) == [("late",)]
    await database.run(SILENCE_LATE)
    assert rows(
        "SELECT content, c.deleted_at = i.deleted_at FROM comments c JOIN images i ON i.id = image_id WHERE i.id = %s",
        image,
    ) == [("", True)]


async def test_a_round_that_fails_is_not_the_last(
    stack: Stack, v1: ApiProcess, database: Database, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "PERIOD_SECONDS", 0.1)
    user = new_person(v1).id
    with closing(store(stack)) as photos:
        async with in_background(maintenance.look_after(database, photos)):
            rows("REVOKE DELETE ON idempotency_keys FROM api")
            try:
                await asyncio.sleep(1)
            finally:
                rows("GRANT DELETE ON idempotency_keys TO api")
            rows(OLD_KEY, user)
            async with asyncio.timeout(10):
                while rows("SELECT FROM idempotency_keys WHERE key = 'old'"):
                    await asyncio.sleep(0.1)
