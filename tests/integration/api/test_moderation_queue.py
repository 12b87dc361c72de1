"""What waits, in which order, and when it stops waiting."""

from datetime import timedelta
from typing import Any

import pytest

from labkit.stack import Stack
from tests.integration.api.people import Person, assert_refused, new_person
from tests.integration.api.reviewers import decided, empty_the_queue, new_token
from tests.integration.api.servers import ApiProcess
from tests.support.database import Rows


@pytest.fixture
def mod(v2: ApiProcess, stack: Stack, rows: Rows) -> Person:
    empty_the_queue(rows)
    return Person(v2, new_token(stack, "Ana"))


@pytest.fixture
def owner(v2: ApiProcess) -> Person:
    return new_person(v2)


def queue(mod: Person, **query: object) -> dict[str, Any]:
    answer = mod.get("/moderation/queue", params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def waiting(mod: Person, **query: object) -> list[int]:
    return [item["image_id"] for item in queue(mod, **query)["items"]]


def act(mod: Person, image: int, action: str, **body: Any) -> None:
    seen = mod.get(f"/moderation/{image}").json()["version"]
    answer = mod.post(f"/moderation/{image}/actions", json={"action": action, "version": seen} | body)
    assert answer.status_code == 201, answer.text


def test_the_riskiest_come_first_and_equals_in_the_order_of_their_posting(
    mod: Person, owner: Person, rows: Rows
) -> None:
    scores = [0.4, 0.9, 0.4, 1.0, 0.31, 0.4]
    images = [owner.image() for _ in scores]
    for image, score in reversed(list(zip(images, scores, strict=True))):
        decided(rows, image, score, "FLAG" if score > 0.7 else "REVIEW")
    flagged_only = owner.image()
    new_person(owner.api).flag(image_id=flagged_only)
    ranked = sorted(zip(images, scores, strict=True), key=lambda pair: (-pair[1], pair[0]))
    expected = [image for image, _ in ranked] + [flagged_only]
    assert waiting(mod) == expected
    page = queue(mod, limit=2)
    pages = [page]
    while page["next_after"] and len(pages) < len(images):
        page = queue(mod, limit=2, after=page["next_after"])
        pages.append(page)
    shown = [[item["image_id"] for item in page["items"]] for page in pages]
    assert shown == [expected[0:2], expected[2:4], expected[4:6], expected[6:]]
    assert {page["waiting"] for page in pages} == {7}


def test_what_is_safe_shadow_old_or_deleted_does_not_wait(mod: Person, owner: Person, rows: Rows) -> None:
    safe, shadow, calmed, deleted, undecided = (owner.image() for _ in range(5))
    decided(rows, safe, 0.1, "SAFE")
    decided(rows, shadow, 0.9, "FLAG", served=False, model="m")
    decided(rows, calmed, 0.9, "FLAG")
    decided(rows, calmed, 0.1, "SAFE")
    decided(rows, deleted, 0.9, "FLAG")
    owner.delete(deleted)
    assert undecided not in waiting(mod)
    assert waiting(mod) == []
    assert queue(mod) == {"items": [], "waiting": 0, "next_after": None}
    decided(rows, safe, 0.5)
    assert waiting(mod) == [safe]


def test_pages_neither_skip_nor_repeat_while_items_come_and_go(mod: Person, owner: Person, rows: Rows) -> None:
    images = [owner.image() for _ in range(8)]
    for number, image in enumerate(images):
        decided(rows, image, 0.9 - number / 100, "FLAG")
    first = queue(mod, limit=3)
    assert [item["image_id"] for item in first["items"]] == images[:3]
    act(mod, images[0], "reject")
    owner.delete(images[1])
    act(mod, images[2], "confirm")  # the place itself leaves
    act(mod, images[4], "confirm")
    riskier = owner.image()
    decided(rows, riskier, 0.99, "FLAG")
    second = queue(mod, limit=3, after=first["next_after"])
    assert [item["image_id"] for item in second["items"]] == [images[3], images[5], images[6]]
    assert waiting(mod, limit=3, after=second["next_after"]) == [images[7]]
    assert waiting(mod)[0] == riskier


@pytest.mark.parametrize("action", ["confirm", "reject"])
def test_what_was_judged_is_done_until_something_graver_comes(
    mod: Person, owner: Person, rows: Rows, action: str
) -> None:
    image = owner.image()
    new_person(owner.api).flag(image_id=image)
    decided(rows, image, 0.4)
    assert waiting(mod) == [image]
    act(mod, image, action)
    assert waiting(mod) == []
    decided(rows, image, 0.5)  # as grave as what they had seen
    assert waiting(mod) == []
    decided(rows, image, 0.9, "FLAG")
    assert waiting(mod) == ([] if action == "confirm" else [image])


def test_a_new_flag_brings_an_image_back(mod: Person, owner: Person) -> None:
    image = owner.image()
    new_person(owner.api).flag(image_id=image)
    act(mod, image, "reject")
    assert waiting(mod) == []
    new_person(owner.api).flag(image_id=image)
    (item,) = queue(mod)["items"]
    assert (item["image_id"], item["open_flags"], item["risk_score"]) == (image, 1, None)


def test_a_decision_that_was_not_seen_is_not_dealt_with(mod: Person, owner: Person, rows: Rows) -> None:
    image = owner.image()
    decided(rows, image, 0.4)
    seen = queue(mod)["items"][0]["version"]
    decided(rows, image, 0.9, "FLAG")
    answer = mod.post(f"/moderation/{image}/actions", json={"action": "reject", "version": seen})
    assert answer.status_code == 201
    assert waiting(mod) == [image]


def test_a_decision_that_comes_late_hides_none_that_knew_more(mod: Person, owner: Person, rows: Rows) -> None:
    image = owner.image()
    viral = decided(rows, image, 0.9, "FLAG", trigger="viral")
    decided(rows, image, 0.1, "SAFE", age=timedelta(minutes=5))
    assert waiting(mod) == [image]
    (item,) = queue(mod)["items"]
    assert (item["recommendation"], item["trigger_type"]) == ("FLAG", "viral")
    shown = mod.get(f"/moderation/{image}").json()
    assert (shown["decision"]["id"], shown["version"]) == (viral, item["version"])
    moderation = owner.get(f"/images/{image}/moderation").json()
    assert moderation["status"] == "FLAG"
    assert [one["trigger_type"] for one in moderation["decisions"]] == ["viral", "anchor"]


def test_hiding_does_not_answer_flags(mod: Person, owner: Person, rows: Rows) -> None:
    flagged, scored = owner.image(), owner.image()
    new_person(owner.api).flag(image_id=flagged)
    decided(rows, scored, 0.9, "FLAG")
    for image in (flagged, scored):
        act(mod, image, "hide")
    assert waiting(mod) == [flagged]
    assert queue(mod)["items"][0]["hidden"] is True
    act(mod, scored, "restore")
    assert waiting(mod) == [flagged]


def test_a_flag_on_a_comment_makes_its_image_wait(mod: Person, owner: Person, rows: Rows) -> None:
    image = owner.image()
    comment = owner.comment(image).json()["id"]
    new_person(owner.api).flag(comment_id=comment)
    decided(rows, image, 0.1, "SAFE")
    (item,) = queue(mod)["items"]
    assert (item["image_id"], item["open_flags"], item["recommendation"]) == (image, 1, "SAFE")
    act(mod, image, "reject")  # the image, not the comment
    assert waiting(mod) == [image]
    act(mod, image, "confirm", comment_id=comment)
    assert waiting(mod) == []


def test_filters(mod: Person, owner: Person, rows: Rows) -> None:
    viral, anchor, flagged_only = owner.image(), owner.image(), owner.image()
    decided(rows, viral, 0.9, "FLAG", trigger="viral")
    decided(rows, anchor, 0.5, "REVIEW", trigger="anchor")
    new_person(owner.api).flag(image_id=flagged_only)
    assert waiting(mod, recommendation="FLAG") == [viral]
    assert waiting(mod, recommendation="REVIEW") == waiting(mod, trigger="anchor") == [anchor]
    assert waiting(mod, recommendation="NONE") == [flagged_only]
    assert waiting(mod, recommendation="FLAG", trigger="anchor") == []
    assert queue(mod, recommendation="FLAG", limit=1)["waiting"] == 1
    decided(rows, viral, 0.8, "FLAG", trigger="flagged")
    assert waiting(mod, trigger="viral") == []
    assert waiting(mod, trigger="flagged") == [viral]


def test_an_item_can_be_decided_from_the_list(mod: Person, owner: Person, rows: Rows) -> None:
    image = owner.image()
    comment = owner.comment(image).json()["id"]
    for target in ({"image_id": image}, {"comment_id": comment}):
        new_person(owner.api).flag(**target)
    decided(rows, image, 0.9, "FLAG", views_5min=3.0)
    (item,) = queue(mod)["items"]
    assert item["version"] == mod.get(f"/moderation/{image}").json()["version"]
    assert (item["risk_score"], item["open_flags"], item["caption"]) == (0.9, 2, "my soup")
    assert mod.get(item["photo_url"]).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"after": "x"}, {"recommendation": "flag"}, {"trigger": "x"}]
)
def test_a_bad_question_is_refused(mod: Person, query: dict[str, object]) -> None:
    answer = mod.get("/moderation/queue", params={name: str(value) for name, value in query.items()})
    assert_refused(answer, 422, "invalid")
