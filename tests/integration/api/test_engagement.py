"""Views, comments and flags: state in both versions, events in the second."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.integration.api.people import Person, assert_refused, new_person
from tests.integration.api.servers import ApiProcess
from tests.support.database import Rows

Events = Callable[[int], list[dict[str, Any]]]
NOWHERE = 2**62


def engagement(events: Events, image_id: int) -> list[dict[str, Any]]:
    return [event for event in events(image_id) if event["event_type"] != "upload"]


def test_a_view_is_counted_at_once_or_told_to_the_outbox(
    api: ApiProcess, ana: Person, ben: Person, rows: Rows, events: Events
) -> None:
    image = ana.image()
    answers = [ben.view(image) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert {answer.json()["image_id"] for answer in answers} == {image}
    views = 0 if api.streaming else 3
    assert rows("SELECT views FROM images WHERE id = %s", image) == [(views,)]
    seen = engagement(events, image)
    assert [event["topic"] for event in seen] == ["gourmetgram.views"] * (3 if api.streaming else 0)
    if api.streaming:
        assert [event["occurred_at"] for event in seen] == [answer.json()["viewed_at"] for answer in answers]
        assert {event["user_id"] for event in seen} == {ben.id}
        assert len({event["event_id"] for event in seen}) == 3


def test_a_comment_is_a_row_and_in_v2_an_event(
    api: ApiProcess, ana: Person, ben: Person, rows: Rows, events: Events
) -> None:
    image = ana.image()
    answer = ben.comment(image, " looks great; DROP TABLE comments ")
    assert answer.status_code == 201
    comment = answer.json()
    at = datetime.fromisoformat(comment["created_at"])
    stored = rows("SELECT id, user_id, content, created_at FROM comments WHERE image_id = %s", image)
    assert stored == [(comment["id"], ben.id, "looks great; DROP TABLE comments", at)]
    seen = [(e["topic"], e["comment_id"], e["user_id"], e["occurred_at"]) for e in engagement(events, image)]
    expected = [("gourmetgram.comments", comment["id"], ben.id, comment["created_at"])]
    assert seen == (expected if api.streaming else [])
    assert all("content" not in event for event in events(image))


def test_an_image_is_flagged_once_by_each(
    api: ApiProcess, ana: Person, ben: Person, rows: Rows, events: Events
) -> None:
    image = ana.image()
    flag = ben.flag(image_id=image).json()
    assert_refused(ben.flag(image_id=image), 409, "flagged_before")
    other = ana.flag(image_id=image).json()
    stored = rows("SELECT id, user_id, reason, review_status, comment_id FROM flags WHERE image_id = %s", image)
    assert sorted(stored) == [(one["id"], one["user_id"], "not food", "pending", None) for one in (flag, other)]
    seen = [(e["flag_id"], e["reason"], e["comment_id"]) for e in engagement(events, image)]
    assert seen == ([(flag["id"], "not food", None), (other["id"], "not food", None)] if api.streaming else [])


def test_a_flag_on_a_comment_belongs_to_its_image(
    api: ApiProcess, ana: Person, ben: Person, rows: Rows, events: Events
) -> None:
    image = ana.image()
    comment = ben.comment(image).json()["id"]
    flag = ana.flag(comment_id=comment, reason="rude").json()
    assert_refused(ana.flag(comment_id=comment), 409, "flagged_before")
    assert rows("SELECT id, image_id FROM flags WHERE comment_id = %s", comment) == [(flag["id"], None)]
    seen = [(e["image_id"], e["flag_id"], e["comment_id"]) for e in engagement(events, image)[1:]]
    assert seen == ([(image, flag["id"], comment)] if api.streaming else [])


def test_nothing_happens_to_what_is_not_there(ana: Person, rows: Rows) -> None:
    assert_refused(ana.view(NOWHERE), 404, "not_found")
    assert_refused(ana.comment(NOWHERE), 404, "not_found")
    assert_refused(ana.flag(image_id=NOWHERE), 404, "not_found")
    assert_refused(ana.flag(comment_id=NOWHERE), 404, "not_found")
    assert rows("SELECT count(*) FROM outbox WHERE key = %s", NOWHERE) == [(0,)]
    assert rows("SELECT count(*) FROM flags WHERE user_id = %s", ana.id) == [(0,)]


@pytest.mark.parametrize(
    "body", [{}, {"image_id": 1, "comment_id": 1}, {"image_id": 1, "reason": ""}, {"image_id": 1, "reason": "x" * 201}]
)
def test_a_bad_flag_is_refused(ana: Person, body: dict[str, Any]) -> None:
    assert_refused(ana.flag(**body), 422, "invalid")


@pytest.mark.parametrize("content", ["", "  ", "x" * 2001, "a\0b"])
def test_a_bad_comment_is_refused(ana: Person, rows: Rows, content: str) -> None:
    image = ana.image()
    assert "content" in assert_refused(ana.comment(image, content), 422, "invalid")
    assert rows("SELECT count(*) FROM comments WHERE image_id = %s", image) == [(0,)]


def test_a_body_that_is_too_large_is_refused(ana: Person) -> None:
    assert_refused(ana.comment(1, "x" * 70_000), 413, "too_large")


def test_lone_surrogates_are_refused(ana: Person) -> None:
    answer = ana.post(
        "/comments/", content=b'{"image_id": 1, "content": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert_refused(answer, 422, "invalid")


def test_test_accounts_are_marked(v2: ApiProcess, events: Events) -> None:
    tester = new_person(v2, is_test_account=True)
    image = tester.image()
    tester.view(image)
    comment = tester.comment(image).json()["id"]
    tester.flag(image_id=image)
    tester.flag(comment_id=comment)
    tester.delete(image)
    told = [(event["event_type"], event["is_test"]) for event in events(image)]
    assert told == [(kind, True) for kind in ("upload", "view", "comment", "flag", "flag", "deletion")]
