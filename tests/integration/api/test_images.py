"""Posts: upload, read, delete."""

import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.api.people import Person, assert_refused, photo
from tests.integration.api.servers import ApiProcess
from tests.support.database import Rows

Events = Callable[[int], list[dict[str, Any]]]
Objects = Callable[[], set[str]]
MIB = 2**20
NOWHERE = 2**62


def object_name(rows: Rows, image_id: int) -> str:
    (address,) = rows("SELECT s3_url FROM images WHERE id = %s", image_id)[0]
    return str(address).removeprefix("s3://gourmetgram-images/")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_upload_is_a_row_an_object_and_in_v2_an_event(
    api: ApiProcess, ana: Person, rows: Rows, events: Events, objects: Objects, kind: str
) -> None:
    data = photo(kind)
    answer = ana.upload(data, caption=" süß 🍜 ", category="Noodles", name="whatever.txt")
    assert answer.status_code == 201, answer.text
    image = answer.json()
    stored = rows("SELECT user_id, s3_url, source, caption, category, views FROM images WHERE id = %s", image["id"])
    assert stored == [(ana.id, image["s3_url"], "user_upload", "süß 🍜", "Noodles", 0)]
    assert object_name(rows, image["id"]) in objects()
    content = ana.get(image["content_url"])
    assert (content.content, content.headers["Content-Type"]) == (data, f"image/{kind.lower()}")
    assert content.headers["Content-Disposition"] == "inline"
    assert content.headers["X-Content-Type-Options"] == "nosniff"
    assert ana.get(f"/images/{image['id']}").json() == image
    if not api.streaming:
        assert events(image["id"]) == []
        return
    (event,) = events(image["id"])
    assert event["topic"] == "gourmetgram.uploads"
    assert (event["event_type"], event["image_id"], event["user_id"]) == ("upload", image["id"], ana.id)
    assert (event["caption_length"], event["category"], event["is_test"]) == (len("süß 🍜"), "Noodles", False)
    assert event["occurred_at"] == image["created_at"]


def test_a_caption_may_be_empty(ana: Person) -> None:
    assert ana.upload(caption="").json()["caption"] == ""


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"plain text", 415, "not_a_photo"),
        (photo()[:200], 415, "not_a_photo"),
        (photo("GIF"), 415, "not_a_photo"),
        (b"", 415, "not_a_photo"),
        (photo() + bytes(10 * MIB), 413, "too_large"),
        (bytes(30 * MIB), 413, "too_large"),
    ],
    ids=["text", "truncated", "gif", "empty", "just too large", "far too large"],
)
def test_what_is_no_photo_leaves_nothing_behind(
    ana: Person, rows: Rows, objects: Objects, data: bytes, status: int, code: str
) -> None:
    before = objects()
    assert_refused(ana.upload(data), status, code)
    assert rows("SELECT count(*) FROM images WHERE user_id = %s", ana.id) == [(0,)]
    assert objects() == before


def test_a_body_that_is_too_large_is_refused_before_it_has_ended(ana: Person) -> None:
    head = (
        "POST /upload/ HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Authorization: Bearer {ana.token}\r\nContent-Length: {1000 * MIB}\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    )
    host, port = ana.api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode() + bytes(12 * MIB))
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "form", [{"category": "Pizza"}, {"category": ""}, {"caption": "x" * 2001}, {"caption": "a\0b"}]
)
def test_bad_words_about_a_photo_are_refused(ana: Person, rows: Rows, form: dict[str, Any]) -> None:
    assert next(iter(form)) in assert_refused(ana.upload(**form), 422, "invalid")
    assert rows("SELECT count(*) FROM images WHERE user_id = %s", ana.id) == [(0,)]


def test_a_form_without_a_file_is_refused(ana: Person) -> None:
    assert_refused(ana.post("/upload/", data={"category": "Soup"}), 422, "invalid")
    assert_refused(ana.post("/upload/", data={"category": "Soup", "file": "text"}), 422, "invalid")


def test_the_list_goes_back_in_time_and_leaves_deleted_and_hidden_images_out(ana: Person, rows: Rows) -> None:
    images = [ana.image() for _ in range(6)]
    ana.delete(images[2])
    rows("UPDATE images SET moderator_hidden = true WHERE id = %s", images.pop(3))
    first = ana.get("/images/", params={"limit": 2, "before_id": images[-1] + 1}).json()
    assert [one["id"] for one in first["images"]] == [images[4], images[3]]
    second = ana.get("/images/", params={"limit": 2, "before_id": first["next_before_id"]}).json()
    assert [one["id"] for one in second["images"]] == [images[1], images[0]]
    last = ana.get("/images/", params={"limit": 200, "before_id": 1}).json()
    assert last == {"images": [], "next_before_id": None}


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"before_id": 2**63}])
def test_a_bad_page_is_refused(ana: Person, query: dict[str, object]) -> None:
    assert_refused(ana.get("/images/", params=query), 422, "invalid")


