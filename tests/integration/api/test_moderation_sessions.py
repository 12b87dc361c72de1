"""Who gets in to the pages, for how long, and what a form must carry."""

from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest

from gourmetgram.api.moderation.sessions import MOST_TRIES, SESSION, form_token
from labkit.stack import Stack
from tests.integration.api.people import new_person
from tests.integration.api.reviewers import Reviewer, new_token, state_of
from tests.integration.api.servers import ApiProcess
from tests.support.database import Rows

COOKIE = "moderation_session"
NOT_VALID = "This token does not open the queue"


@pytest.fixture(scope="module")
def token(stack: Stack) -> str:
    return new_token(stack, "Ana")


@pytest.fixture(autouse=True)
def _no_tries_are_counted(rows: Rows) -> None:
    rows("DELETE FROM refused_sign_ins")


@pytest.fixture
def stranger(v2: ApiProcess) -> Iterator[Reviewer]:
    with Reviewer(v2) as somebody:
        yield somebody


@pytest.fixture
def ana(stranger: Reviewer, token: str) -> Reviewer:
    assert stranger.sign_in(token).status_code == 303
    return stranger


@pytest.fixture
def image(v2: ApiProcess) -> int:
    return new_person(v2).image()


def id_of(rows: Rows, token: str) -> int:
    ((found,),) = rows("SELECT id FROM api_tokens WHERE token_hash = %s", sha256(token.encode()).digest())
    return int(found)


def assert_signed_out(browser: Reviewer, image: int) -> None:
    """Every page leads to the form, and nothing can be done."""
    for path in ("", f"/images/{image}", f"/images/{image}/photo", "/next"):
        answer = browser.http.get(f"/moderation{path}")
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/moderation/login"), path
        assert "image/" not in answer.headers.get("content-type", "")
    for path in (f"/images/{image}", "/logout"):
        answer = browser.http.post(f"/moderation{path}", data={"action": "hide", "version": "0-0-0"})
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/moderation/login")
        assert "your session is over" in browser.http.get(answer.headers["location"]).text


def test_a_session_is_a_cookie_that_scripts_and_other_sites_never_see(
    stranger: Reviewer, token: str, rows: Rows
) -> None:
    answer = stranger.sign_in(token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/moderation")
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(COOKIE)]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/moderation", f"max-age={int(SESSION.total_seconds())}"} <= attributes
    secret = stranger.cookie(COOKIE)
    assert len(secret) >= 40
    stored = rows(
        "SELECT token_id, expires_at - created_at FROM moderator_sessions WHERE session_hash = %s",
        sha256(secret.encode()).digest(),
    )
    assert stored == [(id_of(rows, token), SESSION)]
    assert "Signed in as <b" in stranger.http.get("/moderation").text


def test_each_sign_in_is_a_session_of_its_own(v2: ApiProcess, token: str, image: int) -> None:
    with Reviewer(v2) as one, Reviewer(v2) as other:
        for browser in (one, other):
            browser.http.cookies.set(COOKIE, "chosen by somebody else", path="/moderation")
            answer = browser.sign_in(token)
            assert answer.cookies[COOKIE] != "chosen by somebody else"
            browser.http.cookies.delete(COOKIE, domain="")
        assert one.cookie(COOKIE) != other.cookie(COOKIE)
        form = one.form(image)
        assert one.http.post("/moderation/logout", data=form.fields).status_code == 303
        assert other.http.get("/moderation").status_code == 200
        assert one.http.get("/moderation").status_code == 303


@pytest.mark.parametrize("path", ["", "/next", "/images/1", "/images/1/photo"])
def test_without_a_session_every_page_leads_to_the_form(stranger: Reviewer, path: str) -> None:
    answer = stranger.http.get(f"/moderation{path}")
    assert answer.status_code == 303
    wanted = "?image=1" if "images" in path else ""
    assert answer.headers["location"] == f"/moderation/login{wanted}"


def test_after_signing_in_comes_the_image_that_was_asked_for(stranger: Reviewer, token: str) -> None:
    page = stranger.http.get("/moderation/login?image=12")
    assert 'action="/moderation/login?image=12"' in page.text
    fields = {"token": token, "form_token": form_token(stranger.cookie("moderation_form"))}
    answer = stranger.http.post("/moderation/login?image=12", data=fields)
    assert answer.headers["location"] == "/moderation/images/12"
    elsewhere = stranger.http.post("/moderation/login?image=//evil.example", data=fields)
    assert elsewhere.headers["location"] == "/moderation"


def test_all_wrong_tokens_are_told_the_same(stranger: Reviewer, stack: Stack, rows: Rows) -> None:
    user, revoked = new_person_token(stranger, rows), new_token(stack, "Eva")
    rows("UPDATE api_tokens SET revoked_at = now() WHERE id = %s", id_of(rows, revoked))
    texts = set()
    for wrong in (
        "",
        "wrong",
        "x" * 43,
        user,
        revoked,
        stack.setting("IMPORT_TOKEN"),
        "ä\0\ud83c".encode("utf-8", "replace").decode(),
    ):
        answer = stranger.sign_in(wrong)
        assert answer.status_code == 401
        assert COOKIE not in answer.cookies
        texts.add(answer.text)
    assert len(texts) == 1
    assert NOT_VALID in texts.pop()
    assert stranger.http.get("/moderation").status_code == 303


def new_person_token(browser: Reviewer, rows: Rows) -> str:
    name = f"u-{rows('SELECT count(*) FROM users')[0][0]}-session"
    body = {"username": name, "country_of_residence": "NL"}
    return str(browser.http.post("/users/", json=body).json()["token"])


