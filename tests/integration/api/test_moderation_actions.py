"""What moderators do: each action with its row in the audit, in one transaction, and never over somebody else's."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg2
import pytest

from labkit.stack import Stack
from tests.integration.api.people import Person, assert_refused, new_person
from tests.integration.api.reviewers import Reviewer, decided, new_token, state_of
from tests.integration.api.servers import ApiProcess
from tests.support.database import Rows, superuser_url
from tests.support.processes import wait_until

NOWHERE = 10**15


@pytest.fixture(scope="module")
def tokens(stack: Stack) -> dict[str, str]:
    return {name: new_token(stack, name) for name in ("Ana", "Ben")}


@pytest.fixture
def mod(v2: ApiProcess, tokens: dict[str, str]) -> Person:
    return Person(v2, tokens["Ana"])


@pytest.fixture
def reviewer(v2: ApiProcess, tokens: dict[str, str]) -> Iterator[Reviewer]:
    with Reviewer(v2) as ana:
        assert ana.sign_in(tokens["Ana"]).status_code == 303
        yield ana


@pytest.fixture
def flagged(v2: ApiProcess) -> int:
    """An image with two open flags."""
    image = new_person(v2).image()
    for _ in range(2):
        assert new_person(v2).flag(image_id=image).status_code == 201
    return image


def version(mod: Person, image: int) -> str:
    answer = mod.get(f"/moderation/{image}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["version"])


def act(mod: Person, image: int, action: str, seen: str | None = None, **body: Any) -> httpx.Response:
    wanted = {"action": action, "version": seen or version(mod, image)} | body
    return mod.post(f"/moderation/{image}/actions", json=wanted)


@pytest.mark.parametrize(
    ("action", "hidden", "flags"),
    [("confirm", True, "confirmed"), ("reject", False, "rejected"), ("hide", True, "pending")],
)
def test_an_action_and_its_row_in_the_audit(
    mod: Person, flagged: int, rows: Rows, action: str, hidden: bool, flags: str
) -> None:
    decision = decided(rows, flagged, 0.4)
    answer = act(mod, flagged, action)
    assert answer.status_code == 201, answer.text
    assert state_of(rows, flagged) == {"hidden": hidden, "flags": [flags] * 2, "actions": [action]}
    ((audit_id, who, token_id, kind, target, seen, at),) = rows(
        "SELECT id, moderator, token_id, target_type, target_id, decision_id, created_at FROM moderation_actions "
        "WHERE image_id = %s",
        flagged,
    )
    assert (who, kind, target, seen) == ("Ana", "image", flagged, decision)
    assert rows("SELECT name, scope FROM api_tokens WHERE id = %s", token_id) == [("Ana", "moderator")]
    judged = None if flags == "pending" else audit_id
    assert (
        rows("SELECT moderation_action_id, resolved_at FROM flags WHERE image_id = %s", flagged)
        == [(judged, at if judged else None)] * 2
    )
    told = answer.json()
    assert (told["id"], told["action"], told["target_id"], told["moderator"]) == (audit_id, action, flagged, "Ana")


def test_a_hidden_image_is_restored_and_its_flags_stay_as_they_are(mod: Person, flagged: int, rows: Rows) -> None:
    assert act(mod, flagged, "confirm").status_code == 201
    assert act(mod, flagged, "restore").status_code == 201
    assert state_of(rows, flagged) == {
        "hidden": False, "flags": ["confirmed"] * 2, "actions": ["confirm", "restore"],
    }  # fmt: skip


def test_a_judgement_can_be_overturned_and_the_audit_keeps_both(mod: Person, flagged: int, rows: Rows) -> None:
    assert act(mod, flagged, "confirm").status_code == 201
    (first,) = rows("SELECT DISTINCT resolved_at FROM flags WHERE image_id = %s", flagged)
    assert act(mod, flagged, "reject").status_code == 201
    (second,) = rows("SELECT DISTINCT resolved_at FROM flags WHERE image_id = %s", flagged)
    assert second > first
    assert state_of(rows, flagged) == {"hidden": False, "flags": ["rejected"] * 2, "actions": ["confirm", "reject"]}


def test_what_is_so_already_is_refused(mod: Person, flagged: int, rows: Rows) -> None:
    assert "shown already" in assert_refused(act(mod, flagged, "restore"), 409, "nothing_to_do")
    assert act(mod, flagged, "hide").status_code == 201
    assert "hidden already" in assert_refused(act(mod, flagged, "hide"), 409, "nothing_to_do")
    assert state_of(rows, flagged)["actions"] == ["hide"]


@pytest.mark.parametrize(
    ("action", "hidden", "flag"),
    [("confirm", True, "confirmed"), ("reject", False, "rejected"), ("hide", True, "pending")],
)
def test_comments_are_judged_and_hidden_alone(
    mod: Person, flagged: int, v2: ApiProcess, rows: Rows, action: str, hidden: bool, flag: str
) -> None:
    ben = new_person(v2)
    comment, other = (ben.comment(flagged).json()["id"] for _ in range(2))
    assert new_person(v2).flag(comment_id=comment).status_code == 201
    assert act(mod, flagged, action, comment_id=comment).status_code == 201
    (audit,) = rows("SELECT id, target_type, target_id, image_id FROM moderation_actions WHERE image_id = %s", flagged)
    assert audit[1:] == ("comment", comment, flagged)
    assert rows("SELECT moderator_hidden, moderator_action_id FROM comments WHERE id = %s", comment) == [
        (hidden, audit[0])
    ]
    assert rows("SELECT moderator_hidden, moderator_action_id FROM comments WHERE id = %s", other) == [(False, None)]
    assert rows("SELECT review_status FROM flags WHERE comment_id = %s", comment) == [(flag,)]
    assert state_of(rows, flagged) == {"hidden": False, "flags": ["pending"] * 2, "actions": [action]}
    if hidden:
        assert act(mod, flagged, "restore", comment_id=comment).status_code == 201
        assert rows("SELECT moderator_hidden FROM comments WHERE id = %s", comment) == [(False,)]


def test_a_flag_that_came_later_than_the_look_stays_open(mod: Person, flagged: int, v2: ApiProcess, rows: Rows) -> None:
    seen = version(mod, flagged)
    assert new_person(v2).flag(image_id=flagged).status_code == 201
    assert act(mod, flagged, "reject", seen).status_code == 201
    assert state_of(rows, flagged)["flags"] == ["rejected", "rejected", "pending"]


def test_the_second_of_two_is_told_what_the_first_did(
    v2: ApiProcess, tokens: dict[str, str], flagged: int, rows: Rows
) -> None:
    ana, ben = (Person(v2, tokens[name]) for name in ("Ana", "Ben"))
    seen = version(ben, flagged)
    assert act(ana, flagged, "reject", seen).status_code == 201
    detail = assert_refused(act(ben, flagged, "confirm", seen), 409, "acted_meanwhile")
    assert "Ana found nothing wrong with the image" in detail
    assert state_of(rows, flagged) == {"hidden": False, "flags": ["rejected"] * 2, "actions": ["reject"]}
    assert act(ben, flagged, "confirm").status_code == 201
    assert state_of(rows, flagged)["actions"] == ["reject", "confirm"]


def test_of_many_at_the_same_moment_one_acts(
    v2: ApiProcess, stack: Stack, tokens: dict[str, str], flagged: int, rows: Rows
) -> None:
    people = [Person(v2, tokens[name]) for name in ("Ana", "Ben") for _ in range(4)]
    seen = version(people[0], flagged)
    answers: list[httpx.Response] = []

    def press(person: Person, action: str) -> None:
        answers.append(act(person, flagged, action, seen))

    holder = psycopg2.connect(superuser_url(stack))
    with holder, holder.cursor() as cursor:  # until all of them wait for the row
        cursor.execute("SELECT FROM images WHERE id = %s FOR UPDATE", (flagged,))
        threads = [
            threading.Thread(target=press, args=(person, "confirm" if number % 2 else "reject"))
            for number, person in enumerate(people)
        ]
        for thread in threads:
            thread.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'api'"
        wait_until(lambda: rows(waiting) == [(len(people),)], "all wait for the image")
    holder.close()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    state = state_of(rows, flagged)
    (action,) = state["actions"]
    assert state["flags"] == [{"confirm": "confirmed", "reject": "rejected"}[action]] * 2
    assert state["hidden"] == (action == "confirm")
    for refused in (answer for answer in answers if answer.status_code == 409):
        assert_refused(refused, 409, "acted_meanwhile")


def test_in_the_page_too_the_second_is_told_and_nothing_is_stored(
    v2: ApiProcess, tokens: dict[str, str], reviewer: Reviewer, flagged: int, rows: Rows
) -> None:
    with Reviewer(v2) as ben:
        assert ben.sign_in(tokens["Ben"]).status_code == 303
        form = ben.form(flagged)
        assert reviewer.decide(flagged, "reject").status_code == 303
        page = ben.send(form, "confirm")
        assert page.status_code == 409
        assert "Ana found nothing wrong with the image" in page.text
        assert state_of(rows, flagged)["actions"] == ["reject"]
        assert ben.decide(flagged, "confirm").status_code == 303
    assert state_of(rows, flagged) == {"hidden": True, "flags": ["confirmed"] * 2, "actions": ["reject", "confirm"]}


def test_forms_do_what_programs_do(reviewer: Reviewer, flagged: int, v2: ApiProcess, rows: Rows) -> None:
    comment = new_person(v2).comment(flagged).json()["id"]
    answer = reviewer.decide(flagged, "hide", comment)
    assert answer.headers["location"].startswith(f"/moderation/images/{flagged}?done=")
    shown = reviewer.http.get(answer.headers["location"]).text
    assert f"Ana hid comment {comment}" in shown
    assert rows("SELECT moderator_hidden FROM comments WHERE id = %s", comment) == [(True,)]
    for action in ("hide", "restore", "confirm", "reject"):
        assert reviewer.decide(flagged, action).status_code == 303
    assert state_of(rows, flagged)["actions"] == ["hide", "hide", "restore", "confirm", "reject"]


def test_an_image_that_was_deleted_under_review_is_gone(
    v2: ApiProcess, mod: Person, reviewer: Reviewer, rows: Rows
) -> None:
    owner = new_person(v2)
    image = owner.image()
    decided(rows, image, 0.9, "FLAG")
    form, seen = reviewer.form(image), version(mod, image)
    assert owner.delete(image).status_code == 204
    page = reviewer.send(form, "confirm")
    assert (page.status_code, "was deleted" in page.text) == (410, True)
    assert_refused(act(mod, image, "confirm", seen), 410, "deleted")
    assert_refused(mod.get(f"/moderation/{image}"), 410, "deleted")
    assert_refused(mod.get(f"/moderation/{image}/photo"), 410, "deleted")
    assert reviewer.http.get(f"/moderation/images/{image}/photo").status_code == 410
    assert state_of(rows, image)["actions"] == []


def test_what_is_not_there_is_refused(
    mod: Person, reviewer: Reviewer, flagged: int, v2: ApiProcess, rows: Rows
) -> None:
    elsewhere = new_person(v2).comment(new_person(v2).image()).json()["id"]
    assert_refused(act(mod, NOWHERE, "hide", "0-0-0"), 404, "not_found")
    assert_refused(act(mod, flagged, "hide", comment_id=elsewhere), 404, "not_found")
    assert_refused(act(mod, flagged, "hide", "0-0"), 422, "invalid")
    assert_refused(act(mod, flagged, "delete"), 422, "invalid")
    form = reviewer.form(flagged)
    bad: list[tuple[str, dict[str, str | None]]] = [
        ("delete", {}), ("hide", {"version": "x"}), ("hide", {"version": None}), ("hide", {"comment_id": "x"}),
    ]  # fmt: skip
    for action, change in bad:
        assert reviewer.send(form, action, **change).status_code == 422
    assert state_of(rows, flagged)["actions"] == []


def test_a_decision_of_another_image_is_not_taken_for_seen(
    mod: Person, flagged: int, v2: ApiProcess, rows: Rows
) -> None:
    foreign = decided(rows, new_person(v2).image(), 0.9, "FLAG")
    action, flag, _ = version(mod, flagged).split("-")
    assert act(mod, flagged, "reject", f"{action}-{flag}-{foreign}").status_code == 201
    assert rows("SELECT decision_id FROM moderation_actions WHERE image_id = %s", flagged) == [(None,)]


def test_everything_fails_together(mod: Person, flagged: int, rows: Rows) -> None:
    rows("ALTER TABLE images ADD CONSTRAINT never_hidden CHECK (NOT moderator_hidden) NOT VALID")
    try:
        assert act(mod, flagged, "confirm").status_code == 500
    finally:
        rows("ALTER TABLE images DROP CONSTRAINT never_hidden")
    assert state_of(rows, flagged) == {"hidden": False, "flags": ["pending"] * 2, "actions": []}


def test_a_hidden_image_is_hidden_from_everybody_but_moderators(
    api: ApiProcess, tokens: dict[str, str], rows: Rows
) -> None:
    mod, owner, other = Person(api, tokens["Ana"]), new_person(api), new_person(api)
    image = owner.image()
    comment = owner.comment(image).json()["id"]
    photo = other.get(f"/images/{image}/content").content
    assert act(mod, image, "hide").status_code == 201
    for person in (owner, other, Person(api)):
        for path in ("", "/content", "/moderation"):
            assert "moderator has hidden it" in assert_refused(person.get(f"/images/{image}{path}"), 410, "hidden")
        listed = person.get("/images/", params={"before_id": image + 1, "limit": 1}).json()["images"]
        assert image not in [one["id"] for one in listed]
    for refused in (
        other.view(image),
        other.comment(image),
        other.flag(image_id=image),
        other.flag(comment_id=comment),
    ):
        assert_refused(refused, 410, "hidden")
    assert rows("SELECT count(*) FROM flags WHERE image_id = %s", image) == [(0,)]
    assert rows("SELECT count(*) FROM comments WHERE image_id = %s", image) == [(1,)]
    assert rows("SELECT views FROM images WHERE id = %s", image) == [(0,)]
    assert mod.get(f"/moderation/{image}/photo").content == photo
    assert act(mod, image, "restore").status_code == 201
    assert other.get(f"/images/{image}/content").content == photo
    assert other.view(image).status_code == 201


def test_a_hidden_comment_cannot_be_flagged_and_a_request_made_before_can_be_repeated(
    api: ApiProcess, tokens: dict[str, str]
) -> None:
    mod, owner, other = Person(api, tokens["Ana"]), new_person(api), new_person(api)
    image = owner.image()
    comment = owner.comment(image, key="c").json()["id"]
    assert act(mod, image, "hide", comment_id=comment).status_code == 201
    assert_refused(other.flag(comment_id=comment), 410, "hidden")
    assert act(mod, image, "hide").status_code == 201
    assert owner.comment(image, key="c").json()["id"] == comment


def test_an_owner_deletes_their_hidden_image(api: ApiProcess, tokens: dict[str, str], rows: Rows) -> None:
    owner = new_person(api)
    image = owner.image()
    assert act(Person(api, tokens["Ana"]), image, "hide").status_code == 201
    assert owner.delete(image).status_code == 204
    assert rows("SELECT caption FROM images WHERE id = %s AND deleted_at IS NOT NULL", image) == [("",)]


def test_a_deletion_by_a_moderator_is_in_the_audit_and_one_by_the_owner_is_not(
    api: ApiProcess, tokens: dict[str, str], rows: Rows
) -> None:
    owner, mod = new_person(api), Person(api, tokens["Ana"])
    theirs, own = owner.image(), owner.image()
    assert [mod.delete(theirs, key=f"d{theirs}").status_code for _ in range(2)] == [204, 204]
    assert_refused(mod.delete(theirs), 410, "deleted")
    assert owner.delete(own).status_code == 204
    ((who, at, token),) = rows(
        "SELECT moderator, created_at, token_id FROM moderation_actions WHERE image_id = %s AND action = 'delete' "
        "AND target_type = 'image' AND target_id = image_id",
        theirs,
    )
    assert (who, rows("SELECT name FROM api_tokens WHERE id = %s", token)) == ("Ana", [("Ana",)])
    assert rows("SELECT deleted_at FROM images WHERE id = %s", theirs) == [(at,)]
    assert state_of(rows, own)["actions"] == []


@pytest.mark.parametrize("who", ["user", "import", "nobody", "unknown"])
def test_only_moderators_may(v2: ApiProcess, stack: Stack, flagged: int, rows: Rows, who: str) -> None:
    user = new_person(v2)
    person = Person(v2, {"user": user.token, "import": stack.setting("IMPORT_TOKEN"), "unknown": "x" * 43}.get(who))
    status = 403 if who in ("user", "import") else 401
    for path in ("/moderation/queue", f"/moderation/{flagged}", f"/moderation/{flagged}/photo"):
        assert_refused(person.get(path), status)
    assert_refused(act(person, flagged, "hide", "0-0-0"), status)
    assert state_of(rows, flagged)["actions"] == []


def test_an_item_tells_all_that_is_known(mod: Person, v2: ApiProcess, rows: Rows) -> None:
    owner, other = new_person(v2), new_person(v2)
    image = owner.image()
    first, second = (other.comment(image, text).json()["id"] for text in ("one", "two"))
    other.flag(image_id=image, reason="not food")
    owner.flag(comment_id=first, reason="rude")
    decided(rows, image, 0.2, "SAFE")
    decision = decided(rows, image, 0.9, "FLAG", trigger="viral", model="m1", views_5min=123.0)
    decided(rows, image, 0.1, "SAFE", served=False, model="m2")
    act(mod, image, "hide", comment_id=second)
    item = mod.get(f"/moderation/{image}").json()
    assert (item["image_id"], item["user_id"], item["caption"], item["hidden"]) == (image, owner.id, "my soup", False)
    assert (item["decision"]["id"], item["decision"]["features"]["views_5min"]) == (decision, 123)
    assert [(flag["reason"], flag["review_status"]) for flag in item["flags"]] == [("not food", "pending")]
    told = [(one["id"], one["open_flags"], one["reasons"], one["moderator_hidden"]) for one in item["comments"]]
    assert told == [(first, 1, ["rude"], False), (second, 0, [], True)]
    assert [(one["action"], one["target_type"], one["target_id"]) for one in item["actions"]] == [
        ("hide", "comment", second)
    ]
    assert (item["all_flags"], item["all_comments"]) == (1, 2)
