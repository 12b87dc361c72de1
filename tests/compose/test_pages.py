"""Every page of the platform as the text speaks of it: address, title, login, and what is to be clicked there."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from labkit.stack import Stack
from labkit.stack.compose_file import Page
from tests.compose import engine
from tests.support import chromium, guide
from tests.support.chromium import Chromium
from tests.support.clicks import Reader

SHOWN_TITLES = {"API": "GourmetGram API", "Live view": "GourmetGram, live", "Review queue": "GourmetGram moderation"}
"""What the title bar shows, where it is not the name of the page."""

with_a_browser = pytest.mark.skipif(not chromium.program(), reason="there is no Chromium here")


@pytest.fixture(scope="module")
def pages(platform: Stack) -> Stack:
    """The platform with all pages, those that the notebooks so far have not needed as well."""
    platform.up(
        "api_v2", "adminer", "airflow-scheduler", "airflow-dag-processor", "console-proxy", "redisinsight-proxy"
    )
    platform.up("jupyter", "nimtable")
    if not engine.is_placeholder(platform, "nimtable-web"):  # a stand-in of the page has no `node` for its health check
        platform.up("nimtable-web")
    return platform


def titled(text: str) -> str:
    """The title of a page, empty if it has none."""
    found = re.search(r"<title>\s*([^<]*?)\s*</title>", text)
    return found[1] if found else ""


def behind(stack: Stack, page: Page) -> str:
    """The service whose page it is: of a proxy, the one behind it."""
    return stack.file.with_needs((page.service,))[-2] if page.service.endswith("-proxy") else page.service


def opened(stack: Stack, page: Page) -> httpx.Response:
    """The page, with the login of those that ask for it before they show anything."""
    login = stack.login(page.service)
    return httpx.get(
        stack.url(page.port) + page.path,
        auth=(login["user"], login["password"]) if page.service.endswith("-proxy") else None,
        params={"token": login["token"]} if "token" in login else None,
        follow_redirects=True,
        timeout=20,
    )


def test_every_page_answers_and_says_what_it_is(pages: Stack) -> None:
    running = pages.containers()
    for page in pages.file.pages():
        if page.service not in running:
            assert engine.is_placeholder(pages, page.service), f"{page} does not run"
            continue
        shown = opened(pages, page)
        assert shown.status_code == 200, page
        if engine.is_placeholder(pages, behind(pages, page)):
            assert titled(shown.text).startswith("stand-in for"), page
        else:
            assert SHOWN_TITLES.get(page.title, page.title).lower() in titled(shown.text).lower(), page


def test_pages_that_ask_for_no_login_themselves_are_behind_one(pages: Stack) -> None:
    asked = [page for page in pages.file.pages() if page.service.endswith("-proxy")]
    assert {page.title for page in asked} == {"Redpanda Console", "Redis Insight"}
    for page in asked:
        url, login = pages.url(page.port), pages.login(page.service)
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, auth=(login["user"], "wrong")).status_code == 401
        ports = engine.inspect(pages, behind(pages, page))["NetworkSettings"]["Ports"]
        assert not any(ports.values()), f"{ports} can be reached past the login"


@pytest.fixture
def browser() -> Iterator[Chromium]:
    with Chromium(1400, 1000) as opened:
        yield opened


def at_adminer(pages: Stack, browser: Chromium) -> Reader:
    """Logged in as part 2 says."""
    reader = Reader(browser, guide.passage("2_application", "**Adminer**, `http", "**MinIO console**"))
    says = reader.path.says
    reader.open(pages.url("adminer"))
    reader.choose("[name='auth[driver]']", reader.path.label("PostgreSQL"))
    reader.put("[name='auth[server]']", says("*Server*: `postgres`").split("`")[1])
    reader.put("[name='auth[username]']", says("*Username*: `student`").split("`")[1])
    reader.put("[name='auth[db]']", says("*Database*: `gourmetgram`").split("`")[1])
    reader.put("[name='auth[password]']", pages.setting("STUDENT_DB_PASSWORD"))
    reader.click("Login")
    assert reader.path.used == reader.path.labels - {"Adminer"}
    return reader


@with_a_browser
def test_adminer_shows_tables_and_foreign_keys(pages: Stack, browser: Chromium) -> None:
    reader = at_adminer(pages, browser)
    for table in ("users", "images", "comments", "flags", "moderation"):
        reader.sees(table)
    reader.press(reader.path.says("Open `flags`").split("`")[1])
    reader.sees(reader.path.says("*Foreign keys*").strip("*"))
    reader.sees(reader.path.says("`images(id)`").strip("`"))
    assert reader.ask("document.body.innerText").count("image_id") >= 2


@with_a_browser
def test_adminer_answers_the_question_of_part_4(pages: Stack, browser: Chromium) -> None:
    at_adminer(pages, browser)
    reader = Reader(browser, guide.passage("4_realtime", "**Adminer**, `http"))
    sql = re.findall(r"~~~sql\n(.*?)~~~", guide.stages()["4_realtime"], re.S)[-1]
    reader.click("SQL command")
    reader.put("textarea", sql)
    reader.click("Execute")
    for column in ("trigger_type", "risk_score", "rationale"):
        reader.sees(column)
    assert reader.path.used == reader.path.labels - {"Adminer"}


def at_minio(pages: Stack, browser: Chromium) -> Reader:
    """Logged in as part 2 says."""
    reader = Reader(browser, guide.passage("2_application", "**MinIO console**, `http"))
    reader.open(pages.url("minio_console"))
    reader.put("#accessKey", pages.setting("S3_STUDENT_ACCESS_KEY"))
    reader.put("#secretKey", pages.setting("S3_STUDENT_SECRET_KEY"))
    reader.press("Login")
    reader.click("Acknowledge")
    reader.sees("Created on:")  # by itself the console opens the first bucket; a click before that would be lost
    assert reader.path.used == reader.path.labels - {"MinIO console"}
    return reader


@with_a_browser
def test_the_console_of_minio_shows_the_buckets_and_photos(pages: Stack, browser: Chromium) -> None:
    reader = at_minio(pages, browser)
    reader.sees(reader.path.says("Below *Buckets*").split("*")[1])
    reader.press(reader.path.says("`gourmetgram-images`").strip("`"))
    reader.press("uploads")
    reader.sees(".jpg")


@with_a_browser
def test_part_3_finds_the_newest_comment_in_adminer(pages: Stack, browser: Chromium) -> None:
    at_adminer(pages, browser)
    reader = Reader(browser, guide.passage("3_endpoints", "If your platform runs in Docker"))
    reader.path.says("click *select* beside the table `comments`")
    reader.press_at("#tables a.select[href$='select=comments']")
    reader.click("Sort")
    reader.choose("[name='order[0]']", reader.path.says("Choose `id`").split("`")[1])
    reader.press(reader.path.says("*descending*").strip("*"))
    reader.press_at(f"[type=submit][value={reader.path.label('Select')}]")
    reader.sees('ORDER BY "id" DESC')
    assert reader.path.used == reader.path.labels


@with_a_browser
def test_part_5_finds_the_table_of_events_in_minio(pages: Stack, browser: Chromium) -> None:
    at_minio(pages, browser)
    reader = Reader(browser, guide.passage("5_iceberg", "In the MinIO console (`lab.link", "**Nimtable**"))
    for name in ("gourmetgram-datalake", "warehouse", "event_aggregations", "events", "metadata"):
        assert reader.path.says(f"`{name}`")
        reader.press(name)
    reader.sees(reader.path.says("`.metadata.json`").strip("`"))
    assert not reader.path.labels


@with_a_browser
def test_part_5_leads_through_airflow(pages: Stack, browser: Chromium) -> None:
    reader = Reader(browser, guide.passage("5_iceberg", "In all places, open Airflow in your browser"))
    login = pages.login("airflow-webserver")
    assert reader.path.says("log in as `admin`").split("`")[1] == login["user"]
    reader.open(pages.url("airflow"))
    reader.put("[name=username]", login["user"])
    reader.put("[name=password]", login["password"])
    reader.press("Sign in")
    reader.click("Dags")
    reader.press(reader.path.says("Click on `redpanda_event_aggregation`").split("`")[1])
    reader.press(f"{reader.path.label('Show Graph')} (Press g)")
    reader.sees("@task")
    reader.press(f"{reader.path.label('Show Grid')} (Press g)")
    task = reader.path.says("square of `consume_and_aggregate_events`").split("`")[1]
    reader.press_at(f"a[href*='/runs/'][href$='tasks/{task}']")
    reader.click("Logs")
    reader.sees(reader.path.says("`events landed`").strip("`"))
    assert reader.path.used == reader.path.labels


def test_part_5_reads_the_checkpoint_where_airflow_keeps_it(pages: Stack) -> None:
    text = " ".join(guide.passage("5_iceberg", "The Variable is a row in").split())
    command = re.findall(r"`docker compose .*? exec (\S+) (.*?)`", text)
    assert len(command) == 1
    service, rest = command[0]
    assert json.loads(engine.inside(pages, service, *rest.split()).splitlines()[-1])["offsets"]
