"""Joining, and what tokens give the right to."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from tests.integration.api.people import Person, assert_refused, new_name, new_person
from tests.integration.api.servers import ApiProcess
from tests.support.database import Rows
from tests.support.processes import wait_until

SAME_TIME = 50


def test_who_joins_gets_a_row_and_a_token_of_which_only_the_hash_is_kept(api: ApiProcess, rows: Rows) -> None:
    user = Person(api).join(year_of_birth=1987, is_test_account=True).json()
    stored = rows(
        "SELECT username, country_of_residence, year_of_birth, tos_version_accepted, is_test_account, created_at, "
        "tos_accepted_at FROM users WHERE id = %s",
        user["id"],
    )
    at = datetime.fromisoformat(user["created_at"])
    assert stored == [(user["username"], "NL", 1987, 1, True, at, at)]
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    hashes = rows("SELECT token_hash, scope FROM api_tokens WHERE user_id = %s", user["id"])
    assert [(bytes(kept), scope) for kept, scope in hashes] == [(sha256(user["token"].encode()).digest(), "user")]
    assert len(user["token"]) >= 43


def test_a_year_of_birth_may_be_withheld(api: ApiProcess) -> None:
    assert Person(api).join(year_of_birth=None).json()["year_of_birth"] is None


def test_a_name_is_taken_once(api: ApiProcess, rows: Rows) -> None:
    name = new_name()
    assert Person(api).join(username=name).status_code == 201
    assert name in assert_refused(Person(api).join(username=name), 409, "username_taken")
    assert rows("SELECT count(*) FROM users WHERE username = %s", name) == [(1,)]


@pytest.mark.parametrize(
    "change",
    [{"year_of_birth": datetime.now(UTC).year + 1}, {"country_of_residence": "France"}, {"username": "a\0b"}, {"x": 1}],
)
def test_a_bad_value_is_named(api: ApiProcess, change: dict[str, Any]) -> None:
    answer = Person(api).join(**change)
    assert_refused(answer, 422, "invalid")
    assert [one["field"] for one in answer.json()["fields"]] == [f"body.{name}" for name in change]


def test_a_body_that_is_no_json_is_refused(api: ApiProcess) -> None:
    assert_refused(Person(api).post("/users/", content=b"{", headers={}), 422)


def test_a_repeated_request_gets_a_fresh_token_and_the_first_one_ends(api: ApiProcess, rows: Rows) -> None:
    name = new_name()
    first = Person(api).join(key=name, username=name).json()
    again = Person(api).join(key=name, username=name)
    assert again.status_code == 201
    assert again.json() | {"token": ""} == first | {"token": ""}
    assert Person(api, again.json()["token"]).view(1).status_code != 401
    valid = rows("SELECT token_hash FROM api_tokens WHERE user_id = %s AND revoked_at IS NULL", first["id"])
    assert [bytes(kept) for (kept,) in valid] == [sha256(again.json()["token"].encode()).digest()]
    assert_refused(Person(api, first["token"]).view(1), 401)


def test_a_key_is_for_one_request(api: ApiProcess, rows: Rows) -> None:
    key, name, other = new_name(), new_name(), new_name()
    assert Person(api).join(key=key, username=name).status_code == 201
    assert_refused(Person(api).join(key=key, username=other), 422, "key_reused")
    assert rows("SELECT count(*) FROM users WHERE username = %s", other) == [(0,)]


def test_after_ten_minutes_a_key_gives_no_token_any_more(api: ApiProcess, rows: Rows) -> None:
    name = new_name()
    user = Person(api).join(key=name, username=name).json()
    rows("UPDATE idempotency_keys SET created_at = created_at - interval '11 minutes' WHERE key = %s", name)
    assert_refused(Person(api).join(key=name, username=name), 409, "key_too_old")
    assert rows("SELECT count(*) FROM api_tokens WHERE user_id = %s", user["id"]) == [(1,)]


def test_one_request_sent_many_times_at_once_makes_one_user(v2: ApiProcess, rows: Rows) -> None:
    name = new_name()
    with ThreadPoolExecutor(SAME_TIME) as pool:
        answers = list(pool.map(lambda _: Person(v2).join(key=name, username=name), range(SAME_TIME)))
    assert {answer.status_code for answer in answers} == {201}, {answer.text for answer in answers}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert rows("SELECT count(*) FROM users WHERE username = %s", name) == [(1,)]
    assert rows("SELECT count(*) FROM idempotency_keys WHERE key = %s", name) == [(1,)]
    valid = rows("SELECT count(*) FROM api_tokens WHERE user_id = %s AND revoked_at IS NULL", answers[0].json()["id"])
    assert valid == [(1,)]


def test_two_requests_with_one_key_at_once_make_one_user(v2: ApiProcess, rows: Rows) -> None:
    names = [new_name() for _ in range(20)]
    with ThreadPoolExecutor(len(names)) as pool:
        answers = list(pool.map(lambda name: Person(v2).join(key=names[0], username=name), names))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * (len(names) - 1)
    assert rows("SELECT count(*) FROM users WHERE username = ANY(%s)", names) == [(1,)]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic YTpi"}])
def test_writing_needs_a_token(api: ApiProcess, rows: Rows, header: dict[str, str]) -> None:
    image = new_person(api).image()
    answer = Person(api).post("/comments/", json={"image_id": image, "content": "hi"}, headers=header)
    assert_refused(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert rows("SELECT count(*) FROM comments WHERE image_id = %s", image) == [(0,)]


def test_each_scope_has_its_own_rights(ana: Person, moderator: Person, importer: Person) -> None:
    assert_refused(importer.view(1), 403, "wrong_scope")
    assert_refused(importer.delete(1), 403, "wrong_scope")
    assert_refused(moderator.comment(1), 403, "wrong_scope")
    assert_refused(ana.post("/import/events", "k", json={}), 403, "wrong_scope")
    assert_refused(moderator.post("/import/events", "k", json={}), 403, "wrong_scope")


def test_a_revoked_token_works_a_few_seconds_longer_at_most(v2: ApiProcess, rows: Rows) -> None:
    ana = new_person(v2)
    image = ana.image()
    rows("UPDATE api_tokens SET revoked_at = now() WHERE user_id = %s", ana.id)
    wait_until(lambda: ana.view(image).status_code == 401, "the token is refused", 15)
