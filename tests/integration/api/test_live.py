"""The live view on the whole real-time path: API, relay, broker, consumer, scorer."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from gourmetgram.api.live.collector import LINGER_SECONDS, VIEWERS
from gourmetgram.api.live.figures import WINDOW_SECONDS
from labkit.stack import Stack
from tests.integration.api.live_stream import Snapshot, first, service, snapshots, topic
from tests.integration.api.people import assert_refused, new_person
from tests.integration.api.servers import ApiProcess
from tests.support.chromium import Chromium, program
from tests.support.database import superuser_rows
from tests.support.processes import free_port, wait_until

RATE_SECONDS = (WINDOW_SECONDS - 1, WINDOW_SECONDS + 2)
"""A rate is an average of this long, give or take a scrape."""

AT_ONCE_SECONDS = 3.0
"""uvicorn waits 10 s for a stream that does not end."""


@pytest.fixture(scope="module")
def path(new_stack: Stack) -> Stack:
    """Everything at work, as the Compose file has it."""
    new_stack.up("api_v2", "stream_consumer", "risk_scoring_service")
    return new_stack


@pytest.fixture(scope="module")
def live(path: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    """A further API with one worker, beside the stack's own."""
    names = {"relay": "LIVE_RELAY_URL", "consumer": "LIVE_CONSUMER_URL", "scorer": "LIVE_SCORER_URL"}
    urls = {setting: f"{path.url(name)}/metrics" for name, setting in names.items()}
    with ApiProcess(path, "v2", tmp_path_factory.mktemp("live") / "log", **urls) as api:
        yield api


def test_rates_and_totals_match_what_was_sent(live: ApiProcess) -> None:
    ana, ben = new_person(live), new_person(live)
    image = ana.image()
    with snapshots(live.url) as stream:
        started = time.monotonic()  # from then on, rates are averages of a whole window
        before = topic(first(stream, lambda _: time.monotonic() > started + WINDOW_SECONDS), "views")
        for _ in range(60):
            assert ben.view(image).status_code == 201
        assert ben.comment(image).status_code == 201
        after = first(stream, lambda one: topic(one, "views")["applied"] == before["applied"] + 60)
        rates: list[tuple[float, float]] = []
        while len(rates) < 8:
            views = topic(next(stream), "views")
            rates.append((views["published_per_second"], views["applied_per_second"]))
    shortest, longest = RATE_SECONDS
    for rate in map(max, zip(*rates, strict=True)):
        assert 60 / longest <= rate <= 60 / shortest
    assert rates[-1] == (0, 0)
    assert {one["state"] for one in after["services"]} == {"up"}


def test_decisions_are_those_in_the_table_with_their_reasons(live: ApiProcess, path: Stack) -> None:
    ana, ben = new_person(live), new_person(live)
    image = ana.image()
    assert ben.flag(image_id=image).status_code == 201
    with snapshots(live.url) as stream:
        shown = first(
            stream, lambda one: "flagged" in {d["trigger"] for d in one["decisions"] if d["image_id"] == image}
        )
        assert first(stream, flags_are_counted)  # services are asked one after the other, and not at once
    with superuser_rows(path) as rows:
        kept = rows(
            "SELECT trigger_type, risk_score, recommendation FROM moderation WHERE target_id = %s ORDER BY id DESC",
            image,
        )
    ours = [one for one in shown["decisions"] if one["image_id"] == image]
    assert [(one["trigger"], one["score"], one["recommendation"]) for one in ours] == kept
    (flagged,) = (one for one in ours if one["trigger"] == "flagged")  # the upload's may be written after it
    assert flagged["grounds"] == [{"name": "flagged", "points": 0.4, "reason": "somebody flagged it"}]


def flags_are_counted(shown: Snapshot) -> bool:
    counted = {one["trigger"]: one for one in shown["triggers"]}["flagged"]
    return bool(counted["requests"] == sum(counted["decisions"].values()) >= 1)


