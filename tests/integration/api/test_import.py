"""Importing history: whole or not at all, once, in the right order."""

import base64
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.api.people import Person, assert_refused, new_name, new_person, photo
from tests.integration.api.servers import ApiProcess
from tests.support.database import Rows

Batch = dict[str, list[dict[str, Any]]]
START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def at(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat()


def event(kind: str, username: str, image: str | int, minutes: float, **text: str) -> dict[str, Any]:
    common = {"event_type": kind, "event_id": str(uuid.uuid4()), "username": username, "image": image}
    return common | {"occurred_at": at(minutes)} | text


def batch_of(author: str, fan: str) -> Batch:
    """Two users, two posts, and five events on the first."""
    user = {"country_of_residence": "NL", "year_of_birth": 1990, "created_at": at(0)}
    encoded = base64.b64encode(photo()).decode()
    uploads = [
        {"ref": ref, "username": author, "caption": f"süß: {ref}", "category": "Soup"}
        | {"occurred_at": at(1), "photo": encoded}
        for ref in ("soup", "stew")
    ]
    events = [event("view", fan, "soup", 2 + number) for number in range(3)]
    events += [event("comment", fan, "soup", 6, content="salty"), event("flag", fan, "soup", 7, reason="too salty")]
    users = [user | {"username": author}, user | {"username": fan, "is_test_account": True}]
    return {"users": users, "uploads": uploads, "events": events}


@pytest.fixture
def batch() -> Batch:
    return batch_of(new_name(), new_name())


def send(importer: Person, batch: Batch, key: str) -> Any:
    return importer.post("/import/events", key, json=batch)


def totals(rows: Rows) -> list[tuple[Any, ...]]:
    tables = ("users", "images", "comments", "flags", "outbox", "idempotency_keys")
    return [rows(f"SELECT count(*) FROM {table}")[0] for table in tables]


def test_a_batch_becomes_rows_and_in_v2_imported_events(
    api: ApiProcess, importer: Person, rows: Rows, batch: Batch, objects: Callable[[], set[str]]
) -> None:
    answer = send(importer, batch, new_name())
    assert answer.status_code == 200, answer.text
    made = answer.json()
    author, fan = (made["users"][user["username"]] for user in batch["users"])
    soup, stew = made["images"]["soup"], made["images"]["stew"]
    assert made["events"] == 5
    assert rows("SELECT created_at, tos_accepted_at, is_test_account FROM users WHERE id = %s", fan) == [
        (START, START, True)
    ]
    views = 0 if api.streaming else 3
    stored = rows("SELECT id, user_id, source, caption, views, created_at FROM images WHERE user_id = %s", author)
    uploaded = START + timedelta(minutes=1)
    assert sorted(stored) == [
        (soup, author, "import", "süß: soup", views, uploaded),
        (stew, author, "import", "süß: stew", 0, uploaded),
    ]
    assert rows("SELECT user_id, content, created_at FROM comments WHERE image_id = %s", soup) == [
        (fan, "salty", START + timedelta(minutes=6))
    ]
    assert rows("SELECT user_id, reason FROM flags WHERE image_id = %s", soup) == [(fan, "too salty")]
    assert importer.get(f"/images/{soup}/content").content == photo()
    told = [row[0] for row in rows("SELECT payload FROM outbox WHERE key = ANY(%s) ORDER BY id", [soup, stew])]
    if not api.streaming:
        assert told == []
        return
    assert Counter(one["event_type"] for one in told) == {"upload": 2, "view": 3, "comment": 1, "flag": 1}
    assert all(one["imported"] for one in told)
    assert {one["caption_length"] for one in told if one["event_type"] == "upload"} == {len("süß: soup")}
    assert rows("SELECT count(*) FROM outbox WHERE key = %s AND created_at < now() - interval '1 minute'", soup) == [
        (0,)
    ]
    assert {one["is_test"] for one in told if one["user_id"] == fan} == {True}
    sent = {one["event_id"]: datetime.fromisoformat(one["occurred_at"]) for one in batch["events"]}
    kept = {one["event_id"]: datetime.fromisoformat(one["occurred_at"]) for one in told if one["user_id"] == fan}
    assert kept == sent


def test_a_later_batch_names_images_by_id_and_users_by_name(importer: Person, rows: Rows, batch: Batch) -> None:
    soup = send(importer, batch, new_name()).json()["images"]["soup"]
    fan = batch["users"][1]["username"]
    more: Batch = {"events": [event("comment", fan, soup, 60, content="again")]}
    assert send(importer, more, new_name()).json() == {"users": {}, "images": {}, "events": 1}
    assert rows("SELECT count(*) FROM comments WHERE image_id = %s", soup) == [(2,)]


def test_a_batch_sent_again_is_answered_and_not_imported_again(importer: Person, rows: Rows, batch: Batch) -> None:
    key = new_name()
    first = send(importer, batch, key)
    before = totals(rows)
    assert send(importer, batch, key).json() == first.json()
    changed = deepcopy(batch)
    changed["events"].pop()
    assert_refused(send(importer, changed, key), 422, "key_reused")
    assert totals(rows) == before


def test_a_batch_sent_many_times_at_once_is_imported_once(v2: ApiProcess, stack: Any, rows: Rows, batch: Batch) -> None:
    importer, key = Person(v2, stack.setting("IMPORT_TOKEN")), new_name()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: send(importer, batch, key), range(10)))
    assert {answer.status_code for answer in answers} == {200}, {answer.text for answer in answers}
    assert all(answer.json() == answers[0].json() for answer in answers)
    soup = answers[0].json()["images"]["soup"]
    assert rows("SELECT count(*) FROM outbox WHERE key = %s", soup) == [(6,)]
    assert rows("SELECT count(*) FROM users WHERE username = %s", batch["users"][0]["username"]) == [(1,)]


