"""The pages as people meet them: what others wrote stays text, keys do everything, and nothing hinders anybody."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.stack import Stack
from tests.integration.api.people import new_person
from tests.integration.api.reviewers import Form, Reviewer, decided, empty_the_queue, forms_of, new_token, state_of
from tests.integration.api.servers import ApiProcess
from tests.support.accessibility import violations
from tests.support.chromium import Chromium, program
from tests.support.database import Rows

MARKUP = """<script>window.hit = 1</script><img src=x onerror="window.hit=1">'"&lt;b&gt;{{ 7 * 7 }}</textarea>"""
PICTURES = os.environ.get("MODERATION_PICTURES")
"""A folder that gets the pictures, for those who want to look at them."""

needs_chromium = pytest.mark.skipif(
    program() is None, reason="no Chromium on this machine: the pages were not looked at"
)


@pytest.fixture(scope="module")
def tokens(stack: Stack) -> dict[str, str]:
    return {name: new_token(stack, name) for name in ("Ana", MARKUP[:60])}


@pytest.fixture
def ana(v2: ApiProcess, tokens: dict[str, str]) -> Iterator[Reviewer]:
    with Reviewer(v2) as browser:
        assert browser.sign_in(tokens["Ana"]).status_code == 303
        yield browser


@pytest.fixture
def three(v2: ApiProcess, rows: Rows) -> list[int]:
    """The only three images that wait, in the order of the queue."""
    empty_the_queue(rows)
    owner = new_person(v2)
    images = [owner.image() for _ in range(3)]
    for number, image in enumerate(images):
        new_person(v2).flag(image_id=image)
        decided(rows, image, 0.9 - number / 10, "FLAG", trigger="viral", views_5min=112.0, total_flags=1.0)
    return images


def hostile(v2: ApiProcess, rows: Rows) -> tuple[int, int]:
    """An image on which every text that people can write is markup, and a comment of it."""
    owner = new_person(v2)
    image = owner.upload(caption=MARKUP).json()["id"]
    comment = owner.comment(image, MARKUP).json()["id"]
    other = new_person(v2)
    other.flag(image_id=image, reason=MARKUP)
    other.flag(comment_id=comment, reason=MARKUP)
    rule = {"name": MARKUP, "points": 0.9, "reason": MARKUP}
    decided(rows, image, 0.97, "FLAG", model=MARKUP, trigger=MARKUP, rationale={"rules": [rule]})
    return image, comment


def test_markup_stays_text_in_every_page(v2: ApiProcess, tokens: dict[str, str], ana: Reviewer, rows: Rows) -> None:
    image, comment = hostile(v2, rows)
    with Reviewer(v2) as other:
        other.sign_in(tokens[MARKUP[:60]])
        form = ana.form(image)
        assert other.decide(image, "hide", comment).status_code == 303
        conflict = ana.send(form, "hide")
        noticed = ana.http.get(other.decide(image, "restore", comment).headers["location"])
        pages = [ana.http.get("/moderation"), ana.http.get(f"/moderation/images/{image}"), noticed, conflict]
        pages += [other.http.get("/moderation")]
    for page in pages:
        assert "window.hit" in page.text
        for raw in ("<script>", "<img src=x", "</textarea>", "&lt;b&gt;{{"):
            assert raw not in page.text, raw
        assert "&lt;script&gt;window.hit = 1" in page.text
    # Caption and trigger; then eight texts that people or decisions brought, and a name beside each of two actions.
    assert [page.text.count("&lt;script&gt;window.hit") for page in pages[:2]] == [2, 10]
    assert "49" not in ana.http.get(f"/moderation/images/{image}").text.split("{{ 7 * 7 }}")[0][-20:]