def test_a_relay_that_stops_is_down_since_then_and_comes_back(live: ApiProcess, path: Stack) -> None:
    ben, image = new_person(live), new_person(live).image()
    with snapshots(live.url) as stream:
        first(stream, lambda one: service(one, "outbox_relay")["state"] == "up" and one["lags"]["outbox_rows"] == 0)
        stopping = time.time()
        path.stop("outbox_relay")
        down = service(first(stream, lambda one: service(one, "outbox_relay")["state"] == "down"), "outbox_relay")
        assert stopping <= down["since"] <= time.time()
        assert not down["since_first_look"]
        for _ in range(5):
            ben.view(image)
        waiting = first(stream, lambda one: one["lags"]["outbox_rows"] == 5)
        assert service(waiting, "outbox_relay") == down
        assert topic(waiting, "views")["published_per_second"] is None
        path.up("outbox_relay")
        back = first(
            stream, lambda one: one["lags"]["outbox_rows"] == 0 and service(one, "outbox_relay")["state"] == "up"
        )
        assert service(back, "outbox_relay")["since"] > down["since"]


def test_version_1_has_no_stream(path: Stack, tmp_path: Path) -> None:
    with ApiProcess(path, "v1", tmp_path / "log") as api, snapshots(api.url) as stream:
        shown = first(stream, lambda one: "unknown" not in {each["state"] for each in one["services"]})
    states = {one["name"]: one["state"] for one in shown["services"]}
    assert [name for name, state in states.items() if state == "up"] == ["API", "PostgreSQL", "object storage"]
    assert set(states.values()) == {"up", "off"}


@pytest.fixture
def page_of_figures() -> Iterator[tuple[str, list[float]]]:
    """An address that notes when it was scraped."""
    scrapes: list[float] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scrapes.append(time.monotonic())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/metrics", scrapes
    server.shutdown()
    thread.join()
    server.server_close()


def test_many_viewers_cost_one_scrape_a_second_and_none_when_they_are_gone(
    path: Stack, tmp_path: Path, page_of_figures: tuple[str, list[float]]
) -> None:
    url, scrapes = page_of_figures
    with ApiProcess(path, "v2", tmp_path / "log", LIVE_RELAY_URL=url) as api:
        assert scrapes == []
        with contextlib.ExitStack() as viewers:
            streams = [viewers.enter_context(snapshots(api.url)) for _ in range(10)]
            watched = time.monotonic()
            for _ in range(5):
                began = time.monotonic()
                times = {next(stream)["at"] for stream in streams}
                # One snapshot shared, or the next for those read last; more if reading them takes long.
                assert len(times) <= 2 + (time.monotonic() - began)
        assert 4 <= len(scrapes) <= 4 + (time.monotonic() - watched)
        gone = time.monotonic()
        wait_until(lambda: time.monotonic() > scrapes[-1] + 3, "nobody is asked any more", 2 * LINGER_SECONDS)
        assert scrapes[-1] <= gone + LINGER_SECONDS + 3
        with snapshots(api.url) as stream:
            seen = len(scrapes)
            first(stream, lambda _: len(scrapes) > seen)


def _viewer(api: ApiProcess) -> socket.socket:
    """A viewer that reads nothing after the head of the answer."""
    host, port = api.url.removeprefix("http://").split(":")
    viewer = socket.create_connection((host, int(port)), 10)
    viewer.sendall(b"GET /live/events HTTP/1.1\r\nHost: x\r\n\r\n")
    assert viewer.recv(15) == b"HTTP/1.1 200 OK"
    return viewer


