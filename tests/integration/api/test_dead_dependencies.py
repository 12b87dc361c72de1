"""A store that is away is a 503 that says when to come again; nothing is half written, and it heals by itself."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg2
import pytest

from labkit.stack import Stack
from tests.integration.api.people import Person, assert_refused, new_name, new_person
from tests.integration.api.servers import ApiProcess, environment
from tests.support.database import Rows
from tests.support.processes import wait_until

LONGEST_SECONDS = 8


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def assert_away(answer: httpx.Response) -> None:
    assert_refused(answer, 503, "dependency_down")
    assert answer.headers["Retry-After"] == "2"


def heals(api: ApiProcess) -> None:
    wait_until(lambda: api.http.get("/health").status_code == 200, "the API is healthy again")


def test_postgresql_away(stack: Stack, api: ApiProcess, rows: Rows) -> None:
    ana, key = new_person(api), new_name()
    image = ana.image()
    ana.view(image)
    requests: list[Callable[[], httpx.Response]] = [
        lambda: ana.comment(image, key=key),
        ana.upload,
        Person(api).join,
    ]
    stack.stop("postgres")
    try:
        for send in requests:
            started = time.monotonic()
            assert_away(send())
            assert time.monotonic() - started < LONGEST_SECONDS
        assert_away(ana.get("/images/"))
        health = api.http.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "down")
        assert health.json()["dependencies"]["postgres"] == "down"
        figures = api.http.get("/metrics").text
        assert "api_requests_total" in figures
        assert "api_outbox" not in figures  # not known is not none
    finally:
        stack.up("postgres")
    heals(api)
    assert ana.comment(image, key=key).status_code == 201


def test_postgresql_away_leaves_nothing_half_written(stack: Stack, v2: ApiProcess) -> None:
    """Seen from a fresh connection: rows and events are as many as before."""
    ana = new_person(v2)
    image = ana.image()
    stack.kill("postgres")
    answers = [ana.comment(image, key=new_name()) for _ in range(20)]
    heals(v2)
    assert {answer.status_code for answer in answers} <= {201, 503}
    sql = "SELECT (SELECT count(*) FROM comments WHERE image_id = %s), (SELECT count(*) FROM outbox WHERE key = %s) - 1"
    url = f"postgresql://postgres:{stack.setting('POSTGRES_PASSWORD')}@{stack.address('postgres')}/gourmetgram"
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute(sql, (image, image))
        ((comments, events),) = cursor.fetchall()
    connection.close()
    assert comments == events >= sum(answer.status_code == 201 for answer in answers)


def test_object_storage_away(stack: Stack, api: ApiProcess, rows: Rows) -> None:
    ana, key = new_person(api), new_name()
    image = ana.image()
    stack.stop("minio")
    try:
        assert_away(ana.upload(key=key))
        assert_away(ana.get(f"/images/{image}/content"))
        assert ana.comment(image).status_code == 201
        assert ana.delete(image).status_code == 204
        health = api.http.get("/health")
        assert (health.status_code, health.json()["dependencies"]["object_storage"]) == (503, "down")
    finally:
        stack.up("minio")
    heals(api)
    assert rows("SELECT count(*) FROM images WHERE user_id = %s AND id <> %s", ana.id, image) == [(0,)]
    assert ana.upload(key=key).status_code == 201
    if not api.streaming:
        return  # the same code in both versions: one wait is enough
    wait_until(
        lambda: bool(rows("SELECT id FROM images WHERE id = %s AND object_deleted_at IS NOT NULL", image)),
        "the sweeper removed the photo",
        40,
    )


@pytest.mark.parametrize("server", ["DATABASE_URL", "S3_ENDPOINT"])
def test_a_frozen_store_does_not_freeze_the_health_check(
    stack: Stack, tmp_path: Path, silent: str, server: str
) -> None:
    address = {"DATABASE_URL": f"postgresql://api:x@{silent}/gourmetgram", "S3_ENDPOINT": f"http://{silent}"}[server]
    with ApiProcess(stack, "v1", tmp_path / "log", **{server: address}) as api:
        started = time.monotonic()
        health = api.http.get("/health")
        assert time.monotonic() - started < 3
        assert (health.status_code, health.json()["status"]) == (503, "down")
        if server == "DATABASE_URL":
            assert_away(Person(api).join())


@pytest.mark.parametrize(
    ("right", "wrong"), [("api:", "api:not-"), ("/gourmetgram", "/absent")], ids=["password", "database"]
)
def test_a_database_that_lets_nobody_in_is_away(stack: Stack, tmp_path: Path, right: str, wrong: str) -> None:
    url = environment(stack, "v1")["DATABASE_URL"].replace(right, wrong)
    with ApiProcess(stack, "v1", tmp_path / "log", DATABASE_URL=url) as api:
        health = api.http.get("/health")
        assert (health.status_code, health.json()["dependencies"]["postgres"]) == (503, "down")
        assert_away(Person(api).join())
