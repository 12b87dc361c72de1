"""A write that is sent again with its key is carried out once, and answered as the first time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gourmetgram.api.database import Database
from gourmetgram.api.maintenance import PURGE_KEYS
from labkit.stack import Stack
from tests.integration.api.people import Person, assert_refused, new_name, new_person, photo
from tests.integration.api.servers import ApiProcess, environment
from tests.support.database import Rows

Events = Callable[[int], list[dict[str, Any]]]
SAME_TIME = 50


def at_once(send: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """The answers to one request sent 50 times at the same time."""
    with ThreadPoolExecutor(SAME_TIME) as pool:
        return [one.result() for one in [pool.submit(send) for _ in range(SAME_TIME)]]


def bodies(answers: list[httpx.Response]) -> list[str]:
    """The different answers that were given."""
    assert {answer.status_code for answer in answers} == {201}, {answer.text for answer in answers}
    return sorted({answer.text for answer in answers})


def count(rows: Rows, table: str, **where: object) -> int:
    conditions = " AND ".join(f"{column} = %s" for column in where)
    return int(rows(f"SELECT count(*) FROM {table} WHERE {conditions}", *where.values())[0][0])


def test_one_comment(v2: ApiProcess, rows: Rows, events: Events) -> None:
    ana, key = new_person(v2), new_name()
    image = ana.image()
    assert len(bodies(at_once(lambda: ana.comment(image, key=key)))) == 1
    assert count(rows, "comments", image_id=image) == 1
    assert count(rows, "idempotency_keys", user_id=ana.id, key=key) == 1
    assert [event["event_type"] for event in events(image)] == ["upload", "comment"]


def test_one_view(api: ApiProcess, rows: Rows, events: Events) -> None:
    ana, key = new_person(api), new_name()
    image = ana.image()
    assert len(bodies(at_once(lambda: ana.view(image, key=key)))) == 1
    if api.streaming:
        assert [event["event_type"] for event in events(image)] == ["upload", "view"]
    else:
        assert rows("SELECT views FROM images WHERE id = %s", image) == [(1,)]


def test_one_flag(v2: ApiProcess, rows: Rows, events: Events) -> None:
    ana, key = new_person(v2), new_name()
    image = ana.image()
    assert len(bodies(at_once(lambda: ana.flag(key, image_id=image)))) == 1
    assert count(rows, "flags", image_id=image) == 1
    assert [event["event_type"] for event in events(image)] == ["upload", "flag"]


def test_one_upload_and_one_photo(v2: ApiProcess, rows: Rows, objects: Callable[[], set[str]]) -> None:
    ana, key, before = new_person(v2), new_name(), objects()
    assert len(bodies(at_once(lambda: ana.upload(key=key)))) == 1
    (image,) = rows("SELECT id FROM images WHERE user_id = %s", ana.id)
    assert count(rows, "outbox", key=image[0]) == 1
    assert len(objects() - before) == 1


def test_photos_of_refused_uploads_do_not_stay(v2: ApiProcess, objects: Callable[[], set[str]]) -> None:
    ana, key, before = new_person(v2), new_name(), objects()
    photos = [photo(size=(20 + number, 20)) for number in range(SAME_TIME)]
    with ThreadPoolExecutor(SAME_TIME) as pool:
        answers = list(pool.map(lambda data: ana.upload(data, key=key), photos))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * (SAME_TIME - 1)
    (kept,) = (answer.json()["s3_url"] for answer in answers if answer.status_code == 201)
    assert objects() - before == {kept.removeprefix("s3://gourmetgram-images/")}


def test_one_deletion(v2: ApiProcess, events: Events) -> None:
    ana, key = new_person(v2), new_name()
    image = ana.image()
    answers = at_once(lambda: ana.delete(image, key=key))
    assert {answer.status_code for answer in answers} == {204}
    assert [event["event_type"] for event in events(image)] == ["upload", "deletion"]


def test_deleting_at_once_without_keys_makes_one_event(v2: ApiProcess, events: Events) -> None:
    ana = new_person(v2)
    image = ana.image()
    statuses = sorted(answer.status_code for answer in at_once(lambda: ana.delete(image)))
    assert statuses == [204] + [410] * (SAME_TIME - 1)
    assert [event["event_type"] for event in events(image)] == ["upload", "deletion"]


def test_flagging_at_once_without_keys_makes_one_flag(v2: ApiProcess, rows: Rows, events: Events) -> None:
    ana = new_person(v2)
    image = ana.image()
    statuses = sorted(answer.status_code for answer in at_once(lambda: ana.flag(image_id=image)))
    assert statuses == [201] + [409] * (SAME_TIME - 1)
    assert count(rows, "flags", image_id=image) == 1
    assert [event["event_type"] for event in events(image)] == ["upload", "flag"]


def test_many_comments_at_once_are_many(v2: ApiProcess, rows: Rows, events: Events) -> None:
    ana = new_person(v2)
    image = ana.image()
    made = {answer.json()["id"] for answer in at_once(lambda: ana.comment(image))}
    assert made == {row[0] for row in rows("SELECT id FROM comments WHERE image_id = %s", image)}
    assert made == {event["comment_id"] for event in events(image)[1:]}
    assert len(made) == SAME_TIME


@pytest.mark.parametrize("kind", ["comment", "view", "flag", "upload"])
def test_a_key_is_for_one_request_of_one_user(ana: Person, ben: Person, rows: Rows, kind: str) -> None:
    key, image, other = new_name(), ana.image(), ana.image()
    send: dict[str, Callable[[Person, int], httpx.Response]] = {
        "comment": lambda person, target: person.comment(target, key=key),
        "view": lambda person, target: person.view(target, key=key),
        "flag": lambda person, target: person.flag(key, image_id=target),
        "upload": lambda person, target: person.upload(photo(size=(target % 50 + 1, 20)), key=key),
    }
    first = send[kind](ana, image)
    assert first.status_code == 201
    assert_refused(send[kind](ana, other), 422, "key_reused")
    assert_refused(ana.comment(image, "another kind of request", key=key), 422, "key_reused")
    assert send[kind](ana, image).json() == first.json()
    theirs = send[kind](ben, image)
    assert theirs.status_code == 201
    assert count(rows, "idempotency_keys", key=key) == 2


def test_a_refused_request_does_not_use_up_its_key(ana: Person) -> None:
    key = new_name()
    assert_refused(ana.comment(2**62, key=key), 404)
    assert ana.comment(ana.image(), key=key).status_code == 201


@pytest.mark.parametrize("key", ["with space", "x" * 201])
def test_a_bad_key_is_refused(ana: Person, key: str) -> None:
    assert "Idempotency-Key" in assert_refused(ana.view(1, key=key), 422, "invalid")


async def test_keys_are_kept_for_a_day(stack: Stack, v1: ApiProcess, rows: Rows) -> None:
    ana, old, young = new_person(v1), new_name(), new_name()
    image = ana.image()
    for key, hours in ((old, 25), (young, 23)):
        assert ana.view(image, key=key).status_code == 201
        rows("UPDATE idempotency_keys SET created_at = now() - %s WHERE key = %s", timedelta(hours=hours), key)
    database = await Database.open(environment(stack, "v1")["DATABASE_URL"], 1)
    await database.run(PURGE_KEYS)
    await database.close()
    assert rows("SELECT key FROM idempotency_keys WHERE user_id = %s", ana.id) == [(young,)]