def test_each_step_leads_to_the_next_item_and_says_what_was_done(ana: Reviewer, three: list[int]) -> None:
    answer = ana.decide(three[0], "confirm")
    assert answer.headers["location"].startswith(f"/moderation/images/{three[1]}?done=")
    assert "Ana confirmed that the image breaks the rules, and hid it" in ana.http.get(answer.headers["location"]).text
    skipped = ana.http.get(f"/moderation/next?after=0.8:{three[1]}")
    assert skipped.headers["location"] == f"/moderation/images/{three[2]}"
    last = ana.decide(three[2], "reject").headers["location"]
    assert last.startswith("/moderation?done=")
    page = ana.http.get(last).text
    assert "1 image waits" in page
    assert f"/moderation/images/{three[1]}" in page


def test_the_filters_stay_while_one_works(ana: Reviewer, three: list[int], rows: Rows) -> None:
    decided(rows, three[1], 0.5, "REVIEW")
    query = "recommendation=FLAG&trigger=viral"
    form = next(one for one in _forms(ana, f"/moderation/images/{three[0]}?{query}") if "confirm" in one.buttons)
    answer = ana.send(form, "confirm")
    assert answer.headers["location"].startswith(f"/moderation/images/{three[2]}?{query}&done=")


def _forms(browser: Reviewer, path: str) -> list[Form]:
    return forms_of(browser.http.get(path))


def test_an_address_that_is_none_is_a_page_too(ana: Reviewer) -> None:
    for path, status in (("images/0", 422), ("images/x", 422), (f"images/{10**15}", 404)):
        answer = ana.http.get(f"/moderation/{path}")
        assert (answer.status_code, "Back to the queue" in answer.text) == (status, True)
    for strange in ("?after=x", "?done=x", "?done=999999999999", "?recommendation=<b>"):
        assert ana.http.get(f"/moderation{strange}").status_code == 200


def sign_in(browser: Chromium, api: ApiProcess, token: str) -> None:
    browser.open(f"{api.url}/moderation")
    browser.wait_until("location.pathname === '/moderation/login' && document.activeElement?.id === 'token'")
    browser.tell("Input.insertText", text=token)
    press(browser, "Enter")
    browser.wait_until("location.pathname === '/moderation' && document.readyState === 'complete'")