@pytest.mark.parametrize("path", ["", "/content", "/moderation"])
def test_what_is_not_there_is_not_found(ana: Person, path: str) -> None:
    assert_refused(ana.get(f"/images/{NOWHERE}{path}"), 404, "not_found")
    assert_refused(ana.get(f"/images/{2**63}{path}"), 422, "invalid")
    assert_refused(ana.get(f"/images/x{path}"), 422, "invalid")


def test_an_owner_deletes_the_photo_and_every_text(
    api: ApiProcess, ana: Person, ben: Person, rows: Rows, events: Events, objects: Objects
) -> None:
    image, other = ana.image(), ana.image()
    ben.comment(image, "on the deleted one")
    ben.comment(other, "on the other one")
    name = object_name(rows, image)
    assert ana.delete(image).status_code == 204
    ((caption, deleted_at, object_deleted_at),) = rows(
        "SELECT caption, deleted_at, object_deleted_at FROM images WHERE id = %s", image
    )
    assert caption == ""
    assert deleted_at <= object_deleted_at
    assert rows("SELECT content, deleted_at FROM comments WHERE image_id = %s", image) == [("", deleted_at)]
    assert rows("SELECT content, deleted_at FROM comments WHERE image_id = %s", other) == [("on the other one", None)]
    assert name not in objects()
    types = [event["event_type"] for event in events(image)]
    assert types == (["upload", "comment", "deletion"] if api.streaming else [])
    for path in ("", "/content", "/moderation"):
        assert_refused(ana.get(f"/images/{image}{path}"), 410, "deleted")
    assert_refused(ana.delete(image), 410, "deleted")
    assert_refused(ben.view(image), 410, "deleted")
    assert_refused(ben.comment(image), 410, "deleted")
    assert_refused(ben.flag(image_id=image), 410, "deleted")
    assert len(events(image)) == len(types)


def test_nobody_else_deletes_it_but_a_moderator(
    api: ApiProcess, ana: Person, ben: Person, moderator: Person, rows: Rows, events: Events
) -> None:
    image = ana.image()
    assert_refused(ben.delete(image), 403, "not_yours")
    assert_refused(Person(ana.api).delete(image), 401, "unauthorized")
    assert rows("SELECT deleted_at FROM images WHERE id = %s", image) == [(None,)]
    assert moderator.delete(image).status_code == 204
    if api.streaming:
        assert [event["user_id"] for event in events(image)] == [ana.id, 0]


def test_deleting_what_is_not_there_is_not_found(ana: Person) -> None:
    assert_refused(ana.delete(NOWHERE), 404, "not_found")


def test_a_lost_photo_is_a_clear_404(ana: Person, rows: Rows) -> None:
    image = ana.image()
    rows("UPDATE images SET s3_url = 's3://gourmetgram-images/uploads/lost.jpg' WHERE id = %s", image)
    assert_refused(ana.get(f"/images/{image}/content"), 404, "photo_missing")


DECISION = """
INSERT INTO moderation (inference_request_id, target_type, target_id, inference_mode, risk_score, recommendation,
    served, trigger_type, as_of, features, policy_version, rationale, created_at)
VALUES (gen_random_uuid(), 'image', %s, 'heuristic', %s, %s, %s, 'anchor', now(), '{}', 'v1', '{"flags": 2}', now())
"""


def test_moderation_shows_what_was_served_newest_first(ana: Person, rows: Rows) -> None:
    image = ana.image()
    assert ana.get(f"/images/{image}/moderation").json() == {"image_id": image, "status": "pending", "decisions": []}
    for score, recommendation, served in ((0.1, "SAFE", True), (0.8, "FLAG", True), (0.5, "REVIEW", False)):
        rows(DECISION, image, score, recommendation, served)
    answer = ana.get(f"/images/{image}/moderation").json()
    assert answer["status"] == "FLAG"
    assert [one["risk_score"] for one in answer["decisions"]] == [0.8, 0.1]
    assert answer["decisions"][0]["rationale"] == {"flags": 2}


def test_names_of_photos_tell_nothing(ana: Person, rows: Rows) -> None:
    assert re.fullmatch(r"uploads/[0-9a-f-]{36}\.jpg", object_name(rows, ana.image()))