def test_more_viewers_than_the_limit_are_asked_to_come_later(live: ApiProcess) -> None:
    viewers = [_viewer(live) for _ in range(VIEWERS)]
    try:
        refused = live.http.get("/live/events")
        assert "viewers" in assert_refused(refused, 503, "too_many_viewers")
        assert refused.headers["Retry-After"] == "5"
        assert live.http.get("/live").status_code == live.http.get("/health").status_code == 200
    finally:
        for viewer in viewers:
            viewer.close()

    def admitted() -> bool:
        with httpx.stream("GET", f"{live.url}/live/events") as answer:
            return answer.status_code == 200

    wait_until(admitted, "those who left make room")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_api_stops_at_once_while_somebody_looks(path: Stack, tmp_path: Path, workers: str) -> None:
    api = ApiProcess(path, "v2", tmp_path / "log", API_WORKERS=workers)
    with api, snapshots(api.url) as stream:
        next(stream)
        started = time.monotonic()
        assert api.stop() == 0
        assert time.monotonic() - started < AT_ONCE_SECONDS
        assert len(list(stream)) <= 1  # the stream ends in order, not in the middle of a snapshot
        assert "rror" not in api.log()
        api.start()
        api.wait_until_ready()


def test_the_page_is_ours_alone(live: ApiProcess) -> None:
    page = live.http.get("/live")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    addresses = list(re.findall(r"""(?:src|href)=["']([^"']+)""", page.text))
    assert len(addresses) >= 5
    for address in addresses:
        assert address.startswith("/")
        assert live.http.get(address).status_code == 200, address
    assert "/live/events" not in live.http.get("/openapi.json").json()["paths"]


needs_chromium = pytest.mark.skipif(program() is None, reason="no Chromium on this machine: the page was not looked at")


@needs_chromium
@pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, True)])
def test_a_browser_shows_it(path: Stack, live: ApiProcess, tmp_path: Path, width: int, dark: bool) -> None:
    ana, ben = new_person(live), new_person(live)
    image = ana.image()
    ben.flag(image_id=image)
    with Chromium(width, dark=dark) as browser:
        browser.open(f"{path.url('api')}/live")
        browser.wait_until("document.querySelectorAll('#services [data-state=up]').length === 7")
        link = f'#decisions a[href="/images/{image}"]'
        browser.wait_until(f"document.querySelectorAll('{link}').length === 2")
        rows = f"[...document.querySelectorAll('{link}')].map(one => one.closest('tr').innerText)"
        (decision,) = (row for row in browser.ask(rows) if "somebody flagged it" in row)
        for word in ("flagged", "0.40", "REVIEW"):
            assert word in decision
        assert browser.ask("document.querySelectorAll('#topics tbody tr').length") == 5
        assert browser.ask("document.querySelectorAll('#triggers tbody tr').length") == 5
        assert browser.ask("document.documentElement.scrollWidth <= innerWidth")
        browser.picture(tmp_path / "live.png")
        assert (tmp_path / "live.png").stat().st_size > 20_000
        assert {address.split("/")[2] for address in browser.requests} == {path.address("api")}
        assert browser.problems == []


@needs_chromium
def test_a_browser_tells_what_is_down_and_finds_the_stream_again(path: Stack, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/metrics"
    api = ApiProcess(path, "v2", tmp_path / "log", LIVE_RELAY_URL=nobody)
    with api, Chromium() as browser:
        browser.open(f"{api.url}/live")
        tile = "document.querySelector('[data-service={}]')"
        browser.wait_until(tile.format("outbox_relay") + "?.dataset.state === 'down'")
        words = str(browser.ask(tile.format("outbox_relay") + ".innerText"))
        assert re.search(r"down\s+since \d\d:\d\d:\d\d or earlier", words)
        assert "not part of this stack" in str(browser.ask(tile.format("stream_consumer") + ".innerText"))
        red = browser.ask(f"getComputedStyle({tile.format('outbox_relay')}).borderColor")
        assert red != browser.ask(f"getComputedStyle({tile.format('API')}).borderColor")
        api.stop()
        browser.wait_until("document.getElementById('connection').dataset.state === 'lost'")
        assert re.search(r"No stream since \d\d:\d\d:\d\d", str(browser.ask("document.body.innerText")))
        assert browser.ask(tile.format("API") + ".dataset.state") == "down"
        api.start()
        browser.wait_until("document.getElementById('connection').dataset.state === 'live'")
        assert browser.ask(tile.format("API") + ".dataset.state") == "up"