def press(browser: Chromium, key: str) -> None:
    """A key goes down and up, as from a keyboard."""
    text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
    code = {"Enter": 13, "Tab": 9, "Escape": 27}.get(key, ord(key.upper()) if len(key) == 1 else 0)
    facts = {"key": key, "windowsVirtualKeyCode": code}
    browser.tell("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
    browser.tell("Input.dispatchKeyEvent", type="keyUp", **facts)


def at_image(image: int) -> str:
    return f"location.pathname === '/moderation/images/{image}' && document.readyState === 'complete'"


@needs_chromium
def test_three_items_are_reviewed_with_keys_alone(
    v2: ApiProcess, tokens: dict[str, str], three: list[int], rows: Rows
) -> None:
    comment = new_person(v2).comment(three[2]).json()["id"]
    with Chromium() as browser:
        sign_in(browser, v2, tokens["Ana"])
        press(browser, "j")
        press(browser, "j")
        press(browser, "k")
        assert browser.ask("document.activeElement.textContent").startswith(f"Image {three[0]},")
        press(browser, "Enter")
        browser.wait_until(at_image(three[0]))
        press(browser, "c")
        browser.wait_until(at_image(three[1]))
        browser.wait_until("document.activeElement.textContent.includes('Ana confirmed')")  # the notice has the focus
        press(browser, "r")
        browser.wait_until(at_image(three[2]))
        press(browser, "m")
        assert browser.ask("document.activeElement.closest('[data-comment]').dataset.comment") == str(comment)
        press(browser, "h")
        browser.wait_until(f"{at_image(three[2])} && document.querySelector('li.hidden') !== null")
        press(browser, "m")
        press(browser, "Escape")
        assert browser.ask("document.activeElement.form.id") == "on-image"
        press(browser, "h")
        browser.wait_until("location.pathname === '/moderation' && document.readyState === 'complete'")
        assert browser.problems == []
    assert [state_of(rows, image)["actions"] for image in three] == [["confirm"], ["reject"], ["hide", "hide"]]
    assert [state_of(rows, image)["hidden"] for image in three] == [True, False, True]
    assert rows("SELECT moderator_hidden FROM comments WHERE id = %s", comment) == [(True,)]


@needs_chromium
def test_single_keys_can_be_switched_off_and_do_nothing_in_fields(
    v2: ApiProcess, tokens: dict[str, str], three: list[int], rows: Rows
) -> None:
    with Chromium() as browser:
        sign_in(browser, v2, tokens["Ana"])
        browser.open(f"{v2.url}/moderation/images/{three[0]}")
        browser.wait_until(at_image(three[0]))
        browser.ask("document.querySelector('#single-keys input').click()")
        press(browser, "c")
        browser.open(f"{v2.url}/moderation/images/{three[1]}")
        browser.wait_until(at_image(three[1]))
        press(browser, "c")
        assert browser.ask("document.querySelector('#single-keys input').checked") is False
        press(browser, "?")
        assert browser.ask("document.querySelector('#keys').open") is False
        browser.ask("document.querySelector('#single-keys input').click()")
        press(browser, "?")
        assert browser.ask("document.querySelector('#keys').open") is True
        press(browser, "q")
        browser.wait_until("location.pathname === '/moderation' && document.readyState === 'complete'")
        browser.ask("document.querySelector('select').focus()")
        press(browser, "j")
        assert browser.ask("document.activeElement.tagName") == "SELECT"
    assert [state_of(rows, image)["actions"] for image in three] == [[], [], []]


@needs_chromium
def test_without_a_script_everything_is_reached_with_the_tab_key(
    v2: ApiProcess, tokens: dict[str, str], three: list[int], rows: Rows
) -> None:
    with Chromium() as browser:
        browser.tell("Emulation.setScriptExecutionDisabled", value=True)
        sign_in(browser, v2, tokens["Ana"])
        browser.open(f"{v2.url}/moderation/images/{three[0]}")
        browser.wait_until(at_image(three[0]))
        for _ in range(20):
            press(browser, "Tab")
            if browser.ask("document.activeElement.value") == "reject":
                break
        press(browser, "Enter")
        browser.wait_until(at_image(three[1]))
        assert browser.ask("document.querySelector('#single-keys').hidden") is True
    assert state_of(rows, three[0]) == {"hidden": False, "flags": ["rejected"], "actions": ["reject"]}


@needs_chromium
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, False), (1280, True), (390, True)])
def test_nothing_in_the_pages_hinders_anybody(
    v2: ApiProcess, tokens: dict[str, str], rows: Rows, tmp_path: Path, width: int, dark: bool
) -> None:
    empty_the_queue(rows)
    image, comment = hostile(v2, rows)
    plain = new_person(v2).image()
    new_person(v2).flag(image_id=plain)
    with Reviewer(v2) as other:
        other.sign_in(tokens[MARKUP[:60]])
        other.decide(image, "hide")
        done = other.decide(image, "hide", comment).headers["location"].split("?")[1]
    pages = ["/login", "", f"?{done}", "?trigger=upload", f"/images/{image}?{done}", f"/images/{plain}", "/images/0"]
    with Chromium(width, dark=dark) as browser:
        sign_in(browser, v2, tokens["Ana"])
        for number, page in enumerate(pages):
            browser.open(f"{v2.url}/moderation{page}")
            browser.wait_until(f"location.href === '{v2.url}/moderation{page}' && document.readyState === 'complete'")
            browser.ask("document.querySelector('#keys')?.setAttribute('open', ''); 1")
            assert violations(browser) == [], page
            assert browser.ask("document.documentElement.scrollWidth <= innerWidth"), page
            assert browser.ask("window.hit") is None
            browser.picture(Path(PICTURES or tmp_path) / f"page-{number}-{width}-{'dark' if dark else 'light'}.png")
        assert browser.problems == []
        assert {address.split("/")[2] for address in browser.requests} == {v2.url.removeprefix("http://")}