def test_tries_are_limited_whatever_worker_answers(stranger: Reviewer, token: str, rows: Rows) -> None:
    statuses = [stranger.sign_in("wrong").status_code for _ in range(MOST_TRIES + 2)]
    assert statuses == [401] * MOST_TRIES + [429] * 2
    refused = stranger.sign_in(token)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert COOKIE not in refused.cookies
    rows("UPDATE refused_sign_ins SET created_at = created_at - interval '1 minute'")
    assert stranger.sign_in(token).status_code == 303
    assert rows("SELECT count(*) FROM refused_sign_ins") == [(0,)]


def test_signing_out_ends_the_session_on_the_server(ana: Reviewer, image: int, rows: Rows) -> None:
    secret = ana.cookie(COOKIE)
    answer = ana.http.post("/moderation/logout", data=ana.form(image).fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/moderation/login")
    assert ana.http.cookies.get(COOKIE) is None
    ana.http.cookies.set(COOKIE, secret, path="/moderation")
    assert_signed_out(ana, image)


def test_an_expired_session_is_over(ana: Reviewer, image: int, rows: Rows) -> None:
    digest = sha256(ana.cookie(COOKIE).encode()).digest()
    form = ana.form(image)
    rows(
        "UPDATE moderator_sessions SET created_at = created_at - interval '9 h', expires_at = now() - interval '1 s' "
        "WHERE session_hash = %s",
        digest,
    )
    assert ana.send(form, "hide").status_code == 303
    assert_signed_out(ana, image)
    assert state_of(rows, image) == {"hidden": False, "flags": [], "actions": []}


def test_a_revoked_token_ends_its_sessions_at_once(
    v2: ApiProcess, stack: Stack, token: str, image: int, rows: Rows
) -> None:
    theirs = new_token(stack, "Eva")
    with Reviewer(v2) as eva, Reviewer(v2) as ana:
        assert eva.sign_in(theirs).status_code == ana.sign_in(token).status_code == 303
        form = eva.form(image)
        stack.run("token", "--revoke", str(id_of(rows, theirs)))
        assert eva.send(form, "hide").status_code == 303
        assert_signed_out(eva, image)
        assert ana.http.get("/moderation").status_code == 200
    assert state_of(rows, image)["actions"] == []


def test_a_cookie_that_is_none_of_ours_is_no_session(stranger: Reviewer, token: str, image: int) -> None:
    for value in ("x", token, "x" * 5000):
        stranger.http.cookies.set(COOKIE, value, path="/moderation")
        assert_signed_out(stranger, image)
        stranger.http.cookies.clear()


def foreign(v2: ApiProcess, token: str, image: int) -> str:
    """The form token of another session of the same moderator."""
    with Reviewer(v2) as other:
        other.sign_in(token)
        return other.form(image).fields["form_token"]


@pytest.mark.parametrize("kind", ["missing", "empty", "wrong", "foreign", "a file"])
def test_a_form_that_was_not_made_for_the_session_does_nothing(
    v2: ApiProcess, ana: Reviewer, token: str, image: int, rows: Rows, kind: str
) -> None:
    form = ana.form(image)
    came = {"missing": None, "empty": "", "wrong": "0" * 64, "foreign": foreign(v2, token, image), "a file": None}[kind]
    if kind == "a file":
        files = {"form_token": ("x", form.fields.pop("form_token").encode())}
        answer: httpx.Response = ana.http.post(form.action, data=form.fields | {"action": "hide"}, files=files)
    else:
        answer = ana.send(form, "hide", form_token=came)
    assert (answer.status_code, "Nothing was stored" in answer.text) == (403, True)
    assert state_of(rows, image) == {"hidden": False, "flags": [], "actions": []}
    leaving = ana.http.post("/moderation/logout", data={"form_token": came or ""})
    assert leaving.status_code == 403
    assert ana.http.get("/moderation").status_code == 200
    assert ana.decide(image, "hide").status_code == 303


def test_signing_in_needs_the_form_too(v2: ApiProcess, stranger: Reviewer, token: str) -> None:
    assert stranger.sign_in(token, form_token="0" * 64).status_code == 403
    with Reviewer(v2) as other:
        other.http.get("/moderation/login")
        theirs = form_token(other.cookie("moderation_form"))
    assert stranger.sign_in(token, form_token=theirs).status_code == 403
    assert stranger.http.cookies.get(COOKIE) is None


def test_every_page_is_ours_alone_and_kept_nowhere(ana: Reviewer, image: int) -> None:
    for path in ("", f"/images/{image}", f"/images/{image}/photo", "/login", "/images/0", f"/images/{10**15}"):
        answer = ana.http.get(f"/moderation{path}")
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        if "html" in answer.headers["content-type"]:
            assert "<script>" not in answer.text
            assert " style=" not in answer.text
            assert " on" not in "".join(part.split(">")[0] for part in answer.text.split("<")[1:]).replace(" only", "")


def test_no_secret_reaches_the_log(v2: ApiProcess, ana: Reviewer, token: str, image: int) -> None:
    form = ana.form(image)
    ana.decide(image, "hide")
    wrong = "this is a wrong token " * 3
    ana.sign_in(wrong)
    log = v2.log()
    assert "signed_in" in log
    assert "sign_in_refused" in log
    for secret in (token, ana.cookie(COOKIE), form.fields["form_token"], wrong.strip(), "this is a wrong"):
        assert secret not in log


def test_a_moderator_without_a_name_is_known_by_a_number(v2: ApiProcess, stack: Stack, image: int, rows: Rows) -> None:
    token = stack.run("token", "--scope", "moderator").strip().splitlines()[-1]
    with Reviewer(v2) as somebody:
        somebody.sign_in(token)
        somebody.decide(image, "hide")
    expected = f"moderator {id_of(rows, token)}"
    assert rows("SELECT moderator FROM moderation_actions WHERE image_id = %s", image) == [(expected,)]