def test_batches_with_the_same_people_in_any_order_do_not_block_each_other(
    v2: ApiProcess, stack: Any, rows: Rows
) -> None:
    importer = Person(v2, stack.setting("IMPORT_TOKEN"))
    names = [new_name() for _ in range(300)]
    users = [{"username": n, "country_of_residence": "NL", "year_of_birth": 1990, "created_at": at(0)} for n in names]
    turns = [users, users[::-1]] * 4
    with ThreadPoolExecutor(len(turns)) as pool:
        answers = list(pool.map(lambda these: send(importer, {"users": these}, new_name()), turns))
    assert {answer.status_code for answer in answers} == {200}, {answer.text for answer in answers}
    assert rows("SELECT count(*) FROM users WHERE username = ANY(%s)", names) == [(300,)]


def future() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


Change = Callable[[Batch], object]
BAD: dict[str, Change] = {
    "an event of the future": lambda b: b["events"][0].update(occurred_at=future()),
    "a user of the future": lambda b: b["users"][0].update(created_at=future()),
    "a user not born yet": lambda b: b["users"][0].update(year_of_birth=2026, created_at=at(-1e6)),
    "a year nobody can store": lambda b: b["users"][0].update(created_at="0001-01-01T00:00:00+10:00"),
    "an upload before its user": lambda b: b["uploads"][0].update(occurred_at=at(-1)),
    "an event before its image": lambda b: b["events"][0].update(occurred_at=at(0.5)),
    "an event of nobody": lambda b: b["events"][0].update(username="nobody-at-all"),
    "an event on no image": lambda b: b["events"][0].update(image="no-such-ref"),
    "an event on no id": lambda b: b["events"][0].update(image=2**62),
    "an id that cannot exist": lambda b: b["events"][0].update(image=2**63),
    "a view with words": lambda b: b["events"][0].update(content="x"),
    "a comment without words": lambda b: b["events"][3].pop("content"),
    "a zero byte": lambda b: b["events"][3].update(content="a\0b"),
    "a type that does not exist": lambda b: b["events"][0].update(event_type="like"),
    "the same ref twice": lambda b: b["uploads"][1].update(ref="soup"),
    "no base64": lambda b: b["uploads"][0].update(photo="%%%"),
    "no photo": lambda b: b["uploads"][0].update(photo=base64.b64encode(b"text").decode()),
    "a photo too large": lambda b: b["uploads"][0].update(photo=base64.b64encode(photo() + bytes(65_000)).decode()),
    "too many": lambda b: b["events"].extend([b["events"][0]] * 5000),
    "a misspelt field": lambda b: b["users"][0].update(name="x"),
}


@pytest.mark.parametrize("wrong", BAD)
def test_a_batch_with_one_mistake_changes_nothing(importer: Person, rows: Rows, batch: Batch, wrong: str) -> None:
    before = totals(rows)
    BAD[wrong](batch)
    assert_refused(send(importer, batch, new_name()), 422, "invalid")
    assert totals(rows) == before


def test_a_flag_that_exists_is_a_conflict_that_changes_nothing(importer: Person, rows: Rows, batch: Batch) -> None:
    fan = batch["users"][1]["username"]
    batch["events"].append(event("flag", fan, "soup", 8, reason="again"))
    before = totals(rows)
    assert_refused(send(importer, batch, new_name()), 409, "imported_before")
    assert totals(rows) == before


def test_an_import_needs_a_key(importer: Person, batch: Batch) -> None:
    assert_refused(importer.post("/import/events", json=batch), 422, "invalid")


def test_deleted_images_get_no_more_history(importer: Person, api: ApiProcess, batch: Batch) -> None:
    ana = new_person(api)
    image = ana.image()
    ana.delete(image)
    send(importer, batch, new_name())
    fan = batch["users"][1]["username"]
    assert_refused(send(importer, {"events": [event("view", fan, image, 9)]}, new_name()), 422, "invalid")


def test_a_body_beyond_16_mib_is_refused(importer: Person) -> None:
    answer = importer.post("/import/events", new_name(), content=b'{"users": [' + b" " * (17 * 2**20) + b"]}")
    assert_refused(answer, 413, "too_large")
